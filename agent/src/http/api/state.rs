//! The instance: its standing, its product, its status, and synchronising.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use seatline_host::live::Problem;
use seatline_host::status::Status;
use seatline_protocol::Standing;
use seatline_protocol::report::ProductFacts;
use seatline_web::ApiError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::guard::Admin;
use crate::http::synchronising::SyncState;
use crate::http::{App, errors};

/// What the licenses come to.
#[derive(Serialize, ToSchema)]
pub struct Stood {
    /// The standing.
    standing: Standing,
    /// By when it was made.
    at: Timestamp,
    /// When accounts were last counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_at: Option<Timestamp>,
    /// Why it is that of an earlier state, where the state cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// What the licenses come to now, with the latest counts
#[utoipa::path(
    get,
    path = "/v1/standing",
    operation_id = "standing",
    responses((status = 200, description = "The standing", body = Stood)),
)]
pub async fn standing(State(app): State<App>) -> Result<Json<Stood>, ApiError> {
    let live = app.live().await?;
    let (standing, problem) = (live.standing.clone(), live.problem.clone());
    Ok(Json(Stood { standing, at: live.at, counted_at: live.counted_at, problem }))
}

/// What the product is, as it would be reported
#[utoipa::path(
    get,
    path = "/v1/product",
    operation_id = "product",
    responses((status = 200, description = "The product", body = ProductFacts)),
)]
pub async fn product(State(app): State<App>) -> Result<Json<ProductFacts>, ApiError> {
    app.ask(|instance| instance.host.product()).await?.map(Json).map_err(errors::host)
}

/// Everything at a glance: licenses, counts, plugin, link, outbox
#[utoipa::path(
    get,
    path = "/v1/status",
    operation_id = "status",
    responses((status = 200, description = "The status", body = Status)),
)]
pub async fn status(State(app): State<App>) -> Result<Json<Status>, ApiError> {
    app.ask(|instance| instance.host.status()).await?.map(Json).map_err(errors::host)
}

/// How the synchronisation goes that was asked for
#[utoipa::path(
    get,
    path = "/v1/sync",
    operation_id = "sync_state",
    responses((status = 200, description = "How it goes", body = SyncState)),
)]
pub async fn sync_state(State(app): State<App>) -> Json<SyncState> {
    Json(app.synchronising.state())
}

/// Count now, and send the report
///
/// It goes on after the answer: `GET /v1/sync` says when it has ended. While one is under way, no second begins.
#[utoipa::path(
    post,
    path = "/v1/sync",
    operation_id = "synchronise",
    responses((status = 202, description = "It has begun, or was under way", body = SyncState)),
)]
pub async fn sync(_: Admin, State(app): State<App>) -> Result<(StatusCode, Json<SyncState>), ApiError> {
    app.synchronise()?;
    Ok((StatusCode::ACCEPTED, Json(app.synchronising.state())))
}
