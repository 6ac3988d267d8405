//! Links and invites over the API.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use seatline_protocol::LinkId;
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::input::{Asked, Ids, Input, Paging};
use crate::actions::questions::Said;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::link_list::LinksSent;
use crate::domain::{Answer, ApplicationId, FormerKey, Link, LinkRow, OpenInvite, RemovedRow, SettingsChange};
use crate::server::App;
use crate::store::Page;

/// A link, and the fingerprint of its key for two people to compare.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShownLink {
    #[serde(flatten)]
    link: Link,
    fingerprint: String,
}

impl From<Link> for ShownLink {
    fn from(link: Link) -> Self {
        Self { fingerprint: link.key.fingerprint(), link }
    }
}

/// For which application an invite is made, if for any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvite {
    #[serde(default)]
    application: Option<ApplicationId>,
}

/// For which application a link is approved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    application: ApplicationId,
}

/// `POST /api/v1/invites`
pub(super) async fn invite(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewInvite>,
) -> Result<Response, ApiError> {
    let made = app.central.make_invite(&who.actor(), new.application.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// `GET /api/v1/invites`: those that can be used now.
pub(super) async fn invites(State(app): State<App>, paging: Paging) -> Result<Json<Page<OpenInvite>>, ApiError> {
    let now = app.central.now();
    Ok(Json(app.central.store().open_invites(now, paging.after.as_ref(), paging.size).await?))
}

/// `DELETE /api/v1/invites/{invite}`
pub(super) async fn withdraw(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    app.central.withdraw_invite(&who.actor(), &ids.one("invite")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link of the list, with its fingerprint.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ListedLink {
    #[serde(flatten)]
    row: LinkRow,
    fingerprint: String,
}

impl From<LinkRow> for ListedLink {
    fn from(row: LinkRow) -> Self {
        Self { fingerprint: row.link.key.fingerprint(), row }
    }
}

/// `GET /api/v1/links`
pub(super) async fn list(
    State(app): State<App>,
    paging: Paging,
    Asked(sent): Asked<LinksSent>,
) -> Result<Json<Page<ListedLink>>, ApiError> {
    let filter = sent.filter().map_err(ActionError::from)?;
    let page = app.central.store().links(&filter, paging.after.as_ref(), paging.size).await?;
    Ok(Json(Page { items: page.items.into_iter().map(ListedLink::from).collect(), next: page.next }))
}

/// `GET /api/v1/removed-links`
pub(super) async fn removed(State(app): State<App>, paging: Paging) -> Result<Json<Page<RemovedRow>>, ApiError> {
    Ok(Json(app.central.store().removed_links(paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/links/{link}`
pub(super) async fn show(State(app): State<App>, ids: Ids) -> Result<Json<ShownLink>, ApiError> {
    Ok(Json(app.central.link(&link(&ids)?).await?.into()))
}

/// `POST /api/v1/links/{link}/approve`
pub(super) async fn approve(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(approval): Input<Approval>,
) -> Result<Json<ShownLink>, ApiError> {
    Ok(Json(app.central.approve_link(&who.actor(), &link(&ids)?, &approval.application).await?.into()))
}

/// `POST /api/v1/links/{link}/refuse`: a link that waits for approval goes.
pub(super) async fn refuse(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    app.central.refuse_link(&who.actor(), &link(&ids)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/links/{link}/suspend`
pub(super) async fn suspend(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Json<ShownLink>, ApiError> {
    Ok(Json(app.central.suspend_link(&who.actor(), &link(&ids)?).await?.into()))
}

/// `POST /api/v1/links/{link}/sync`: the product is to count and report now.
pub(super) async fn sync(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Response, ApiError> {
    let link: ShownLink = app.central.demand_sync(&who.actor(), &link(&ids)?).await?.into();
    Ok((StatusCode::ACCEPTED, Json(link)).into_response())
}

/// `POST /api/v1/links/{link}/rotate`: the product is to replace its key.
pub(super) async fn rotate(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Response, ApiError> {
    let link: ShownLink = app.central.ask_for_new_key(&who.actor(), &link(&ids)?).await?.into();
    Ok((StatusCode::ACCEPTED, Json(link)).into_response())
}

/// `DELETE /api/v1/links/{link}`
pub(super) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    app.central.remove_link(&who.actor(), &link(&ids)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/links/{link}/keys`: the keys before the present one.
pub(super) async fn keys(State(app): State<App>, ids: Ids) -> Result<Json<Vec<FormerKey>>, ApiError> {
    let link = app.central.link(&link(&ids)?).await?;
    Ok(Json(app.central.store().former_keys(&link.id).await?))
}

/// `GET /api/v1/links/{link}/answers`
pub(super) async fn answers(State(app): State<App>, ids: Ids) -> Result<Json<Vec<Answer>>, ApiError> {
    let link = app.central.link(&link(&ids)?).await?;
    Ok(Json(app.central.store().answers(&link.id).await?))
}

/// `POST /api/v1/links/{link}/answers`
pub(super) async fn answer(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(said): Input<Said>,
) -> Result<Response, ApiError> {
    let answer = app.central.answer_question(&who.actor(), &link(&ids)?, &said).await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `PATCH /api/v1/links/{link}/settings`
pub(super) async fn change_settings(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(change): Input<SettingsChange>,
) -> Result<Json<ShownLink>, ApiError> {
    Ok(Json(app.central.change_settings(&who.actor(), &link(&ids)?, &change).await?.into()))
}

fn link(ids: &Ids) -> Result<LinkId, ApiError> {
    ids.one("link")
}
