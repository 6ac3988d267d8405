//! How long what was reported is kept, over the API.

use axum::extract::State;
use axum::{Extension, Json};

use super::ApiError;
use super::input::{Asked, Input};
use crate::actions::retention::RetentionChange;
use crate::auth::SignedIn;
use crate::domain::{Retention, WouldForget};
use crate::server::App;

/// `GET /api/v1/retention`
pub(super) async fn show(State(app): State<App>) -> Result<Json<Retention>, ApiError> {
    Ok(Json(app.central.store().retention().await?))
}

/// `PATCH /api/v1/retention`
pub(super) async fn change(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(change): Input<RetentionChange>,
) -> Result<Json<Retention>, ApiError> {
    let retention = change.apply(app.central.store().retention().await?);
    app.central.set_retention(&who.actor(), &retention).await?;
    Ok(Json(retention))
}

/// `GET /api/v1/retention/preview`: what would go. What is absent would be kept for ever.
pub(super) async fn preview(
    State(app): State<App>,
    Asked(retention): Asked<Retention>,
) -> Result<Json<WouldForget>, ApiError> {
    Ok(Json(app.central.would_forget(&retention).await?))
}
