//! What was told, and what became of it at each place.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use seatline_ui::{Badge, Prose, Tabs, Tone, When, format};
use seatline_web::address::escape;
use serde::Deserialize;

use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::domain::ids::ChannelId;
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of};
use crate::pages::parsed;
use crate::server::App;
use crate::store::alerts::{Delivery, Message};
use crate::store::{Cursor, PageSize};

/// The list.
#[derive(Template)]
#[template(path = "alerts/messages.html")]
struct MessagesPage {
    tabs: Tabs,
    rows: Vec<Row>,
    more: Option<String>,
    /// The channel whose messages alone are shown.
    only: Option<String>,
}

/// A message.
struct Row {
    made: When,
    channel: String,
    href: Option<String>,
    summary: String,
    deliveries: Vec<Line>,
}

/// What became of it at a place.
struct Line {
    place: String,
    badge: Badge,
    note: String,
    problem: Option<Prose>,
}

impl Line {
    fn new(delivery: Delivery) -> Self {
        let tries = format::counted(u64::from(delivery.failures), "failed try", "failed tries");
        let (badge, note) = match (delivery.taken_at, delivery.given_up_at, delivery.next_at) {
            (Some(at), ..) => (Badge::new(Tone::Good, "Taken"), format::date_time(at)),
            (None, Some(at), _) => {
                (Badge::new(Tone::Danger, "Given up"), format!("{} after {tries}", format::date_time(at)))
            }
            (None, None, Some(next)) if delivery.failures > 0 => {
                (Badge::new(Tone::Warning, "Failing"), format!("{tries}, tried again {}", format::date_time(next)))
            }
            _ => (Badge::new(Tone::Neutral, "On its way"), String::new()),
        };
        let problem = delivery.problem.filter(|_| delivery.taken_at.is_none());
        Self { place: delivery.place, badge, note, problem: problem.map(Prose::from) }
    }
}

/// Whose messages are wanted, from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    channel: String,
    after: String,
}

/// `GET /alerts/messages`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let (store, now) = (app.central.store(), app.central.now());
    let only: Option<ChannelId> = match wanted.channel.as_str() {
        "" => None,
        id => Some(parsed(id, "channel")?),
    };
    let after = Some(Cursor::new(wanted.after.as_str())).filter(|_| !wanted.after.is_empty());
    let channels = store.channels().await?;
    let name = |id: &ChannelId| {
        channels.iter().find(|kept| kept.channel.id == *id).map(|kept| kept.channel.config.name.to_string())
    };
    let found = store.messages(only.as_ref(), after.as_ref(), PageSize::default()).await?;
    let row = |message: Message| Row {
        made: When { at: message.made_at, now },
        href: name(&message.channel).map(|_| format!("/alerts/channels/{}", message.channel)),
        channel: name(&message.channel).unwrap_or_else(|| "Removed channel".to_owned()),
        summary: message.content.summary(),
        deliveries: message.deliveries.into_iter().map(Line::new).collect(),
    };
    let page = MessagesPage {
        tabs: tabs(Part::Messages),
        rows: found.items.into_iter().map(row).collect(),
        more: found.next.map(|next| {
            format!("/alerts/messages?channel={}&after={}", escape(&wanted.channel), escape(next.as_str()))
        }),
        only: only.as_ref().map(|id| name(id).unwrap_or_else(|| "a removed channel".to_owned())),
    };
    Ok(page_of(Section::Alerts, "Messages", Some(&who), page))
}
