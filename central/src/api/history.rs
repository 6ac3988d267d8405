//! The history of use over the API (`g8`, `b7`).

use axum::Json;
use axum::extract::State;
use seatline_protocol::Sequence;
use serde::Deserialize;

use super::ApiError;
use super::input::{Asked, Ids};
use crate::domain::history::{Difference, History, Range};
use crate::server::App;

/// How far back is looked.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    range: Range,
}

/// `GET /api/v1/applications/{application}/history`
pub(super) async fn show(
    State(app): State<App>,
    ids: Ids,
    Asked(Wanted { range }): Asked<Wanted>,
) -> Result<Json<History>, ApiError> {
    Ok(Json(app.central.history(&ids.one("application")?, range).await?))
}

/// Which reports are held against each other.
#[derive(Deserialize)]
pub(super) struct Sides {
    from: Sequence,
    to: Sequence,
}

/// `GET /api/v1/links/{link}/difference`
pub(super) async fn difference(
    State(app): State<App>,
    ids: Ids,
    Asked(Sides { from, to }): Asked<Sides>,
) -> Result<Json<Difference>, ApiError> {
    let link = app.central.link(&ids.one("link")?).await?;
    Ok(Json(app.central.difference(&link.id, from, to).await?))
}
