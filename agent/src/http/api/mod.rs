//! The local API (`g7`) under `/v1`: what a product in any language asks of its licenses, and what its scripts change.
//!
//! A program carries an API token (`Authorization: Bearer sla_…`, see [`crate::tokens`]). Every error is
//! `{"code": "…", "message": "…"}` with a stable code. Questions that a product asks at every turn are answered from
//! memory; the others ask the host, on another thread.

mod banners;
mod description;
mod features;
mod licenses;
mod limits;
mod server_id;
mod state;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};
use seatline_web::ApiError;

use super::App;
use super::guard::require_token;
pub use description::description;

/// Every route of the API. All of them stand behind the guard.
pub fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/v1/standing", get(state::standing)),
        ("/v1/features", get(features::list)),
        ("/v1/features/{feature}", get(features::show)),
        ("/v1/limits", get(limits::list)),
        ("/v1/limits/{dimension}/check", post(limits::check)),
        ("/v1/banners", get(banners::list)),
        ("/v1/banners.html", get(banners::fragment)),
        ("/v1/licenses", get(licenses::list).post(licenses::set)),
        ("/v1/licenses/preview", post(licenses::preview)),
        ("/v1/licenses/request", get(licenses::request)),
        ("/v1/server-id", get(server_id::show)),
        ("/v1/server-id/confirm", post(server_id::confirm)),
        ("/v1/sync", get(state::sync_state).post(state::sync)),
        ("/v1/status", get(state::status)),
        ("/v1/product", get(state::product)),
    ]
}

/// The API behind its guard, and its description before it.
pub fn router(app: &App) -> Router<App> {
    let mut router = Router::new();
    for (path, route) in routes() {
        router = router.route(path, route);
    }
    // What does not exist is not told either without a token.
    let unknown = async || ApiError::not_found("API route");
    for path in ["/v1/", "/v1/{*path}"] {
        router = router.route(path, any(unknown));
    }
    let guarded = router.layer(from_fn_with_state(app.clone(), require_token));
    guarded.route("/v1/openapi.json", get(description::serve))
}
