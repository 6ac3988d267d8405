//! License keys: those that were set, what one would change, and setting one (`c1`, `b3`).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::header;
use jiff::Timestamp;
use seatline_host::LicensePreview;
use seatline_host::licenses::InstalledLicense;
use seatline_protocol::{Digest, License, LicenseRequest, ProductId, ServerId, Standing, text};
use seatline_web::{ApiError, Input};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::http::guard::Admin;
use crate::http::{App, errors};
use crate::instance::Instance;

/// The keys that were set.
#[derive(Serialize, ToSchema)]
pub struct Licenses {
    /// The instance that they are for.
    server_id: ServerId,
    /// The oldest first (`c10`).
    keys: Vec<Key>,
}

/// A key that was set.
#[derive(Serialize, ToSchema)]
pub struct Key {
    /// The digest of the key.
    digest: Digest,
    /// When it was set.
    set_at: Timestamp,
    /// The nodes that it was set for; absent where it is for all of them (`c8`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    nodes: BTreeSet<String>,
    /// What it says, where it is trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<License>,
    /// Why it is not trusted any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Why a key is not trusted any more.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// A stable code.
    code: &'static str,
    /// One line for an administrator.
    message: String,
}

impl From<InstalledLicense> for Key {
    fn from(InstalledLicense { digest, set_at, nodes, license }: InstalledLicense) -> Self {
        let (license, problem) = match license {
            Ok(license) => (Some(license), None),
            Err(error) => (None, Some(Problem { code: error.code(), message: error.to_string() })),
        };
        Self { digest, set_at, nodes, license, problem }
    }
}

/// A license key, as it was pasted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PastedKey {
    /// The key. One that wraps over lines, or stands between BEGIN and END lines, is accepted as it is.
    #[schema(value_type = String)]
    key: Zeroizing<String>,
    /// The node that it is for; absent for all of them (`c8`).
    #[serde(default)]
    node: Option<String>,
}

/// What setting a key came to.
#[derive(Serialize, ToSchema)]
pub struct LicenseSet {
    /// What the key says.
    license: License,
    /// Whether it was set already: then nothing has changed.
    was_set: bool,
    /// What the licenses come to with it.
    standing: Standing,
}

/// The keys that were set, the oldest first
#[utoipa::path(
    get,
    path = "/v1/licenses",
    operation_id = "list_licenses",
    responses((status = 200, description = "The keys", body = Licenses)),
)]
pub async fn list(State(app): State<App>) -> Result<Json<Licenses>, ApiError> {
    let read = |instance: &Instance| {
        let keys = instance.host.licenses()?.into_iter().map(Key::from).collect();
        Ok(Licenses { server_id: instance.host.server_id().clone(), keys })
    };
    app.ask(read).await?.map(Json).map_err(errors::store)
}

/// Set a license key
///
/// It takes effect at once, and the keys from before stay as history. One that is refused changes nothing.
#[utoipa::path(
    post,
    path = "/v1/licenses",
    operation_id = "set_license",
    request_body(content((PastedKey = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "It is set, or was set already", body = LicenseSet)),
)]
pub async fn set(_: Admin, State(app): State<App>, Pasted(sent): Pasted) -> Result<Json<LicenseSet>, ApiError> {
    let set = move |instance: &Instance| instance.host.set_license_for(&sent.key, sent.node.as_deref());
    let change = app.ask(set).await?.map_err(errors::license)?;
    let standing = app.live().await?.standing.clone();
    Ok(Json(LicenseSet { license: change.license, was_set: change.was_set, standing }))
}

/// What a license key would change
///
/// Nothing is changed. A key that would be refused says so in `refused`, and shows its effect all the same.
#[utoipa::path(
    post,
    path = "/v1/licenses/preview",
    operation_id = "preview_license",
    request_body(content((PastedKey = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "What it would change", body = LicensePreview)),
)]
pub async fn preview(State(app): State<App>, Pasted(sent): Pasted) -> Result<Json<LicensePreview>, ApiError> {
    let preview = move |instance: &Instance| instance.host.preview_license_for(&sent.key, sent.node.as_deref());
    app.ask(preview).await?.map(Json).map_err(errors::license)
}

/// For what a license is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The add-on; absent for the product itself.
    add_on: Option<ProductId>,
    /// What else the vendor should know, on one line.
    wish: Option<String>,
}

/// A request for a license, to send to the vendor (`s10`)
///
/// It is the file that `seatline license request` writes, and `seatline license issue --request` takes.
#[utoipa::path(
    get,
    path = "/v1/licenses/request",
    operation_id = "license_request",
    params(Wanted),
    responses((status = 200, description = "The request", body = LicenseRequest)),
)]
pub async fn request(
    State(app): State<App>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<LicenseRequest>, ApiError> {
    let Query(Wanted { add_on, wish }) =
        wanted.map_err(|error| ApiError::invalid(text::line(&error.body_text(), 400)))?;
    let request = app.ask(move |instance| instance.host.license_request(add_on, wish.as_deref())).await?;
    request.map(Json).map_err(errors::host)
}

/// A pasted key: `{"key": "…"}`, or the key alone as `text/plain`, which is for all nodes.
pub struct Pasted(PastedKey);

impl<S: Send + Sync> FromRequest<S> for Pasted {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
        if !content_type.is_some_and(|content_type| content_type.starts_with(b"text/plain")) {
            return Input::from_request(request, state).await.map(|Input(sent)| Self(sent));
        }
        let text = String::from_request(request, state).await;
        let text = text.map_err(|rejection| ApiError::of_status(rejection.status()))?;
        Ok(Self(PastedKey { key: Zeroizing::new(text), node: None }))
    }
}
