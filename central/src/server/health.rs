//! `GET /healthz`: whether reports can be stored now. Anybody may ask, so it says no more, and the store is asked once
//! a second at the most, however many ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Mutex;

use super::App;
use crate::central::Central;

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(1);

/// What was found last. Its clones are one.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Option<Found>>>);

#[derive(Debug, Clone, Copy)]
struct Found {
    at: Instant,
    is_well: bool,
}

impl Health {
    /// Whether reports can be stored. Whoever asks while somebody looks waits for what he finds.
    async fn is_well(&self, central: &Central) -> bool {
        let mut found = self.0.lock().await;
        if let Some(found) = found.filter(|found| found.at.elapsed() < FRESH) {
            return found.is_well;
        }
        let checked = central.store().check().await;
        if let Err(error) = &checked {
            tracing::error!("not healthy: {error}");
        }
        let is_well = checked.is_ok();
        *found = Some(Found { at: Instant::now(), is_well });
        is_well
    }
}

/// `GET /healthz`
pub(super) async fn answer(State(app): State<App>) -> Response {
    match app.health.is_well(&app.central).await {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be used\n").into_response(),
    }
}
