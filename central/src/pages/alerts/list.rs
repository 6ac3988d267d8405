//! What is open, the gravest first, and what is over: with since when, what to do, who was told, and who knows of it.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use seatline_ui::{Badge, Banner, Choice, Field, Prose, Tabs, Tone, When, format};
use seatline_web::address::escape;
use serde::Deserialize;

use super::known::{Refused, Said};
use super::{Part, several, tabs};
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::telling::News;
use crate::domain::alerts::{EVENTS, MatterKey, is_event};
use crate::domain::assessment::CODES;
use crate::domain::{Gravity, Role};
use crate::pages::failure::{Broken, PageError};
use crate::pages::fleet::words;
use crate::pages::frame::{Section, page_of_with};
use crate::server::App;
use crate::store::alerts::{Alert, AlertFilter, KeptChannel, OpenAlerts, Telling};
use crate::store::{Cursor, PageSize};

/// What the address of the list holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    code: String,
    gravity: String,
    after: String,
    done: String,
}

impl Sent {
    /// Where this page of the list is, or the one that begins `after` a place.
    fn address(&self, path: &str, after: &str, done: &str) -> String {
        let pairs = [("code", self.code.as_str()), ("gravity", &self.gravity), ("after", after), ("done", done)];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The way back to what was shown of the list, after something was done there.
    pub(super) fn after(&self, done: &str) -> Response {
        Redirect::to(&self.address("/alerts", &self.after, done)).into_response()
    }
}

/// The list.
#[derive(Template)]
#[template(path = "alerts/list.html")]
pub struct List {
    tabs: Tabs,
    sent: Sent,
    path: &'static str,
    is_past: bool,
    banner: Option<Banner>,
    /// How many are open, by gravity, with their addresses.
    stats: Vec<Stat>,
    rows: Vec<Row>,
    more: Option<String>,
    /// The address of the list without a filter, where it has one.
    all: Option<String>,
    may_change: bool,
    /// Whether there is nobody who is told of anything.
    nobody: bool,
    /// What the form under the list says, and the rule that it breaks.
    several: (Said, Option<Broken>),
}

struct Stat {
    label: &'static str,
    value: String,
    tone: Tone,
    href: String,
}

/// An alert in the list.
struct Row {
    /// What tells its fields from those of the others of the page.
    apart: String,
    matter: MatterKey,
    name: String,
    href: String,
    staging: bool,
    badge: Badge,
    title: String,
    message: Prose,
    began: When,
    ended: Option<When>,
    is_event: bool,
    told: Vec<String>,
    known: Option<KnownBy>,
    is_ticked: bool,
    /// What its form says, and the rule that it breaks.
    said: Said,
    broken: Option<Broken>,
}

/// Who knows of an alert.
struct KnownBy {
    by: String,
    at: String,
    why: String,
    until: String,
}

impl Row {
    fn new(number: usize, alert: Alert, channels: &[KeptChannel], now: Timestamp) -> Self {
        let concern = &alert.spell.concern;
        let is_event = is_event(&concern.code);
        let told = alert.told.iter().filter_map(|telling| told(telling, alert.spell.began_at, channels, now)).collect();
        let matter = alert.matter();
        let known = alert.acknowledged.filter(|known| known.until.is_none_or(|until| until > now));
        Self {
            apart: format!("-{number}"),
            href: format!("/applications/{}/licenses", alert.application),
            matter,
            name: alert.name.unwrap_or_else(|| "Removed application".to_owned()),
            staging: alert.staging,
            badge: badge(concern.gravity, is_event),
            title: words::concern(concern),
            message: Prose::sentence(&concern.message),
            began: When { at: alert.spell.began_at, now },
            ended: alert.spell.ended_at.filter(|_| !is_event).map(|at| When { at, now }),
            is_event,
            told,
            known: known.map(|known| KnownBy {
                by: known.by,
                at: format::date_time(known.at),
                why: known.why,
                until: known
                    .until
                    .map_or_else(|| "until it changes".to_owned(), |at| format!("until {}", format::date_time(at))),
            }),
            is_ticked: false,
            said: Said::default(),
            broken: None,
        }
    }

    /// With what was sent of it and not taken.
    fn sent(self, refused: Option<&Refused>) -> Self {
        match refused.filter(|refused| refused.alerts.contains(&self.matter)) {
            Some(refused) if refused.several => Self { is_ticked: true, ..self },
            Some(refused) => Self { said: refused.said.clone(), broken: Some(refused.broken.clone()), ..self },
            None => self,
        }
    }

    fn fields(&self) -> [Field<'_>; 3] {
        self.said.fields(&self.apart, self.broken.as_ref())
    }

