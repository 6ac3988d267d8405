//! One's own account over the API: for people with a session, as the pages are.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use seatline_web::Peer;
use seatline_web::gate::GateError;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ApiError;
use super::input::{Ids, Input, Paging};
use crate::actions::accounts::NewToken;
use crate::auth::{self, SignInError, SignedIn};
use crate::domain::{Account, ApiToken, Scopes, Session, SessionId, TokenId};
use crate::server::App;
use crate::store::Page;

/// A password that is confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: Zeroizing<String>,
}

/// Until when it needs not be confirmed again.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Confirmed {
    until: Timestamp,
}

/// Another password, by the present one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    old: Zeroizing<String>,
    new: Zeroizing<String>,
}

/// A token that is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedToken {
    /// What it is for.
    label: String,
    /// What it is narrowed to.
    scopes: Scopes,
    /// After how many days it ends; absent where it does not.
    #[serde(default)]
    days: Option<u32>,
}

/// A token that was made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeToken {
    /// The token itself, this once.
    token: String,
    #[serde(flatten)]
    kept: ApiToken,
}

/// `GET /api/v1/account`
pub(super) async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.central.account(&who.name).await?))
}

/// `POST /api/v1/account/confirm`
pub(super) async fn confirm(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Input(sent): Input<Password>,
) -> Result<Json<Confirmed>, ApiError> {
    let confirmed = auth::confirm(&app.gate, &app.central, peer, &headers, &who, &sent.password).await;
    Ok(Json(Confirmed { until: confirmed.map_err(refused)?.until }))
}

/// `PUT /api/v1/account/password`
pub(super) async fn password(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Input(sent): Input<Passwords>,
) -> Result<StatusCode, ApiError> {
    let changed = auth::change_password(&app.gate, &app.central, peer, &headers, &who, (&sent.old, &sent.new)).await;
    changed.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/account/sessions`
pub(super) async fn sessions(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
) -> Result<Json<Vec<Session>>, ApiError> {
    Ok(Json(app.central.store().sessions_of(&who.name, who.asked_at, app.used_since()).await?))
}

/// `DELETE /api/v1/account/sessions/{session}`
pub(super) async fn end_session(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    let id: SessionId = ids.one("session")?;
    app.central.end_session(&who.actor(), &who.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/account/sessions`: all but the present one.
pub(super) async fn end_others(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
) -> Result<StatusCode, ApiError> {
    let present = who.session().map(|session| &session.id);
    app.central.end_sessions(&who.actor(), &who.name, present).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/account/tokens`
pub(super) async fn tokens(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    paging: Paging,
) -> Result<Json<Page<ApiToken>>, ApiError> {
    Ok(Json(app.central.store().api_tokens(Some(&who.name), paging.after.as_ref(), paging.size).await?))
}

/// `POST /api/v1/account/tokens`
pub(super) async fn create_token(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(wanted): Input<WantedToken>,
) -> Result<Response, ApiError> {
    let new = NewToken { label: &wanted.label, scopes: wanted.scopes, days: wanted.days };
    let (token, kept) = app.central.create_token(&who.actor(), &who.name, new).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token: token.to_string(), kept })).into_response())
}

/// `DELETE /api/v1/account/tokens/{token}`
pub(super) async fn revoke_token(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    let id: TokenId = ids.one("API token")?;
    app.central.revoke_token(&who.actor(), &id, Some(&who.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why a password was not taken.
fn refused(error: SignInError) -> ApiError {
    let message = error.to_string();
    match error {
        SignInError::Account(error) => error.into(),
        SignInError::Sso(error) => ApiError::new(StatusCode::BAD_REQUEST, error.code(), message),
        SignInError::Gate(GateError::Store(error)) => error.into(),
        SignInError::Gate(GateError::Wrong) => {
            ApiError::new(StatusCode::FORBIDDEN, "wrong-password", "the password is wrong")
        }
        SignInError::Gate(GateError::Throttled { seconds }) => {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", message).retry_after(seconds)
        }
        SignInError::Gate(GateError::Busy) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message),
    }
}
