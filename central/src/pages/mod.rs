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

use crate::domain::Area;
use crate::server::{App, Need, Route};
pub use failure::PageError;

/// The sign-in page, which can be reached without signing in.
pub fn public() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
}

/// Every page, with what it needs. What changes something needs `operate` or `administer`.
pub fn routes() -> Vec<Route> {
    use Area::{Applications, Links, Reports};
    vec![
        Route::get("/", Need::read(Applications), async || Redirect::to("/applications")),
        Route::get("/applications", Need::read(Applications), applications::list),
        Route::post("/applications", Need::operate(Applications), applications::add),
        Route::get("/applications/new", Need::operate(Applications), applications::new_form),
        Route::get("/applications/{id}", Need::read(Applications), details::show),
        Route::post("/applications/{id}/link", Need::operate(Links), details::save),
        Route::post("/applications/{id}/invites", Need::operate(Links), details::invite),
        Route::post("/applications/{id}/links/{link}/approve", Need::operate(Links), details::approve),
        Route::post("/applications/{id}/links/{link}/suspend", Need::operate(Links), details::suspend),
        Route::get("/applications/{id}/licenses", Need::read(Applications), licenses::show),
        Route::get("/applications/{id}/reports", Need::read(Reports), licenses::all),
        Route::get("/applications/{id}/reports/{sequence}", Need::read(Reports), licenses::bytes),
        Route::get("/applications/{id}/refused/{digest}", Need::read(Reports), licenses::refused_bytes),
    ]
}

/// A part of an address as the id that it must be.
fn parsed<T: FromStr>(text: &str, what: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::not_found(what))
}

#[cfg(test)]
mod tests;