    /// What the box beside it sends, where it can be acknowledged.
    fn ticked(&self) -> String {
        several::ticked(&self.matter)
    }
}

/// A gravity, or that it is an event, in a badge.
fn badge(gravity: Gravity, is_event: bool) -> Badge {
    match (is_event, gravity) {
        (true, Gravity::Note) => Badge::new(Tone::Info, "Event"),
        (_, gravity) => Badge::new(words::tone(Some(gravity)), format::capitalised(gravity.name())),
    }
}

/// What a channel has heard of an alert since it began, and is to hear, in words.
fn told(telling: &Telling, began_at: Timestamp, channels: &[KeptChannel], now: Timestamp) -> Option<String> {
    let config = &channels.iter().find(|kept| kept.channel.id == telling.channel)?.channel.config;
    let heard = telling.told_at.filter(|at| *at >= began_at).map(|at| format!("told {}", format::date_time(at)));
    let quiet = config.quiet.as_ref().and_then(|quiet| quiet.quiet_until(now));
    let waits = telling.due_at.map(|at| {
        let what = if telling.news == Some(News::Over) { "told to be over" } else { "to be told" };
        match quiet {
            _ if !config.enabled => format!("{what} when the channel is on again"),
            Some(until) if at <= until => format!("{what} after its quiet hours, {}", format::date_time(until)),
            _ if at <= now => format!("{what} with its next message"),
            _ => format!("{what} from {}", format::date_time(at)),
        }
    });
    let words: Vec<String> = heard.into_iter().chain(waits).collect();
    (!words.is_empty()).then(|| format!("{}: {}", config.name, words.join(", ")))
}

impl List {
    /// Whether several can be acknowledged at once: there are two.
    fn may_tick(&self) -> bool {
        self.may_change && !self.is_past && self.rows.iter().filter(|row| row.known.is_none()).count() > 1
    }

    /// Where a form of this page sends to: what is shown afterwards is what is shown now.
    fn action(&self, path: &str) -> String {
        if self.is_past { path.to_owned() } else { self.sent.address(path, &self.sent.after, "") }
    }

    fn several_fields(&self) -> [Field<'_>; 3] {
        self.several.0.fields("-several", self.several.1.as_ref())
    }

    fn fields(&self) -> [Field<'_>; 2] {
        let any = |label: &str| Choice { value: "", label: label.to_owned() };
        let codes = CODES[..CODES.len() - 1].iter().chain(EVENTS.iter().filter(|_| self.is_past));
        let codes = codes.map(|code| Choice { value: code, label: words::kind(code).to_owned() });
        let gravities = Gravity::ALL
            .into_iter()
            .rev()
            .map(|gravity| Choice { value: gravity.name(), label: format::capitalised(gravity.name()) });
        [
            Field::select("gravity", "Gravity", std::iter::once(any("All")).chain(gravities).collect())
                .value(&self.sent.gravity),
            Field::select("code", "Kind", std::iter::once(any("All")).chain(codes).collect()).value(&self.sent.code),
        ]
    }
}

/// `GET /alerts`
pub async fn open(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(sent): Query<Sent>,
) -> Result<Response, PageError> {
    show(&app, &who, sent, false, None).await
}

/// `GET /alerts/past`
pub async fn past(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(sent): Query<Sent>,
) -> Result<Response, PageError> {
    show(&app, &who, sent, true, None).await
}

/// The list again, with an acknowledgement that was not taken as it was sent.
pub(super) async fn refused(app: &App, who: &SignedIn, sent: Sent, refused: Refused) -> Result<Response, PageError> {
    show(app, who, sent, false, Some(refused)).await
}

async fn show(
    app: &App,
    who: &SignedIn,
    sent: Sent,
    is_past: bool,
    refused: Option<Refused>,
) -> Result<Response, PageError> {
    let (store, now) = (app.central.store(), app.central.now());
    let filter = AlertFilter::sent(&sent.code, &sent.gravity);
    let filter = filter.map_err(|(field, rule)| ActionError::invalid(field, rule))?;
    let after = Some(Cursor::new(sent.after.as_str())).filter(|_| !sent.after.is_empty());
    let found = match is_past {
        false => store.open_alerts(&filter, after.as_ref(), PageSize::default()).await?,
        true => store.past_alerts(&filter, after.as_ref(), PageSize::default()).await?,
    };
    let channels = store.channels().await?;
    let figures = store.alert_figures().await?;
    let path = if is_past { "/alerts/past" } else { "/alerts" };
    let row = |(number, alert)| Row::new(number, alert, &channels, now).sent(refused.as_ref());
    let list = List {
        tabs: tabs(if is_past { Part::Past } else { Part::Open }),
        path,
        is_past,
        banner: refused.as_ref().map_or_else(|| done(&sent.done), |refused| Some(refused.banner())),
        stats: stats(&figures.open),
        rows: found.items.into_iter().enumerate().map(row).collect(),
        more: found.next.as_ref().map(|next| sent.address(path, next.as_str(), "")),
        all: (filter != AlertFilter::default()).then(|| path.to_owned()),
        may_change: who.may(Role::Operator),
        nobody: channels.iter().all(|kept| !kept.channel.config.enabled),
        several: match &refused {
            Some(Refused { several: true, said, broken, .. }) => (said.clone(), Some(broken.clone())),
            _ => (Said::default(), None),
        },
        sent,
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page_of_with(status, Section::Alerts, if is_past { "Past alerts" } else { "Alerts" }, Some(who), list))
}

/// What was done just before.
fn done(done: &str) -> Option<Banner> {
    match done {
        "acknowledged" => {
            Some(Banner::new(Tone::Good, "Acknowledged.", "Nothing more is told of it for as long as you said."))
        }
        "withdrawn" => Some(Banner::new(Tone::Good, "The acknowledgement is taken back.", "")),
        done => several::done(done),
    }
}

fn stats(open: &[OpenAlerts]) -> Vec<Stat> {
    let stat = |&OpenAlerts { gravity, number }: &OpenAlerts| {
        let (label, tone) = match gravity {
            Gravity::Problem => ("Problems", Tone::Danger),
            Gravity::Warning => ("Warnings", Tone::Warning),
            Gravity::Note => ("Notes", Tone::Neutral),
        };
        Stat {
            label,
            value: format::number(number),
            tone: if number == 0 { Tone::Good } else { tone },
            href: format!("/alerts?gravity={}", gravity.name()),
        }
    };
    open.iter().map(stat).collect()
}
