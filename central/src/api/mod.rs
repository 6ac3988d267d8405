//! The JSON API: the same facts and actions as the pages, under `/api/v1`.
//!
//! A program carries an API token (`Authorization: Bearer slt_…`, see [`crate::auth::token`]); the pages' scripts have
//! the session's cookie. Every error is `{"code": "…", "message": "…"}` with a stable code. Lists come in pages: `limit`
//! (1 to 200, 50 where absent) and `after`, the `next` of the page before. Documented in `docs/central-api.md`.

mod applications;
mod error;
mod input;
mod links;
mod reports;
mod server;

use crate::domain::Area;
use crate::server::{Need, Route};
pub use error::{ApiError, role_too_low, scope_missing, unauthorised};

/// Every route of the API, with what it needs.
pub fn routes() -> Vec<Route> {
    use Area::{Applications, Links, Reports, Server};
    vec![
        Route::get("/api/v1/server", Need::read(Server), server::show),
        Route::get("/api/v1/applications", Need::read(Applications), applications::list),
        Route::post("/api/v1/applications", Need::operate(Applications), applications::add),
        Route::get("/api/v1/applications/{application}", Need::read(Applications), applications::show),
        Route::get("/api/v1/applications/{application}/licenses", Need::read(Applications), applications::licenses),
        Route::get("/api/v1/applications/{application}/links", Need::read(Links), applications::links),
        Route::put("/api/v1/applications/{application}/link", Need::operate(Links), applications::choose_link),
        Route::post("/api/v1/invites", Need::operate(Links), links::invite),
        Route::get("/api/v1/links", Need::read(Links), links::list),
        Route::get("/api/v1/links/{link}", Need::read(Links), links::show),
        Route::post("/api/v1/links/{link}/approve", Need::operate(Links), links::approve),
        Route::post("/api/v1/links/{link}/suspend", Need::operate(Links), links::suspend),
        Route::patch("/api/v1/links/{link}/settings", Need::operate(Links), links::change_settings),
        Route::get("/api/v1/links/{link}/reports", Need::read(Reports), reports::list),
        Route::get("/api/v1/links/{link}/reports/{sequence}", Need::read(Reports), reports::sealed),
        Route::get("/api/v1/links/{link}/refused-reports", Need::read(Reports), reports::refused),
        Route::get("/api/v1/links/{link}/refused-reports/{digest}", Need::read(Reports), reports::sealed_refused),
    ]
}
