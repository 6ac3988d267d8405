//! The server ID: what it is made of, how it has changed, and a person's word on a change (`b4`).

use axum::Json;
use axum::extract::State;
use seatline_host::host::Confirmed;
use seatline_host::identity::IdentityFacts;
use seatline_protocol::ContinuityAnswer;
use seatline_web::{ApiError, Input};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::guard::Admin;
use crate::http::{App, errors};

/// The server ID, what it is made of, and how it has changed
///
/// Nothing is asked of the product: it is what the last look has seen. `unconfirmed` is there while the link waits for
/// a person's word.
#[utoipa::path(
    get,
    path = "/v1/server-id",
    operation_id = "server_id",
    responses((status = 200, description = "What is known of it", body = IdentityFacts)),
)]
pub async fn show(State(app): State<App>) -> Result<Json<IdentityFacts>, ApiError> {
    app.ask(|instance| instance.host.identity()).await?.map(Json).map_err(errors::store)
}

/// A person's word.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// What the change was.
    answer: ContinuityAnswer,
}

/// Say what a change of the server ID was
///
/// Until then nothing is sent over the link. After `copy` the link is removed here: it belongs to the original.
#[utoipa::path(
    post,
    path = "/v1/server-id/confirm",
    operation_id = "confirm_server_id",
    request_body = Word,
    responses((status = 200, description = "It is noted", body = Confirmed)),
)]
pub async fn confirm(_: Admin, State(app): State<App>, Input(word): Input<Word>) -> Result<Json<Confirmed>, ApiError> {
    let confirmed = app.ask(move |instance| instance.host.confirm_identity(word.answer)).await?;
    confirmed.map(Json).map_err(errors::confirm)
}
