//! The way to the provider of single sign-on and back (`g10`).

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, Prose, Tone};
use seatline_web::address::after_sign_in;
use seatline_web::cookie::SessionCookie;
use seatline_web::rate::block;
use seatline_web::turns::Turns;
use serde::Deserialize;

use super::sign_in::sign_in_form;
use crate::auth::{self, SignInError};
use crate::pages::failure::PageError;
use crate::pages::frame::page_with;
use crate::server::App;
use crate::sso::flow::{PATIENCE, Returned};
use crate::sso::{Purpose, SsoError};

/// Ways to the provider and back that are under way: each holds a thread while the provider is asked.
static ON_THE_WAY: Turns = Turns::new(16);

/// What the address may hold.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    next: Option<String>,
    confirm: Option<String>,
}

fn cookie(app: &App) -> SessionCookie {
    let is_https = app.central.public_url().starts_with("https://");
    SessionCookie::new(is_https, "seatline-central-sso", "__Host-seatline-central-sso")
}

/// `GET /sign-in/single-sign-on`: leads to the provider. It is asked by `GET`, as no form may lead to another host; all
/// that it changes is the cookie of a sign-in that begins.
pub async fn begin(State(app): State<App>, Query(wanted): Query<Wanted>, parts: Parts) -> Result<Response, PageError> {
    let sso = app.sso.clone().ok_or_else(|| PageError::not_found("page"))?;
    if let Some(refused) = too_often(&app, &parts) {
        return Ok(refused);
    }
    let purpose = if wanted.confirm.is_some() { Purpose::Confirm } else { Purpose::SignIn };
    let (public_url, next) = (app.central.public_url().to_owned(), after_sign_in(wanted.next.as_deref()).to_owned());
    let begun = blocking(move || sso.begin(&public_url, purpose, &next)).await;
    Ok(match begun {
        Ok(begun) => {
            ([(SET_COOKIE, cookie(&app).set(&begun.cookie, PATIENCE))], Redirect::to(&begun.address)).into_response()
        }
        Err(error) => refused(&app, &error),
    })
}

/// `GET /sign-in/single-sign-on/callback`: takes who comes back from the provider.
pub async fn callback(
    State(app): State<App>,
    returned: Result<Query<Returned>, QueryRejection>,
    parts: Parts,
) -> Result<Response, PageError> {
    let sso = app.sso.clone().ok_or_else(|| PageError::not_found("page"))?;
    if let Some(refused) = too_often(&app, &parts) {
        return Ok(refused);
    }
    let returned = returned.map(|Query(returned)| returned).unwrap_or_default();
    let begun = cookie(&app).value(&parts.headers).map(str::to_owned);
    let (public_url, now) = (app.central.public_url().to_owned(), app.central.now());
    let finished = blocking(move || sso.finish(&public_url, begun.as_deref(), &returned, now)).await;
    let signed_in = match finished {
        Ok(signed_on) => auth::sign_on(&app, &parts, signed_on).await,
        Err(error) => Err(error.into()),
    };
    let mut response = match signed_in {
        Ok((session, next)) => {
            let mut response = Redirect::to(&next).into_response();
            response.headers_mut().extend(session.map(|session| (SET_COOKIE, session)));
            response
        }
        Err(SignInError::Sso(error)) => refused(&app, &error),
        Err(SignInError::Account(error)) => PageError::from(error).into_response(),
        Err(error) => {
            tracing::error!("{error}");
            PageError::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response()
        }
    };
    // It served once.
    response.headers_mut().append(SET_COOKIE, cookie(&app).remove());
    Ok(response)
}

/// The refusal of an address that comes too often.
fn too_often(app: &App, parts: &Parts) -> Option<Response> {
    let seconds = app.rates.sign_ons.take(&block(auth::address(app, parts)), app.central.now()).err()?;
    let what = format!("Too many attempts: try again in {seconds} seconds.");
    let banner = Banner::new(Tone::Danger, what, "");
    let form = sign_in_form(app.central.name(), app.sso.as_ref(), "", None, Some(banner));
    let mut response = page_with(StatusCode::TOO_MANY_REQUESTS, "Sign in", None, form);
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    Some(response)
}

/// The sign-in page with what went wrong: the rest is for the log alone, as anybody may come here.
fn refused(app: &App, error: &SsoError) -> Response {
    tracing::warn!(code = error.code(), "single sign-on: {error}");
    let status = match error {
        SsoError::Provider { .. } | SsoError::Config(_) | SsoError::Random(_) => StatusCode::SERVICE_UNAVAILABLE,
        SsoError::NoRole | SsoError::Refused(_) | SsoError::NoName(_) => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let why = match error {
        SsoError::Provider { .. } | SsoError::Config(_) => "The log of this server says why.".to_owned(),
        error => error.to_string(),
    };
    let banner =
        Banner::new(Tone::Danger, format!("Single sign-on did not work ({}).", error.code()), Prose::sentence(&why));
    page_with(status, "Sign in", None, sign_in_form(app.central.name(), app.sso.as_ref(), "", None, Some(banner)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SsoError> + Send + 'static,
) -> Result<T, SsoError> {
    let ended = |error: tokio::task::JoinError| SsoError::Provider { what: "was not asked", reason: error.to_string() };
    ON_THE_WAY.run(work).await.map_err(ended)?
}

/// Where somebody who comes by single sign-on is led to for signing out at the provider too.
pub fn provider_sign_out(app: &App) -> Option<String> {
    app.sso.as_ref()?.sign_out(app.central.public_url())
}
