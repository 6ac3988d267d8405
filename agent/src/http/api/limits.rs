//! Limits (`a3`, `a6`), from memory.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use seatline_protocol::standing::{LimitAnswer, LimitCheck, LimitStanding, Verdict};
use seatline_protocol::{Dimension, ProductId};
use seatline_web::{ApiError, Input};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::App;

/// The limits against the latest counts.
#[derive(Serialize, ToSchema)]
pub struct Limits {
    /// The whole in one word.
    verdict: Verdict,
    /// The limits of the governing license.
    limits: Vec<LimitStanding>,
    /// Those of the add-ons' licenses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    add_ons: Vec<AddOnLimits>,
    /// When accounts were last counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_at: Option<Timestamp>,
}

/// The limits of an add-on.
#[derive(Serialize, ToSchema)]
pub struct AddOnLimits {
    /// The add-on.
    product: ProductId,
    /// The limits of its license.
    limits: Vec<LimitStanding>,
}

/// What a product asks before it makes more of something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// How many more it wants to make; 0 asks about those that there are.
    #[serde(default)]
    additional: u64,
    /// How many there are, where the product knows it better than the latest count.
    #[serde(default)]
    used: Option<u64>,
    /// The add-on whose limit is meant; absent for the product's own.
    #[serde(default)]
    add_on: Option<ProductId>,
}

/// The limits of the product and its add-ons, against the latest counts
#[utoipa::path(
    get,
    path = "/v1/limits",
    operation_id = "list_limits",
    responses((status = 200, description = "The limits", body = Limits)),
)]
pub async fn list(State(app): State<App>) -> Result<Json<Limits>, ApiError> {
    let live = app.live().await?;
    let standing = &live.standing;
    let add_ons = standing.add_ons.iter().filter(|add_on| !add_on.limits.is_empty());
    let add_ons = add_ons.map(|add_on| AddOnLimits { product: add_on.product.clone(), limits: add_on.limits.clone() });
    Ok(Json(Limits {
        verdict: standing.verdict,
        limits: standing.limits.clone(),
        add_ons: add_ons.collect(),
        counted_at: live.counted_at,
    }))
}

/// Whether there may be more of something
///
/// It changes nothing: what the product then makes is counted with the next run.
#[utoipa::path(
    post,
    path = "/v1/limits/{dimension}/check",
    operation_id = "check_limit",
    params(("dimension" = String, Path, example = "users")),
    request_body = Check,
    responses((status = 200, description = "Whether there may be more", body = LimitAnswer)),
)]
pub async fn check(
    State(app): State<App>,
    Path(dimension): Path<String>,
    Input(check): Input<Check>,
) -> Result<Json<LimitAnswer>, ApiError> {
    let dimension: Dimension =
        dimension.parse().map_err(|error| ApiError::invalid(format!("the dimension: {error}")))?;
    let Check { additional, used, add_on } = check;
    let live = app.live().await?;
    Ok(Json(live.check_limit(&LimitCheck { dimension, add_on, used, additional })))
}
