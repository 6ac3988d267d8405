//! The metrics of the central server (`g6`), for Prometheus: what this process has done since its start, and how the
//! fleet stands.
//!
//! What stands of the fleet comes from the totals that the review keeps, and from the few applications that are the
//! closest to their limits: a scrape costs the same whatever the size of the fleet, and all replicas tell the same. The
//! counters are of one replica each.

mod counters;
mod facts;
mod families;

use std::sync::Arc;

use axum::extract::State;
use seatline_web::ApiError;
use seatline_web::exposition::Exposition;

use crate::server::App;
pub use counters::{Counters, Timed};

/// How many applications have samples of their own, where nothing else is set: those that are the closest to their
/// limits.
pub const DEFAULT_APPLICATIONS: u16 = 20;
/// The most that can be set.
pub const MAX_APPLICATIONS: u16 = 200;

/// What the metrics are made of and for whom they are.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// What this process has done.
    pub counters: Arc<Counters>,
    /// How many applications have samples of their own.
    pub applications: u16,
    /// Whether everybody reads them who can connect; else who carries a token.
    pub is_open: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { counters: Arc::default(), applications: DEFAULT_APPLICATIONS, is_open: false }
    }
}

/// `GET /metrics`
pub async fn show(State(app): State<App>) -> Result<Exposition, ApiError> {
    let fleet = facts::Fleet::read(&app.central, app.metrics.applications).await;
    if let Err(error) = &fleet {
        tracing::warn!(code = error.code(), "the metrics go without the fleet: {error}");
    }
    Ok(families::page(&app.metrics.counters, app.central.store().load(), fleet.ok().as_ref(), app.central.now()))
}
