//! Signing in and out.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, SignIn, Tone, format};
use seatline_web::address::{after_sign_in, escape};
use seatline_web::gate::GateError;
use seatline_web::{Peer, refusal};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::single_sign_on::provider_sign_out;
use crate::auth::{self, SignInError};
use crate::pages::failure::PageError;
use crate::pages::frame::{page, page_with};
use crate::server::App;
use crate::sso::Sso;

/// That somebody is signed out here, and the way to sign out at the provider too. It is a link, as no form of ours may
/// lead to another host.
#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut {
    label: String,
    address: String,
}

impl SignedOut {
    fn of(app: &App) -> Option<Self> {
        let label = app.sso.as_ref()?.config().label.clone();
        Some(Self { label, address: provider_sign_out(app)? })
    }
}

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
pub(super) fn sign_in_form(
    central: &str,
    sso: Option<&Sso>,
    name: &str,
    next: Option<&str>,
    banner: Option<Banner>,
) -> SignIn {
    let begin = format!("/sign-in/single-sign-on?next={}", escape(after_sign_in(next)));
    SignIn {
        server: central.to_owned(),
        single_sign_on: sso.map(|sso| (sso.config().label.clone(), begin)),
        action: "/sign-in".to_owned(),
        banner,
        name: name.to_owned(),
        next: after_sign_in(next).to_owned(),
        hint: "An administrator is added on the server with `seatline-central admin create NAME`.".into(),
    }
}

/// `GET /sign-in`
pub async fn form(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    page("Sign in", None, sign_in_form(app.central.name(), app.sso.as_ref(), "", wanted.next.as_deref(), None))
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
    let body = sign_in_form(app.central.name(), app.sso.as_ref(), &sent.name, Some(next), Some(banner));
    page_with(status, "Sign in", None, body)
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<App>, parts: Parts) -> Result<Response, PageError> {
    let cookie = match auth::signed_in(&app, &parts, false).await? {
        Some(who) => {
            let cookie = auth::sign_out(&app.central, &who).await?;
            let account = app.central.store().account(&who.name).await?;
            let comes_by_it = account.is_some_and(|account| account.password().is_none());
            if let Some(body) = SignedOut::of(&app).filter(|_| comes_by_it) {
                return Ok(([(header::SET_COOKIE, cookie)], page("Signed out", None, body)).into_response());
            }
            cookie
        }
        None => auth::forget(&app.central),
    };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}
