//! Applications over the API.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use seatline_protocol::LinkId;
use serde::Deserialize;

use super::ApiError;
use super::input::{Ids, Input, Paging};
use super::links::ShownLink;
use crate::actions::applications::ApplicationChange;
use crate::auth::SignedIn;
use crate::domain::{Application, ApplicationId, ApplicationRow, Licenses, WouldGo};
use crate::server::App;
use crate::store::Page;

/// A new application.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApplication {
    name: String,
    product: String,
    #[serde(default)]
    url: String,
}

/// The link that an application shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChosenLink {
    link: Option<LinkId>,
}

/// `GET /api/v1/applications`
pub(super) async fn list(State(app): State<App>, paging: Paging) -> Result<Json<Page<ApplicationRow>>, ApiError> {
    Ok(Json(app.central.store().applications(paging.after.as_ref(), paging.size).await?))
}

/// `POST /api/v1/applications`
pub(super) async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewApplication>,
) -> Result<Response, ApiError> {
    let application = app.central.add_application(&who.actor(), &new.name, &new.product, &new.url).await?;
    let location = format!("/api/v1/applications/{}", application.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(application)).into_response())
}

/// `GET /api/v1/applications/{application}`
pub(super) async fn show(State(app): State<App>, ids: Ids) -> Result<Json<Application>, ApiError> {
    Ok(Json(app.central.application(&application(&ids)?).await?))
}

/// `PATCH /api/v1/applications/{application}`
pub(super) async fn change(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(change): Input<ApplicationChange>,
) -> Result<Json<Application>, ApiError> {
    Ok(Json(app.central.change_application(&who.actor(), &application(&ids)?, &change).await?))
}

/// `DELETE /api/v1/applications/{application}`: what went with it.
pub(super) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Json<WouldGo>, ApiError> {
    Ok(Json(app.central.remove_application(&who.actor(), &application(&ids)?).await?))
}

/// `GET /api/v1/applications/{application}/licenses`: the Licenses tab (`w5`).
pub(super) async fn licenses(State(app): State<App>, ids: Ids) -> Result<Json<Licenses>, ApiError> {
    Ok(Json(app.central.licenses(&application(&ids)?).await?))
}

/// `GET /api/v1/applications/{application}/links`
pub(super) async fn links(State(app): State<App>, ids: Ids) -> Result<Json<Vec<ShownLink>>, ApiError> {
    let application = app.central.application(&application(&ids)?).await?;
    let links = app.central.store().links_of(&application.id).await?;
    Ok(Json(links.into_iter().map(ShownLink::from).collect()))
}

/// `PUT /api/v1/applications/{application}/link`
pub(super) async fn choose_link(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(chosen): Input<ChosenLink>,
) -> Result<Json<Application>, ApiError> {
    Ok(Json(app.central.choose_link(&who.actor(), &application(&ids)?, chosen.link.as_ref()).await?))
}

fn application(ids: &Ids) -> Result<ApplicationId, ApiError> {
    ids.one("application")
}
