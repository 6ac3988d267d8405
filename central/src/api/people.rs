//! People counted once over applications, over the API (`b9`).

use axum::Json;
use axum::extract::{RawQuery, State};

use super::ApiError;
use crate::domain::ApplicationId;
use crate::domain::fleet::FleetSent;
use crate::domain::people::{People, Scope};
use crate::server::App;

/// `GET /api/v1/people?application=ID&application=ID`, or of a `product`, a `group`, a `tag` and a `use`
pub(super) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<People>, ApiError> {
    let asked: Vec<(String, String)> = serde_urlencoded::from_str(&query.unwrap_or_default())
        .map_err(|_| ApiError::invalid("the address asks for something that is no application"))?;
    let (mut ids, mut sent): (Vec<ApplicationId>, FleetSent) = Default::default();
    for (name, value) in asked {
        match name.as_str() {
            "application" => ids.push(value.parse().map_err(|_| ApiError::not_found("application"))?),
            "product" => sent.product = value,
            "group" => sent.group = value,
            "tag" => sent.tag = value,
            "use" => sent.used_for = value,
            _ => {
                return Err(ApiError::invalid(
                    "ask by `application`, as often as there are some, or by `product`, `group`, `tag`, `use`",
                ));
            }
        }
    }
    if sent != FleetSent::default() {
        if !ids.is_empty() {
            return Err(ApiError::invalid("ask by applications, or by what they have in common, and not by both"));
        }
        return Ok(Json(app.central.people_of(&Scope::sent(&sent).map_err(ApiError::invalid)?).await?));
    }
    Ok(Json(app.central.people(&ids).await?))
}
