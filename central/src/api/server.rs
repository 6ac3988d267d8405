//! The central server itself, over the API.

use axum::extract::State;
use axum::{Extension, Json};
use seatline_protocol::PublicKey;
use serde::Serialize;

use crate::auth::SignedIn;
use crate::domain::{AccountName, Role};
use crate::server::App;

/// What the server is, and who asks.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Server {
    name: String,
    version: &'static str,
    public_url: String,
    /// The key that seals invites, receipts and settings: what products pin.
    public_key: PublicKey,
    fingerprint: String,
    #[schema(value_type = String)]
    signed_in: AccountName,
    /// What who asks may do.
    role: Role,
}

/// `GET /api/v1/server`
pub(super) async fn show(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Json<Server> {
    let public_key = app.central.public_key();
    Json(Server {
        name: app.central.name().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        public_url: app.central.public_url().to_owned(),
        fingerprint: public_key.fingerprint(),
        public_key,
        signed_in: who.name,
        role: who.role,
    })
}
