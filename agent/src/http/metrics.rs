//! `GET /metrics`: for Prometheus (`g6`), which carries an API token unless `[http]` says that the metrics are open.

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use seatline_web::ApiError;
use seatline_web::exposition::Exposition;

use super::App;
use super::guard::require_token;
use crate::config::Metrics;
use crate::metrics::{self, Facts};

/// The route, behind its guard where there is one.
pub fn router(app: &App) -> Router<App> {
    let router = Router::new().route("/metrics", get(show));
    match app.metrics() {
        Metrics::Open => router,
        Metrics::Token => router.layer(from_fn_with_state(app.clone(), require_token)),
    }
}

async fn show(State(app): State<App>) -> Result<Exposition, ApiError> {
    Ok(metrics::page(&app.ask(Facts::read).await?))
}
