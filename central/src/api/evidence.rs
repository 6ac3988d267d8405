//! Evidence over the API (`b12`): the chain of an application with its proof, and the export.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use seatline_protocol::text;
use serde::Deserialize;

use super::ApiError;
use super::input::{Asked, Ids};
use crate::actions::chain::ChainProof;
use crate::domain::ApplicationId;
use crate::evidence::stream::{NotBegun, response};
use crate::evidence::{Period, Selection};
use crate::server::App;

/// Which reports are exported.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    from: Option<String>,
    to: Option<String>,
    /// The ids of applications, with commas between them.
    applications: Option<String>,
}

/// The most applications that a request names.
const MAX_NAMED: usize = 1000;

/// `GET /api/v1/applications/{application}/chain`
pub(super) async fn chain(State(app): State<App>, ids: Ids) -> Result<Json<ChainProof>, ApiError> {
    let proof = app.central.chain(&ids.one("application")?).await?;
    Ok(Json(proof.ok_or_else(|| ApiError::not_found("link of this application"))?))
}

/// `GET /api/v1/applications/{application}/evidence`
pub(super) async fn of_application(
    State(app): State<App>,
    ids: Ids,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, ApiError> {
    let id: ApplicationId = ids.one("application")?;
    send(app, vec![id], &wanted).await
}

/// `GET /api/v1/evidence`: of the applications that are named, or of all.
pub(super) async fn of_all(State(app): State<App>, Asked(wanted): Asked<Wanted>) -> Result<Response, ApiError> {
    let named = wanted.applications.as_deref().unwrap_or_default().split(',').filter(|id| !id.is_empty());
    let ids: Result<Vec<ApplicationId>, _> = named.take(MAX_NAMED + 1).map(str::parse).collect();
    let ids = ids.map_err(|_| ApiError::not_found("application"))?;
    if ids.len() > MAX_NAMED {
        return Err(ApiError::invalid(format!("at most {MAX_NAMED} applications: leave `applications` out for all")));
    }
    send(app, ids, &wanted).await
}

async fn send(app: App, applications: Vec<ApplicationId>, wanted: &Wanted) -> Result<Response, ApiError> {
    let period = Period::between(wanted.from.as_deref(), wanted.to.as_deref());
    let period = period.map_err(|error| ApiError::invalid(text::line(&error.to_string(), 200)))?;
    let selection = Selection { applications, period };
    response(app.central, selection, "evidence.jsonl").await.map_err(|error| match error {
        NotBegun::Busy => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string()),
        NotBegun::Action(error) => error.into(),
    })
}
