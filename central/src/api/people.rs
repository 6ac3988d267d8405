//! People counted once over applications, over the API (`b9`).

use axum::Json;
use axum::extract::{RawQuery, State};

use super::ApiError;
use crate::domain::ApplicationId;
use crate::domain::people::People;
use crate::server::App;

/// `GET /api/v1/people?application=ID&application=ID`
pub(super) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<People>, ApiError> {
    let asked: Vec<(String, String)> = serde_urlencoded::from_str(&query.unwrap_or_default())
        .map_err(|_| ApiError::invalid("the address asks for something that is no application"))?;
    let mut ids: Vec<ApplicationId> = Vec::new();
    for (name, value) in asked {
        if name != "application" {
            return Err(ApiError::invalid("ask by `application=ID`, as often as there are applications"));
        }
        ids.push(value.parse().map_err(|_| ApiError::not_found("application"))?);
    }
    Ok(Json(app.central.people(&ids).await?))
}
