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

use axum::routing::{MethodRouter, get, patch, post, put};

use crate::server::App;
pub use error::{ApiError, unauthorised};

/// Every route of the API. All of them stand behind the guard.
pub fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/api/v1/server", get(server::show)),
        ("/api/v1/applications", get(applications::list).post(applications::add)),
        ("/api/v1/applications/{application}", get(applications::show)),
        ("/api/v1/applications/{application}/licenses", get(applications::licenses)),
        ("/api/v1/applications/{application}/links", get(applications::links)),
        ("/api/v1/applications/{application}/link", put(applications::choose_link)),
        ("/api/v1/invites", post(links::invite)),
        ("/api/v1/links", get(links::list)),
        ("/api/v1/links/{link}", get(links::show)),
        ("/api/v1/links/{link}/approve", post(links::approve)),
        ("/api/v1/links/{link}/suspend", post(links::suspend)),
        ("/api/v1/links/{link}/settings", patch(links::change_settings)),
        ("/api/v1/links/{link}/reports", get(reports::list)),
        ("/api/v1/links/{link}/reports/{sequence}", get(reports::sealed)),
        ("/api/v1/links/{link}/refused-reports", get(reports::refused)),
        ("/api/v1/links/{link}/refused-reports/{digest}", get(reports::sealed_refused)),
    ]
}
