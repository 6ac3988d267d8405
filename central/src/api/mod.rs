//! The JSON API: the same facts and actions as the pages, under `/api/v1`.
//!
//! A program carries an API token (`Authorization: Bearer slt_…`, see [`crate::auth::token`]); the pages' scripts have
//! the session's cookie. Every error is `{"code": "…", "message": "…"}` with a stable code. Lists come in pages:
//! `limit` (1 to 200, 50 where absent) and `after`, the `next` of the page before. Documented in `docs/central-api.md`.
//!
//! A new route is a line in [`routes`] and one in the table of `description.rs`: a test fails where either is missing.

mod account;
mod alerts;
mod applications;
mod audit;
mod channels;
mod counts;
mod description;
mod error;
mod evidence;
mod fleet;
mod history;
mod history_export;
mod input;
mod links;
mod people;
mod pseudonyms;
mod reports;
mod retention;
mod server;
mod users;

use crate::domain::Area;
use crate::metrics;
use crate::server::{METRICS, Need, Route};
pub use description::description;
pub use error::{
    ApiError, for_people, role_too_low, scope_missing, token_rests, too_many_requests, unauthorised, unconfirmed,
};

/// Every route of the API, with what it needs.
pub fn routes() -> Vec<Route> {
    use Area::{Accounts, Alerts, Applications, Audit, Links, People, Reports, Server};
    let (accounts, audit_log) = (Need::administer(Accounts), Need::administer(Audit));
    vec![
        Route::get(METRICS, Need::read(Server), metrics::show),
        Route::get("/api/v1/openapi.json", Need::read(Server), description::serve),
        Route::get("/api/v1/server", Need::read(Server), server::show),
        Route::get("/api/v1/applications", Need::read(Applications), applications::list),
        Route::post("/api/v1/applications", Need::operate(Applications), applications::add),
        Route::get("/api/v1/applications/{application}", Need::read(Applications), applications::show),
        Route::patch("/api/v1/applications/{application}", Need::operate(Applications), applications::change),
        Route::delete(
            "/api/v1/applications/{application}",
            Need::operate(Applications).confirmed(),
            applications::remove,
        ),
        Route::get("/api/v1/applications/{application}/licenses", Need::read(Applications), applications::licenses),
        Route::get("/api/v1/applications/{application}/history", Need::read(Reports), history::show),
        Route::get("/api/v1/applications/{application}/history.csv", Need::read(Reports), history_export::csv),
        Route::get("/api/v1/applications/{application}/history.json", Need::read(Reports), history_export::json),
        Route::get("/api/v1/applications/{application}/chain", Need::read(Reports), evidence::chain),
        Route::get("/api/v1/applications/{application}/evidence", Need::read(Reports), evidence::of_application),
        Route::get("/api/v1/evidence", Need::read(Reports), evidence::of_all),
        Route::get("/api/v1/applications/{application}/labels", Need::read(Applications), fleet::labels),
        Route::put("/api/v1/applications/{application}/labels", Need::operate(Applications), fleet::set_labels),
        Route::get("/api/v1/applications/{application}/concerns", Need::read(Applications), fleet::spells),
        Route::get("/api/v1/fleet", Need::read(Applications), fleet::list),
        Route::get("/api/v1/fleet.csv", Need::read(Applications), fleet::export::csv),
        Route::get("/api/v1/fleet.json", Need::read(Applications), fleet::export::json),
        Route::get("/api/v1/fleet/totals", Need::read(Applications), fleet::totals),
        Route::get("/api/v1/fleet/ends", Need::read(Applications), fleet::ends),
        Route::get("/api/v1/fleet/concerns", Need::read(Applications), fleet::concerns),
        Route::get("/api/v1/retention", Need::read(Server), retention::show),
        Route::patch("/api/v1/retention", Need::administer(Server).confirmed(), retention::change),
        Route::get("/api/v1/retention/preview", Need::read(Server), retention::preview),
        Route::get("/api/v1/alerts", Need::read(Alerts), alerts::list),
        Route::get("/api/v1/alerts/figures", Need::read(Alerts), alerts::figures),
        Route::post("/api/v1/alerts/acknowledge", Need::operate(Alerts), alerts::acknowledge),
        Route::post("/api/v1/alerts/acknowledge-several", Need::operate(Alerts), alerts::acknowledge_several),
        Route::post("/api/v1/alerts/withdraw", Need::operate(Alerts), alerts::withdraw),
        Route::get("/api/v1/channels", Need::read(Alerts), channels::list),
        Route::post("/api/v1/channels", Need::operate(Alerts), channels::add),
        Route::get("/api/v1/channels/{channel}", Need::read(Alerts), channels::show),
        Route::put("/api/v1/channels/{channel}", Need::operate(Alerts), channels::change),
        Route::delete("/api/v1/channels/{channel}", Need::operate(Alerts), channels::remove),
        Route::post("/api/v1/channels/{channel}/test", Need::operate(Alerts), channels::test),
        Route::post("/api/v1/channels/{channel}/secret", Need::operate(Alerts), channels::rotate),
        Route::get("/api/v1/messages", Need::read(Alerts), channels::messages),
        Route::get("/api/v1/alert-settings", Need::read(Alerts), channels::settings),
        Route::put("/api/v1/alert-settings", Need::administer(Alerts).confirmed(), channels::set_settings),
        Route::get("/api/v1/jobs", Need::read(Server), fleet::jobs),
        Route::get("/api/v1/applications/{application}/links", Need::read(Links), applications::links),
        Route::put("/api/v1/applications/{application}/link", Need::operate(Links), applications::choose_link),
        Route::get("/api/v1/people", Need::read(People), people::show),
        Route::get("/api/v1/people-counts", Need::read(People), counts::list),
        Route::post("/api/v1/people-counts", Need::operate(People), counts::ask),
        Route::get("/api/v1/people-counts/{count}", Need::read(People), counts::show),
        Route::get("/api/v1/people-schedules", Need::read(People), counts::schedules),
        Route::put("/api/v1/people-schedules", Need::operate(People), counts::schedule),
        Route::get("/api/v1/pseudonym-keys", Need::administer(Server), pseudonyms::show),
        Route::post("/api/v1/pseudonym-keys", Need::administer(Server).confirmed(), pseudonyms::replace),
        Route::get("/api/v1/invites", Need::read(Links), links::invites),
        Route::post("/api/v1/invites", Need::operate(Links), links::invite),
        Route::delete("/api/v1/invites/{invite}", Need::operate(Links), links::withdraw),
        Route::get("/api/v1/links", Need::read(Links), links::list),
        Route::get("/api/v1/removed-links", Need::read(Links), links::removed),
        Route::get("/api/v1/links/{link}", Need::read(Links), links::show),
        Route::delete("/api/v1/links/{link}", Need::operate(Links).confirmed(), links::remove),
        Route::post("/api/v1/links/{link}/sync", Need::operate(Links), links::sync),
        Route::post("/api/v1/links/{link}/rotate", Need::operate(Links), links::rotate),
        Route::get("/api/v1/links/{link}/keys", Need::read(Links), links::keys),
        Route::get("/api/v1/links/{link}/answers", Need::read(Links), links::answers),
        Route::post("/api/v1/links/{link}/answers", Need::operate(Links), links::answer),
        Route::post("/api/v1/links/{link}/approve", Need::operate(Links), links::approve),
        Route::post("/api/v1/links/{link}/refuse", Need::operate(Links), links::refuse),
        Route::post("/api/v1/links/{link}/suspend", Need::operate(Links), links::suspend),
        Route::patch("/api/v1/links/{link}/settings", Need::operate(Links), links::change_settings),
        Route::get("/api/v1/links/{link}/reports", Need::read(Reports), reports::list),
        Route::get("/api/v1/links/{link}/reports/{sequence}", Need::read(Reports), reports::sealed),
        Route::get("/api/v1/links/{link}/difference", Need::read(Reports), history::difference),
        Route::get("/api/v1/links/{link}/refused-reports", Need::read(Reports), reports::refused),
        Route::get("/api/v1/links/{link}/refused-reports/{digest}", Need::read(Reports), reports::sealed_refused),
        Route::get("/api/v1/account", Need::own(), account::show),
        Route::post("/api/v1/account/confirm", Need::own(), account::confirm),
        Route::put("/api/v1/account/password", Need::own(), account::password),
        Route::get("/api/v1/account/sessions", Need::own(), account::sessions),
        Route::delete("/api/v1/account/sessions", Need::own(), account::end_others),
        Route::delete("/api/v1/account/sessions/{session}", Need::own(), account::end_session),
        Route::get("/api/v1/account/tokens", Need::own(), account::tokens),
        Route::post("/api/v1/account/tokens", Need::own().confirmed(), account::create_token),
        Route::delete("/api/v1/account/tokens/{token}", Need::own(), account::revoke_token),
        Route::get("/api/v1/users", accounts, users::list),
        Route::post("/api/v1/users", accounts.confirmed(), users::add),
        Route::get("/api/v1/users/{user}", accounts, users::show),
        Route::patch("/api/v1/users/{user}", accounts.confirmed(), users::change_role),
        Route::delete("/api/v1/users/{user}", accounts.confirmed(), users::remove),
        Route::put("/api/v1/users/{user}/password", accounts.confirmed(), users::set_password),
        Route::get("/api/v1/users/{user}/sessions", accounts, users::sessions),
        Route::delete("/api/v1/users/{user}/sessions", accounts, users::end_sessions),
        Route::get("/api/v1/tokens", accounts, users::tokens),
        Route::delete("/api/v1/tokens/{token}", accounts, users::revoke_token),
        Route::get("/api/v1/audit", audit_log, audit::list),
        Route::get("/api/v1/audit.json", audit_log, audit::json),
        Route::get("/api/v1/audit.csv", audit_log, audit::csv),
    ]
}
