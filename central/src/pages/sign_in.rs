//! Signing in and out.

use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, SignIn, Tone, format};
use seatline_web::address::after_sign_in;
use seatline_web::gate::GateError;
use seatline_web::{Peer, refusal};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::{self, SignInError};
use crate::pages::failure::PageError;
use crate::pages::frame::{page, page_with};
use crate::server::App;

/// What the address of the page may hold.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    pub(super) next: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    next: Option<String>,
}

/// The form of the server called `central`, with the name that was typed and what was wrong.
pub(super) fn sign_in_form(central: &str, name: &str, next: Option<&str>, banner: Option<Banner>) -> SignIn {
    SignIn {
        server: central.to_owned(),
        action: "/sign-in".to_owned(),
        banner,
        name: name.to_owned(),
        next: after_sign_in(next).to_owned(),
        hint: "An administrator is added on the server with `seatline-central admin create NAME`.".into(),
    }
}

/// `GET /sign-in`
pub async fn form(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    page("Sign in", None, sign_in_form(app.central.name(), "", wanted.next.as_deref(), None))
}

/// `POST /sign-in`
pub async fn sign_in(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let next = after_sign_in(sent.next.as_deref());
    let error = match auth::sign_in(&app.gate, &app.central, app.life, peer, &headers, &sent.name, &sent.password).await
    {
        Ok(cookie) => return ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response(),
        Err(SignInError::Gate(GateError::Store(error))) => return PageError::from(error).into_response(),
        Err(SignInError::Account(error)) => return PageError::from(error).into_response(),
        Err(error) => error,
    };
    let refused = match &error {
        SignInError::Gate(error) => refusal::of_gate(error),
        _ => None,
    };
    let (status, banner) = refused.unwrap_or_else(|| {
        let what = format!("{}.", format::capitalised(&error.to_string()));
        (StatusCode::SERVICE_UNAVAILABLE, Banner::new(Tone::Danger, what, ""))
    });
    let body = sign_in_form(app.central.name(), &sent.name, Some(next), Some(banner));
    page_with(status, "Sign in", None, body)
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<App>, parts: Parts) -> Result<Response, PageError> {
    let cookie = match auth::signed_in(&app, &parts, false).await? {
        Some(who) => auth::sign_out(&app.central, &who).await?,
        None => auth::forget(&app.central),
    };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}
