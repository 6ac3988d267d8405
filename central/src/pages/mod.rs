//! The pages: server-rendered HTML that works without JavaScript; htmx only refreshes the Licenses tab.
//!
//! A page is a template that is handed finished words (`words`) inside a frame (`frame`); what is true comes from
//! [`crate::domain::Licenses`], so the pages cannot disagree with the API. Forms are guarded against other sites by the
//! server's CSRF layer, and what was typed stays when a value is refused.

pub mod applications;
pub mod details;
pub mod failure;
pub mod frame;
pub mod licenses;
mod sign_in;
mod words;

use std::str::FromStr;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::server::App;
pub use failure::PageError;

/// The sign-in page, which can be reached without signing in.
pub fn public() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
}

/// The pages for whoever is signed in. They need [`crate::auth::SignedIn`] beside the request.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/applications") }))
        .route("/applications", get(applications::list).post(applications::add))
        .route("/applications/new", get(applications::new_form))
        .route("/applications/{id}", get(details::show))
        .route("/applications/{id}/link", post(details::save))
        .route("/applications/{id}/invites", post(details::invite))
        .route("/applications/{id}/links/{link}/approve", post(details::approve))
        .route("/applications/{id}/links/{link}/suspend", post(details::suspend))
        .route("/applications/{id}/licenses", get(licenses::show))
        .route("/applications/{id}/reports", get(licenses::all))
        .route("/applications/{id}/reports/{sequence}", get(licenses::bytes))
        .route("/applications/{id}/refused/{digest}", get(licenses::refused_bytes))
}

/// A part of an address as the id that it must be.
fn parsed<T: FromStr>(text: &str, what: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::not_found(what))
}

#[cfg(test)]
mod tests;
