//! Users and their tokens over the API: for administrators (`g11`).

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ApiError;
use super::input::{Ids, Input, Paging};
use crate::auth::SignedIn;
use crate::domain::{Account, AccountName, ApiToken, Role, Session, TokenId};
use crate::server::App;
use crate::store::Page;

/// A new user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    name: String,
    role: Role,
    password: Zeroizing<String>,
}

/// Another role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

/// Another password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    password: Zeroizing<String>,
}

/// `GET /api/v1/users`
pub(super) async fn list(State(app): State<App>, paging: Paging) -> Result<Json<Page<Account>>, ApiError> {
    Ok(Json(app.central.store().accounts(paging.after.as_ref(), paging.size).await?))
}

/// `POST /api/v1/users`
pub(super) async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewUser>,
) -> Result<Response, ApiError> {
    let account = app.central.add_account(&who.actor(), &new.name, new.role, &new.password).await?;
    let location = format!("/api/v1/users/{}", account.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(account)).into_response())
}

/// `GET /api/v1/users/{name}`
pub(super) async fn show(State(app): State<App>, ids: Ids) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.central.account(&name(&ids)?).await?))
}

/// `PATCH /api/v1/users/{name}`
pub(super) async fn change_role(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(new): Input<NewRole>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.central.change_role(&who.actor(), &name(&ids)?, new.role).await?))
}

/// `DELETE /api/v1/users/{name}`
pub(super) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    app.central.remove_account(&who.actor(), &name(&ids)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/users/{name}/password`
pub(super) async fn set_password(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(new): Input<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let name = name(&ids)?;
    let keep = who.session().filter(|_| who.name == name).map(|session| &session.id);
    app.central.set_password(&who.actor(), &name, &new.password, keep).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/users/{name}/sessions`
pub(super) async fn sessions(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Json<Vec<Session>>, ApiError> {
    let account = app.central.account(&name(&ids)?).await?;
    Ok(Json(app.central.store().sessions_of(&account.name, who.asked_at, app.used_since()).await?))
}

/// `DELETE /api/v1/users/{name}/sessions`
pub(super) async fn end_sessions(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    let account = app.central.account(&name(&ids)?).await?;
    app.central.end_sessions(&who.actor(), &account.name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/tokens`
pub(super) async fn tokens(State(app): State<App>, paging: Paging) -> Result<Json<Page<ApiToken>>, ApiError> {
    Ok(Json(app.central.store().api_tokens(None, paging.after.as_ref(), paging.size).await?))
}

/// `DELETE /api/v1/tokens/{token}`
pub(super) async fn revoke_token(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    let id: TokenId = ids.one("API token")?;
    app.central.revoke_token(&who.actor(), &id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn name(ids: &Ids) -> Result<AccountName, ApiError> {
    ids.one("user")
}
