//! Reports over the API: the list, and the exact sealed bytes as evidence.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use seatline_protocol::{Digest, LinkId, Sequence};

use super::ApiError;
use super::input::{Ids, Paging};
use crate::domain::{RefusedReport, ReportRow};
use crate::server::App;
use crate::store::Page;

/// `GET /api/v1/links/{link}/reports`
pub(super) async fn list(State(app): State<App>, ids: Ids, paging: Paging) -> Result<Json<Page<ReportRow>>, ApiError> {
    let link = app.central.link(&ids.one("link")?).await?;
    Ok(Json(app.central.store().reports(&link.id, paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/links/{link}/reports/{sequence}`: the exact bytes that arrived.
pub(super) async fn sealed(State(app): State<App>, ids: Ids) -> Result<Response, ApiError> {
    let (link, number): (LinkId, u64) = ids.two("link", "report")?;
    let sequence = Sequence::try_from(number).map_err(|_| ApiError::not_found("report"))?;
    evidence(app.central.store().sealed_report(&link, sequence).await?)
}

/// `GET /api/v1/links/{link}/refused-reports`
pub(super) async fn refused(State(app): State<App>, ids: Ids) -> Result<Json<Vec<RefusedReport>>, ApiError> {
    let link = app.central.link(&ids.one("link")?).await?;
    Ok(Json(app.central.store().refused_reports(&link.id).await?))
}

/// `GET /api/v1/links/{link}/refused-reports/{digest}`: the exact bytes that arrived.
pub(super) async fn sealed_refused(State(app): State<App>, ids: Ids) -> Result<Response, ApiError> {
    let (link, digest): (LinkId, Digest) = ids.two("link", "report")?;
    evidence(app.central.store().sealed_refused_report(&link, &digest).await?)
}

fn evidence(sealed: Option<String>) -> Result<Response, ApiError> {
    let sealed = sealed.ok_or_else(|| ApiError::not_found("report"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], sealed).into_response())
}
