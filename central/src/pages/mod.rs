//! The pages: server-rendered HTML that works without JavaScript; htmx only refreshes the Licenses tab.
//!
//! A page is a template that is handed finished words (`words`) inside a frame (`frame`); what is true comes from
//! [`crate::domain::Licenses`], so the pages cannot disagree with the API. Forms are guarded against other sites by the
//! server's CSRF layer, and what was typed stays when a value is refused.

mod account;
mod administration;
pub mod alerts;
pub mod applications;
mod confirm;
pub mod details;
pub mod failure;
pub mod fleet;
pub mod frame;
pub mod history;
pub mod licenses;
pub mod links;
pub mod people;
mod sign_in;
mod single_sign_on;
mod words;

use std::str::FromStr;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::domain::Area;
use crate::server::{App, Need, Route};
pub use confirm::ask_to_confirm;
pub use failure::{PageError, seen_by};

/// The sign-in page, which can be reached without signing in.
pub fn public() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-in/single-sign-on", get(single_sign_on::begin))
        .route(crate::sso::flow::CALLBACK, get(single_sign_on::callback))
        .route("/sign-out", post(sign_in::sign_out))
}

/// Every page, with what it needs. What changes something needs `operate` or `administer`.
pub fn routes() -> Vec<Route> {
    use Area::{Accounts, Alerts, Applications, Audit, Links, People, Reports, Server};
    let accounts = Need::administer(Accounts);
    vec![
        Route::get("/", Need::read(Applications), fleet::overview::show),
        Route::get("/calendar", Need::read(Applications), fleet::calendar::show),
        Route::get("/applications", Need::read(Applications), fleet::list::show),
        Route::post("/applications", Need::operate(Applications), applications::add),
        Route::get("/applications/new", Need::operate(Applications), applications::new_form),
        Route::get("/applications/{id}", Need::read(Applications), details::show),
        Route::post("/applications/{id}/labels", Need::operate(Applications), details::save_labels),
        Route::post("/applications/{id}/link", Need::operate(Links), details::save),
        Route::post("/applications/{id}/invites", Need::operate(Links), details::invite),
        Route::post("/applications/{id}/links/{link}/approve", Need::operate(Links), details::approve),
        Route::post("/applications/{id}/links/{link}/suspend", Need::operate(Links), details::suspend),
        Route::post("/applications/{id}/links/{link}/sync", Need::operate(Links), details::upkeep::sync),
        Route::post("/applications/{id}/links/{link}/rotate", Need::operate(Links), details::upkeep::rotate),
        Route::post("/applications/{id}/links/{link}/answer", Need::operate(Links), details::upkeep::answer),
        Route::post(
            "/applications/{id}/links/{link}/remove",
            Need::operate(Links).confirmed(),
            details::upkeep::remove_link,
        ),
        Route::post("/applications/{id}/wizard", Need::operate(Links), details::wizard::begin),
        Route::post("/applications/{id}/change", Need::operate(Applications), details::upkeep::change),
        Route::post("/applications/{id}/remove", Need::operate(Applications).confirmed(), details::upkeep::remove),
        Route::get("/applications/{id}/licenses", Need::read(Applications), licenses::show),
        Route::get("/links", Need::read(Links), links::show),
        Route::get("/links/new", Need::operate(Links), links::new_form),
        Route::post("/links/invites", Need::operate(Links), links::invite),
        Route::post("/links/invites/{invite}/withdraw", Need::operate(Links), links::withdraw),
        Route::post("/links/wizard", Need::operate(Links), links::wizard),
        Route::get("/links/{link}", Need::read(Links), links::one),
        Route::post("/links/{link}/approve", Need::operate(Links), links::approve),
        Route::post("/links/{link}/refuse", Need::operate(Links), links::refuse),
        Route::get("/alerts", Need::read(Alerts), alerts::list::open),
        Route::get("/alerts/past", Need::read(Alerts), alerts::list::past),
        Route::post("/alerts/acknowledge", Need::operate(Alerts), alerts::known::acknowledge),
        Route::post("/alerts/acknowledge-several", Need::operate(Alerts), alerts::several::acknowledge),
        Route::post("/alerts/withdraw", Need::operate(Alerts), alerts::known::withdraw),
        Route::get("/alerts/channels", Need::read(Alerts), alerts::channels::list),
        Route::post("/alerts/channels", Need::operate(Alerts), alerts::channels::add),
        Route::get("/alerts/channels/new", Need::operate(Alerts), alerts::channels::new_form),
        Route::get("/alerts/channels/{channel}", Need::read(Alerts), alerts::channels::show),
        Route::post("/alerts/channels/{channel}", Need::operate(Alerts), alerts::channels::change),
        Route::post("/alerts/channels/{channel}/test", Need::operate(Alerts), alerts::channels::test),
        Route::post("/alerts/channels/{channel}/secret", Need::operate(Alerts), alerts::channels::rotate),
        Route::post("/alerts/channels/{channel}/remove", Need::operate(Alerts), alerts::channels::remove),
        Route::get("/alerts/messages", Need::read(Alerts), alerts::messages::list),
        Route::get("/people", Need::read(People), people::show),
        Route::post("/people/counts", Need::operate(People), people::count),
        Route::post("/people/schedule", Need::operate(People), people::schedule),
        Route::get("/applications/{id}/history", Need::read(Reports), history::show),
        Route::get("/applications/{id}/difference", Need::read(Reports), history::difference),
        Route::get("/applications/{id}/reports", Need::read(Reports), licenses::all),
        Route::get("/applications/{id}/reports/{sequence}", Need::read(Reports), licenses::bytes),
        Route::get("/applications/{id}/evidence", Need::read(Reports), licenses::evidence),
        Route::get("/applications/{id}/refused/{digest}", Need::read(Reports), licenses::refused_bytes),
        Route::get("/confirm", Need::own(), confirm::form),
        Route::post("/confirm", Need::own(), confirm::confirm),
        Route::post("/confirm/end", Need::own(), confirm::end),
        Route::get("/account", Need::own(), account::show),
        Route::post("/account/password", Need::own(), account::password),
        Route::post("/account/sessions/end-others", Need::own(), account::end_others),
        Route::post("/account/sessions/{session}/end", Need::own(), account::end),
        Route::get("/account/tokens/new", Need::own().confirmed(), account::new_token),
        Route::post("/account/tokens", Need::own().confirmed(), account::create_token),
        Route::post("/account/tokens/{token}/revoke", Need::own(), account::revoke_token),
        Route::get("/administration", accounts, async || Redirect::to("/administration/users")),
        Route::get("/administration/users", accounts, administration::users::list),
        Route::post("/administration/users", accounts.confirmed(), administration::users::add),
        Route::get("/administration/users/new", accounts.confirmed(), administration::users::new_form),
        Route::get("/administration/users/{name}", accounts, administration::users::show),
        Route::post("/administration/users/{name}/role", accounts.confirmed(), administration::users::role),
        Route::post("/administration/users/{name}/password", accounts.confirmed(), administration::users::password),
        Route::post("/administration/users/{name}/end-sessions", accounts, administration::users::end_sessions),
        Route::post("/administration/users/{name}/remove", accounts.confirmed(), administration::users::remove),
        Route::get("/administration/tokens", accounts, administration::tokens::list),
        Route::post("/administration/tokens/{token}/revoke", accounts, administration::tokens::revoke),
        Route::get("/administration/alerts", Need::administer(Alerts), administration::alerts::show),
        Route::post("/administration/alerts", Need::administer(Alerts).confirmed(), administration::alerts::save),
        Route::get("/administration/audit", Need::administer(Audit), administration::audit::list),
        Route::get("/administration/retention", Need::administer(Server), administration::retention::show),
        Route::post("/administration/retention", Need::administer(Server).confirmed(), administration::retention::save),
        Route::get("/administration/pseudonyms", Need::administer(Server), administration::pseudonyms::show),
        Route::post(
            "/administration/pseudonyms",
            Need::administer(Server).confirmed(),
            administration::pseudonyms::replace,
        ),
        Route::get("/administration/jobs", Need::administer(Server), administration::jobs::list),
    ]
}

/// A part of an address as the id that it must be.
fn parsed<T: FromStr>(text: &str, what: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::not_found(what))
}

#[cfg(test)]
mod tests;
