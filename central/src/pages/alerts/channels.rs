//! Channels: who is told, of what, and whether that works.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Badge, Banner, Copyable, Icon, Prose, Tabs, Tone, When, format};
use serde::Deserialize;

use super::form::{ChannelForm, Pairs, at_least, config_of, pairs_of, usual};
use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::Role;
use crate::domain::alerts::channel::{ChannelConfig, Target};
use crate::domain::ids::ChannelId;
use crate::pages::failure::{PageError, broken};
use crate::pages::frame::{Section, page_of, page_of_with};
use crate::pages::parsed;
use crate::postman::{LostSecret, Tested};
use crate::server::App;
use crate::store::alerts::KeptChannel;

/// The list.
#[derive(Template)]
#[template(path = "alerts/channels.html")]
struct ChannelsPage {
    tabs: Tabs,
    banner: Option<Banner>,
    /// What is to be set again.
    lost: Vec<LostSecret>,
    rows: Vec<Row>,
    may_change: bool,
    /// Whether mails can be sent.
    has_mail_server: bool,
    may_administer: bool,
}

/// A channel in the list.
struct Row {
    name: String,
    href: String,
    kind: &'static str,
    places: Vec<String>,
    wants: String,
    state: Badge,
    last: Option<When>,
}

impl Row {
    fn new(kept: &KeptChannel, now: jiff::Timestamp) -> Self {
        let config = &kept.channel.config;
        let quiet = config.quiet.as_ref().and_then(|quiet| quiet.quiet_until(now));
        Self {
            name: config.name.to_string(),
            href: href(&kept.channel.id),
            kind: if config.to.kind() == "mail" { "Mail" } else { "Webhook" },
            places: config.to.places(),
            wants: wants(config),
            state: match (config.enabled, quiet) {
                (false, _) => Badge::new(Tone::Neutral, "Off"),
                (true, Some(until)) => Badge::new(Tone::Info, format!("Quiet until {}", format::date_time(until))),
                (true, None) => Badge::new(Tone::Good, "On"),
            },
            last: kept.spoke_at.map(|at| When { at, now }),
        }
    }
}

/// What a channel is told of, in a few words.
fn wants(config: &ChannelConfig) -> String {
    let scope = &config.scope;
    let mut words = vec![at_least(scope.least).to_owned()];
    if !scope.codes.is_empty() {
        words.push(format::counted(scope.codes.len() as u64, "kind", "kinds"));
    }
    let labels = scope.groups.iter().map(|one| one.as_str()).chain(scope.tags.iter().map(|one| one.as_str()));
    words.extend(labels.map(str::to_owned));
    if scope.staging {
        words.push("staging too".to_owned());
    }
    words.join(", ")
}

fn href(id: &ChannelId) -> String {
    format!("/alerts/channels/{id}")
}

/// What the address of the list, or of a channel, may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    done: String,
    kind: String,
}

/// `GET /alerts/channels`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(Listed { done, .. }): Query<Listed>,
) -> Result<Response, PageError> {
    let (channels, now) = (app.central.store().channels().await?, app.central.now());
    let settings = app.central.alert_settings().await?;
    let banner = (done == "removed").then(|| Banner::new(Tone::Good, "The channel is removed.", ""));
    let page = ChannelsPage {
        tabs: tabs(Part::Channels),
        banner,
        lost: app.central.lost_secrets().await?,
        rows: channels.iter().map(|kept| Row::new(kept, now)).collect(),
        may_change: who.may(Role::Operator),
        has_mail_server: settings.settings.mail.is_some(),
        may_administer: who.may(Role::Administrator),
    };
    Ok(page_of(Section::Alerts, "Channels", Some(&who), page))
}

/// The form of a new channel, and the secret that was made for it.
#[derive(Template)]
#[template(path = "alerts/channel_new.html")]
struct NewPage {
    kind: &'static str,
    form: ChannelForm,
    made: Option<(String, String, Copyable)>,
}

fn kind_of(name: &str) -> &'static str {
    if name == "webhook" { "webhook" } else { "mail" }
}

/// `GET /alerts/channels/new`
pub async fn new_form(Extension(who): Extension<SignedIn>, Query(Listed { kind, .. }): Query<Listed>) -> Response {
    let kind = kind_of(&kind);
    let page = NewPage { kind, form: ChannelForm::new(kind, true, usual(), None), made: None };
    page_of(Section::Alerts, "Add a channel", Some(&who), page)
}

