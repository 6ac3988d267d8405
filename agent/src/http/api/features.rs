//! Features (`s8`), from memory.

use axum::Json;
use axum::extract::{Path, State};
use seatline_protocol::license::MAX_FEATURE;
use seatline_protocol::standing::Verdict;
use seatline_protocol::text;
use seatline_web::ApiError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;

/// The features that are enabled now.
#[derive(Serialize, ToSchema)]
pub struct Features {
    /// The whole in one word.
    verdict: Verdict,
    /// Their names, in order; none while `restricted` or `unlicensed`.
    features: Vec<String>,
}

/// Whether a feature is enabled now.
#[derive(Serialize, ToSchema)]
pub struct Feature {
    /// Its name.
    feature: String,
    /// Whether the product may offer it.
    enabled: bool,
    /// The whole in one word.
    verdict: Verdict,
}

/// The features that the licenses enable now
#[utoipa::path(
    get,
    path = "/v1/features",
    operation_id = "list_features",
    responses((status = 200, description = "The features that are enabled now", body = Features)),
)]
pub async fn list(State(app): State<App>) -> Result<Json<Features>, ApiError> {
    let live = app.live().await?;
    let features = live.standing.features.iter().cloned().collect();
    Ok(Json(Features { verdict: live.standing.verdict, features }))
}

/// Whether a feature is enabled now
///
/// A name that no license has is that of a feature that is not enabled.
#[utoipa::path(
    get,
    path = "/v1/features/{feature}",
    operation_id = "show_feature",
    params(("feature" = String, Path, max_length = 64, example = "sso")),
    responses((status = 200, description = "Whether it is enabled", body = Feature)),
)]
pub async fn show(State(app): State<App>, Path(feature): Path<String>) -> Result<Json<Feature>, ApiError> {
    if feature.is_empty() || !feature.is_ascii() || !text::is_line(&feature, MAX_FEATURE) {
        return Err(ApiError::invalid(format!("a feature's name has 1 to {MAX_FEATURE} ASCII characters")));
    }
    let live = app.live().await?;
    Ok(Json(Feature { enabled: live.has_feature(&feature), verdict: live.standing.verdict, feature }))
}
