//! Confirming the password before accounts are changed (`c2`): it begins a secure session of ten minutes.
//!
//! Pages with such a form ask for it before they are shown, so nothing is typed in vain. A form that is sent too late
//! is not done: its sender confirms, and comes back to the page that it stands on. No secret of a form is ever kept for
//! later.

use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, Confirmation, Tone, format};
use seatline_web::address::{after_sign_in, escape, lead_to};
use seatline_web::gate::GateError;
use seatline_web::{Peer, refusal};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::frame::{Section, page_of_with};
use super::sign_in::Wanted;
use crate::auth::session::CONFIRMED_FOR;
use crate::auth::{self, SignInError, SignedIn};
use crate::pages::failure::PageError;
use crate::server::App;

const TITLE: &str = "Confirm your password";

/// What the form sends.
#[derive(Deserialize)]
pub struct Confirming {
    #[serde(rename = "confirm-password")]
    password: Zeroizing<String>,
}

/// The answer to somebody who has to confirm his password first.
pub fn ask_to_confirm(app: &App, who: &SignedIn, request: &Parts) -> Response {
    if request.method == Method::GET {
        let wanted = request.uri.path_and_query().map_or("/", |path| path.as_str());
        return lead_to(request, &format!("/confirm?next={}", escape(wanted)));
    }
    let what = "Nothing was done yet: this takes your password.";
    let banner = Banner::new(Tone::Warning, what, "Confirm it, and send the form again.");
    page(who, StatusCode::FORBIDDEN, &came_from(app, &request.headers), Some(banner))
}

/// The page of ours that a form stands on.
fn came_from(app: &App, headers: &HeaderMap) -> String {
    let from = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let path = from.and_then(|from| from.strip_prefix(app.central.public_url()));
    after_sign_in(path).to_owned()
}

fn page(who: &SignedIn, status: StatusCode, next: &str, banner: Option<Banner>) -> Response {
    let form = Confirmation {
        user: who.name.to_string(),
        action: format!("/confirm?next={}", escape(next)),
        pending: None,
        minutes: CONFIRMED_FOR.as_mins().unsigned_abs(),
        banner,
        back: "/".to_owned(),
    };
    page_of_with(status, Section::Account, TITLE, Some(who), form)
}

/// `GET /confirm`
pub async fn form(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let next = after_sign_in(wanted.next.as_deref());
    if who.confirmed_until().is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    if app.sso.is_some() && app.central.account(&who.name).await?.password().is_none() {
        // Whoever has no password here signs in anew at the provider.
        let begin = format!("/sign-in/single-sign-on?confirm=1&next={}", escape(next));
        return Ok(Redirect::to(&begin).into_response());
    }
    Ok(page(&who, StatusCode::OK, next, None))
}

/// `POST /confirm`
pub async fn confirm(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(Peer(peer)): Extension<Peer>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    Form(sent): Form<Confirming>,
) -> Response {
    let next = after_sign_in(wanted.next.as_deref());
    match auth::confirm(&app.gate, &app.central, peer, &headers, &who, &sent.password).await {
        Ok(_) => Redirect::to(next).into_response(),
        Err(error) => match refused(error) {
            Ok((status, banner)) => page(&who, status, next, Some(banner)),
            Err(error) => error.into_response(),
        },
    }
}

/// What is said where a password is not taken.
pub(super) fn refused(error: SignInError) -> Result<(StatusCode, Banner), PageError> {
    match error {
        SignInError::Gate(GateError::Wrong) => {
            Ok((StatusCode::FORBIDDEN, Banner::new(Tone::Danger, "The password is wrong.", "Check it and try again.")))
        }
        SignInError::Gate(GateError::Store(error)) => Err(error.into()),
        SignInError::Account(error) => Err(error.into()),
        SignInError::Sso(_) => Err(PageError::of_status(StatusCode::BAD_REQUEST)),
        SignInError::Gate(error) => {
            let what = format!("{}.", format::capitalised(&error.to_string()));
            let plain = (StatusCode::SERVICE_UNAVAILABLE, Banner::new(Tone::Danger, what, ""));
            Ok(refusal::of_gate(&error).unwrap_or(plain))
        }
    }
}

/// `POST /confirm/end`: ends the secure session.
pub async fn end(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Result<Redirect, PageError> {
    if let Some(session) = who.session() {
        app.central.store().confirm_session(&session.id, None).await?;
    }
    Ok(Redirect::to("/account"))
}
