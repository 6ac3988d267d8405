//! Channels, what was sent to them, and what holds for all alerts, over the API. No answer holds a secret but the one
//! that makes it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ApiError;
use super::input::{Asked, Ids, Input, Paging};
use crate::actions::alerts::ShownSettings;
use crate::auth::SignedIn;
use crate::domain::alerts::channel::{Channel, ChannelConfig, ChannelName, DEFAULT_PER_HOUR, Scope, Target};
use crate::domain::alerts::quiet::QuietHours;
use crate::domain::alerts::settings::{AlertSettings, MailServerSettings};
use crate::domain::alerts::telling::Pace;
use crate::domain::ids::ChannelId;
use crate::postman::Tested;
use crate::server::App;
use crate::store::Page;
use crate::store::alerts::{KeptChannel, Message};

/// A channel that is made, or what is put in the place of one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    name: ChannelName,
    to: Target,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    quiet: Option<QuietHours>,
    #[serde(default)]
    per_hour: Option<u16>,
    #[serde(default)]
    enabled: Option<bool>,
    /// The secret of a new webhook; absent for a new one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    secret: Option<Zeroizing<String>>,
}

impl NewChannel {
    fn config(self) -> (ChannelConfig, Option<Zeroizing<String>>) {
        let Self { name, to, scope, quiet, per_hour, enabled, secret } = self;
        let per_hour = per_hour.unwrap_or(DEFAULT_PER_HOUR);
        (ChannelConfig { name, to, scope, quiet, per_hour, enabled: enabled.unwrap_or(true) }, secret)
    }
}

/// A channel, and when it was last told something.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShownChannel {
    #[serde(flatten)]
    channel: Channel,
    spoke_at: Option<jiff::Timestamp>,
}

impl From<KeptChannel> for ShownChannel {
    fn from(kept: KeptChannel) -> Self {
        Self { channel: kept.channel, spoke_at: kept.spoke_at }
    }
}

/// A list that is short enough to come as a whole.
#[derive(Serialize)]
pub(super) struct Items<T> {
    items: Vec<T>,
}

/// A new secret: it is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewSecret {
    #[schema(value_type = String)]
    secret: Zeroizing<String>,
}

/// Whose messages are wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    channel: Option<ChannelId>,
}

/// What is set; the password is that of the mail server's user.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSettings {
    #[serde(default)]
    reminders: seatline_protocol::notices::Reminders,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    mail: Option<MailServerSettings>,
    #[serde(default)]
    local_webhooks: bool,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Option<Zeroizing<String>>,
}

fn channel(ids: &Ids) -> Result<ChannelId, ApiError> {
    ids.one("channel")
}

/// `GET /api/v1/channels`
pub(super) async fn list(State(app): State<App>) -> Result<Json<Items<ShownChannel>>, ApiError> {
    let channels = app.central.store().channels().await?;
    Ok(Json(Items { items: channels.into_iter().map(ShownChannel::from).collect() }))
}

/// `POST /api/v1/channels`
pub(super) async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewChannel>,
) -> Result<Response, ApiError> {
    let (config, secret) = new.config();
    let secret = secret.as_ref().map(|secret| secret.as_str());
    let made = app.central.add_channel(&who.actor(), config, secret).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// `GET /api/v1/channels/{channel}`
pub(super) async fn show(State(app): State<App>, ids: Ids) -> Result<Json<ShownChannel>, ApiError> {
    Ok(Json(app.central.channel(&channel(&ids)?).await?.into()))
}

/// `PUT /api/v1/channels/{channel}`
pub(super) async fn change(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(new): Input<NewChannel>,
) -> Result<Json<Channel>, ApiError> {
    let (config, secret) = new.config();
    if secret.is_some() {
        return Err(ApiError::invalid("secret: it stays; another one is made by POST …/secret"));
    }
    let kept = app.central.channel(&channel(&ids)?).await?;
    Ok(Json(app.central.change_channel(&who.actor(), &kept, config).await?))
}

/// `DELETE /api/v1/channels/{channel}`
pub(super) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<StatusCode, ApiError> {
    app.central.remove_channel(&who.actor(), &channel(&ids)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/channels/{channel}/test`
pub(super) async fn test(State(app): State<App>, ids: Ids) -> Result<Json<Items<Tested>>, ApiError> {
    Ok(Json(Items { items: app.central.test_channel(&channel(&ids)?).await? }))
}

/// `POST /api/v1/channels/{channel}/secret`
pub(super) async fn rotate(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
) -> Result<Json<NewSecret>, ApiError> {
    Ok(Json(NewSecret { secret: app.central.rotate_channel(&who.actor(), &channel(&ids)?).await? }))
}

/// `GET /api/v1/messages`
pub(super) async fn messages(
    State(app): State<App>,
    paging: Paging,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<Message>>, ApiError> {
    let store = app.central.store();
    Ok(Json(store.messages(wanted.channel.as_ref(), paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/alert-settings`
pub(super) async fn settings(State(app): State<App>) -> Result<Json<ShownSettings>, ApiError> {
    Ok(Json(app.central.alert_settings().await?))
}

/// `PUT /api/v1/alert-settings`
pub(super) async fn set_settings(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewSettings>,
) -> Result<Json<ShownSettings>, ApiError> {
    let NewSettings { reminders, pace, mail, local_webhooks, password } = new;
    let settings = AlertSettings { reminders, pace, mail, local_webhooks };
    let password = password.as_ref().map(|password| password.as_str());
    Ok(Json(app.central.set_alert_settings(&who.actor(), &settings, password).await?))
}