/// `POST /alerts/channels`
pub async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let sent = Pairs(sent);
    let kind = kind_of(sent.get("kind"));
    let added = async {
        let config = config_of(kind, &sent).map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        let secret = Some(sent.get("secret")).filter(|secret| !secret.is_empty());
        app.central.add_channel(&who.actor(), config, secret).await
    };
    match added.await {
        Ok(made) => {
            let Some(secret) = made.secret else { return Ok(Redirect::to(&href(&made.channel.id)).into_response()) };
            let made = (made.channel.config.name.to_string(), href(&made.channel.id), copyable(&secret));
            let page = NewPage { kind, form: ChannelForm::new(kind, true, usual(), None), made: Some(made) };
            Ok(page_of(Section::Alerts, "Channel added", Some(&who), page))
        }
        Err(error) => {
            let (status, wrong) = broken(error)?;
            let page = NewPage { kind, form: ChannelForm::new(kind, true, sent, Some(wrong)), made: None };
            Ok(page_of_with(status, Section::Alerts, "Add a channel", Some(&who), page))
        }
    }
}

fn copyable(secret: &str) -> Copyable {
    Copyable::new("Secret of the webhook", secret)
}

/// The page of a channel.
#[derive(Template)]
#[template(path = "alerts/channel.html")]
struct ChannelPage {
    name: String,
    path: String,
    is_webhook: bool,
    row: Row,
    banner: Option<Banner>,
    /// What a test came to.
    tested: Vec<TestedLine>,
    /// A secret that was just made.
    secret: Option<Copyable>,
    form: ChannelForm,
    may_change: bool,
}

struct TestedLine {
    place: String,
    badge: Badge,
    problem: Option<Prose>,
}

impl TestedLine {
    fn new(tested: Tested) -> Self {
        let badge = if tested.taken { Badge::new(Tone::Good, "Taken") } else { Badge::new(Tone::Danger, "Not taken") };
        Self { place: tested.place, badge, problem: tested.problem.map(Prose::from) }
    }
}

impl ChannelPage {
    fn new(kept: &KeptChannel, who: &SignedIn, app: &App) -> Self {
        let config = &kept.channel.config;
        Self {
            name: config.name.to_string(),
            path: href(&kept.channel.id),
            is_webhook: matches!(config.to, Target::Webhook { .. }),
            row: Row::new(kept, app.central.now()),
            banner: None,
            tested: Vec::new(),
            secret: None,
            form: ChannelForm::new(config.to.kind(), false, pairs_of(config), None),
            may_change: who.may(Role::Operator),
        }
    }

    fn answer(self, who: &SignedIn) -> Response {
        let name = self.name.clone();
        page_of(Section::Alerts, &name, Some(who), self)
    }
}

/// `GET /alerts/channels/{channel}`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(Listed { done, .. }): Query<Listed>,
) -> Result<Response, PageError> {
    let kept = app.central.channel(&parsed(&id, "channel")?).await?;
    let mut page = ChannelPage::new(&kept, &who, &app);
    page.banner = (done == "saved")
        .then(|| Banner::new(Tone::Good, "Saved.", "What it newly wants of what is open is told to it."));
    Ok(page.answer(&who))
}

/// `POST /alerts/channels/{channel}`
pub async fn change(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let (id, sent): (ChannelId, Pairs) = (parsed(&id, "channel")?, Pairs(sent));
    let kept = app.central.channel(&id).await?;
    let kind = kept.channel.config.to.kind();
    let changed = async {
        let config = config_of(kind, &sent).map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        app.central.change_channel(&who.actor(), &kept, config).await
    };
    match changed.await {
        Ok(_) => Ok(Redirect::to(&format!("{}?done=saved", href(&id))).into_response()),
        Err(error) => {
            let (status, wrong) = broken(error)?;
            let mut page = ChannelPage::new(&kept, &who, &app);
            page.form = ChannelForm::new(kind, false, sent, Some(wrong));
            let name = page.name.clone();
            Ok(page_of_with(status, Section::Alerts, &name, Some(&who), page))
        }
    }
}

/// `POST /alerts/channels/{channel}/test`
pub async fn test(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id: ChannelId = parsed(&id, "channel")?;
    let tested = app.central.test_channel(&id).await?;
    let kept = app.central.channel(&id).await?;
    let mut page = ChannelPage::new(&kept, &who, &app);
    page.banner = Some(match tested.iter().all(|tested| tested.taken) {
        true => Banner::new(Tone::Good, "The test was taken everywhere.", "Whether it is read, only its readers know."),
        false => {
            Banner::new(Tone::Danger, "The test did not arrive everywhere.", "What the other side said stands below.")
        }
    });
    page.tested = tested.into_iter().map(TestedLine::new).collect();
    Ok(page.answer(&who))
}

/// `POST /alerts/channels/{channel}/secret`
pub async fn rotate(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id: ChannelId = parsed(&id, "channel")?;
    let secret = app.central.rotate_channel(&who.actor(), &id).await?;
    let kept = app.central.channel(&id).await?;
    let mut page = ChannelPage::new(&kept, &who, &app);
    page.secret = Some(copyable(&secret));
    Ok(page.answer(&who))
}

/// `POST /alerts/channels/{channel}/remove`
pub async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    app.central.remove_channel(&who.actor(), &parsed(&id, "channel")?).await?;
    Ok(Redirect::to("/alerts/channels?done=removed"))
}

const PLUS: Icon = Icon::Plus;
