//! The key that pseudonyms are made with, over the API (`b9`).

use axum::extract::State;
use axum::{Extension, Json};
use seatline_protocol::PseudonymKeyId;
use serde::Deserialize;

use super::ApiError;
use super::input::Input;
use crate::auth::SignedIn;
use crate::domain::pseudonyms::KeyUses;
use crate::server::App;

/// Which key is to be replaced: the one in force, so that two people do not make two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacing {
    replaces: PseudonymKeyId,
}

/// `GET /api/v1/pseudonym-keys`
pub(super) async fn show(State(app): State<App>) -> Result<Json<KeyUses>, ApiError> {
    Ok(Json(app.central.pseudonym_keys().await?))
}

/// `POST /api/v1/pseudonym-keys`
pub(super) async fn replace(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(asked): Input<Replacing>,
) -> Result<Json<KeyUses>, ApiError> {
    Ok(Json(app.central.replace_pseudonym_key(&who.actor(), &asked.replaces).await?))
}
