//! Alerts: what is open and was, who is told, and what waits to be delivered (see [`crate::domain::alerts`]).

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_delivery::post::Failed;
use serde::Serialize;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::domain::alerts::channel::{Channel, ChannelConfig};
use crate::domain::alerts::message::Content;
use crate::domain::alerts::settings::AlertSettings;
use crate::domain::alerts::telling::News;
use crate::domain::alerts::{EVENTS, MatterKey, is_event};
use crate::domain::assessment::CODES;
use crate::domain::ids::{ChannelId, MessageId};
use crate::domain::{Act, ApplicationId, Gravity};
use crate::store::fleet::Spell;

/// The settings as they are kept.
#[derive(Debug, Clone, Default)]
pub struct KeptSettings {
    /// The settings.
    pub settings: AlertSettings,
    /// The password of the mail server's user, encrypted.
    pub sealed: Option<String>,
}

/// A channel as it is kept.
#[derive(Debug, Clone)]
pub struct KeptChannel {
    /// The channel.
    pub channel: Channel,
    /// The URL and the secret of a webhook, encrypted.
    pub sealed: Option<String>,
    /// When its last message was made.
    pub spoke_at: Option<Timestamp>,
    /// Whether what is open is still looked through for it.
    pub is_walked: bool,
}

/// Which alerts are wanted. What is absent is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Of this code.
    pub code: Option<String>,
    /// Of this gravity, alone.
    pub gravity: Option<Gravity>,
}

impl AlertFilter {
    /// The filter that an address asks for; what is empty is not asked for.
    ///
    /// # Errors
    /// The value that is none of those that there are, and the rule.
    pub fn sent(code: &str, gravity: &str) -> Result<Self, (&'static str, String)> {
        let code = Some(code).filter(|code| !code.is_empty()).map(str::to_owned);
        if code.as_ref().is_some_and(|code| !CODES.contains(&code.as_str()) && !is_event(code)) {
            let all: Vec<&str> = CODES.into_iter().chain(EVENTS).collect();
            return Err(("code", format!("one of {}", all.join(", "))));
        }
        let gravity = match gravity {
            "" => None,
            name => {
                Some(Gravity::of_name(name).ok_or_else(|| ("gravity", "one of problem, warning, note".to_owned()))?)
            }
        };
        Ok(Self { code, gravity })
    }
}

/// An alert: a concern that is open, or was, and who was told. Its application, code and subject name it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Alert {
    /// Whose.
    pub application: ApplicationId,
    /// What the application is called; absent where it was removed.
    pub name: Option<String>,
    /// Whether of a staging instance.
    pub staging: bool,
    /// The concern from its begin to its end.
    #[serde(flatten)]
    pub spell: Spell,
    /// Who knows of it.
    pub acknowledged: Option<Acknowledgement>,
    /// What each channel has heard of it, and is to hear.
    pub told: Vec<Telling>,
}

impl KeptChannel {
    /// Whether this is what somebody has set, wherever it was read.
    pub fn is_set_as(&self, other: &Self) -> bool {
        (&self.channel, &self.sealed) == (&other.channel, &other.sealed)
    }
}

impl Alert {
    /// What names it.
    pub fn matter(&self) -> MatterKey {
        MatterKey::of(&self.application, &self.spell.concern)
    }
}

/// What a channel has heard of an alert, and is to hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Telling {
    /// The channel.
    pub channel: ChannelId,
    /// When it heard of it last.
    pub told_at: Option<Timestamp>,
    /// The message that it heard it by.
    pub message: Option<MessageId>,
    /// What it is to hear.
    pub news: Option<News>,
    /// From when on.
    pub due_at: Option<Timestamp>,
}

/// A message to a channel.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Message {
    /// Its id: the same whenever it is handed over.
    pub id: MessageId,
    /// The channel.
    pub channel: ChannelId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether it is still made.
    pub open: bool,
    /// What it tells.
    pub content: Content,
    /// What became of it at each place.
    pub deliveries: Vec<Delivery>,
}

/// What became of a message at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Delivery {
    /// A mail address, or the URL of a webhook without what stands behind `?`.
    pub place: String,
    /// How often it was not taken.
    pub failures: u32,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// Why it was not taken at the last try: a code.
    pub code: Option<String>,
    /// The same in words.
    pub problem: Option<String>,
    /// When that was.
    pub failed_at: Option<Timestamp>,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
}

/// A delivery that somebody makes now.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The message.
    pub message: MessageId,
    /// The channel.
    pub channel: ChannelId,
    /// When the message was made.
    pub made_at: Timestamp,
    /// Where it goes.
    pub place: String,
    /// How often it was not taken.
    pub failures: u32,
    /// What it tells.
    pub content: Content,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was not, and is tried again.
    Again(Failed, Timestamp),
    /// It was not, and is not tried again.
    GivenUp(Failed),
    /// It was not tried: it can be at once.
    Untried,
}

/// How the alerts stand, for metrics and the head of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlertFigures {
    /// How many alerts are open, by gravity, the gravest first.
    pub open: Vec<OpenAlerts>,
    /// How many deliveries wait, up to [`MOST_COUNTED`], and how many of them have failed.
    pub waiting: u64,
    /// How many of them were not taken at the last try.
    pub failing: u64,
    /// When the oldest message that waits was made.
    pub oldest: Option<Timestamp>,
}

/// How many alerts of a gravity are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OpenAlerts {
    /// So grave.
    pub gravity: Gravity,
    /// How many.
    pub number: u64,
}

/// Up to how many deliveries that wait are counted.
pub const MOST_COUNTED: u32 = 1000;

/// Alerts.
///
/// # How they are told
/// The review marks what has changed of the concerns. [`Self::follow`] takes what is marked, and keeps for each channel
/// what it is to hear and from when on; [`Self::walk`] does the same with all that is open for a channel that is new or
/// wants something else. [`Self::speak`] makes messages of what is due, and [`Self::take_deliveries`] gives those that
/// are to be handed over, each to one taker for a time. All of them work in batches, may be run again without harm, and
/// by several at once. A channel that cannot be read is set aside (see [`super::leases::SetAside`]): what is for it
/// waits until it can.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// What holds for all alerts.
    async fn alert_settings(&self) -> Stored<KeptSettings>;
    /// Sets it; `sealed` is the password, encrypted. Where the reminders are others than before, the whole fleet is to
    /// be reviewed.
    async fn set_alert_settings(&self, act: &Act, settings: &AlertSettings, sealed: Option<&str>) -> Stored<()>;
    /// Marks a batch of the fleet to be reviewed, after the reminders were changed. Gives whether there may be more.
    async fn mark_for_reminders(&self, most: u32) -> Stored<bool>;
    /// The channels, by name, as far as they can be read.
    async fn channels(&self) -> Stored<Vec<KeptChannel>>;
    /// The channel of an id.
    async fn channel(&self, id: &ChannelId) -> Stored<Option<KeptChannel>>;
    /// Adds a channel; what is open is told to it.
    ///
    /// # Errors
    /// [`super::StoreError::Conflict`] where another has its name, or there are
    /// [`crate::domain::alerts::channel::MAX_CHANNELS`].
    async fn add_channel(&self, act: &Act, channel: &Channel, sealed: Option<&str>) -> Stored<()>;
    /// Changes a channel from what it is in `before`; what it newly wants of what is open is told to it. Without
    /// `sealed`, its secrets stay.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none, [`super::StoreError::Conflict`] where another has its name, or
    /// somebody else has changed it since.
    async fn change_channel(
        &self,
        act: &Act,
        before: &KeptChannel,
        config: &ChannelConfig,
        sealed: Option<&str>,
    ) -> Stored<()>;
    /// Puts other secrets in the place of those that a channel has in `before`.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none, [`super::StoreError::Conflict`] where somebody else has changed
    /// it since.
    async fn rotate_channel(&self, act: &Act, before: &KeptChannel, sealed: &str) -> Stored<()>;
    /// Removes a channel; what waits for it is given up.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none.
    async fn remove_channel(&self, act: &Act, id: &ChannelId) -> Stored<()>;
    /// Follows a batch of what has changed. Gives whether there may be more.
    async fn follow(&self, now: Timestamp, most: u32) -> Stored<bool>;
    /// Looks through a batch of what is open for a channel that is new or changed. Gives whether there may be more.
    async fn walk(&self, now: Timestamp, most: u32) -> Stored<bool>;
    /// Goes on with the message that is made, by a batch; or begins one, with this id, for a channel that is to hear
    /// something. Gives whether there may be more to do.
    async fn speak(&self, now: Timestamp, id: &MessageId, most: u32) -> Stored<bool>;
    /// Takes deliveries that are due until a time: nobody else gets them before it.
    async fn take_deliveries(&self, now: Timestamp, until: Timestamp, most: u32) -> Stored<Vec<Parcel>>;
    /// Notes what came of a delivery.
    async fn note_delivery(&self, message: &MessageId, place: &str, outcome: &Outcome, now: Timestamp) -> Stored<()>;
    /// Tries at once again what waits for a channel, or for all of them: what was in the way may be mended.
    async fn hurry_deliveries(&self, channel: Option<&ChannelId>, now: Timestamp) -> Stored<()>;
    /// What is open, the gravest first, and of those what began last.
    async fn open_alerts(&self, filter: &AlertFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Alert>>;
    /// What is over, what ended last first; also events, which ended when they happened. With a gravity, a page may be
    /// short and have a next one all the same.
    async fn past_alerts(&self, filter: &AlertFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Alert>>;
    /// Messages, the newest first; of one channel or of all.
    async fn messages(
        &self,
        channel: Option<&ChannelId>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<Message>>;
    /// The figures of the alerts.
    async fn alert_figures(&self) -> Stored<AlertFigures>;
    /// Acknowledges what is open of a matter, and gives the acknowledgement.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where it is not open.
    async fn acknowledge(
        &self,
        act: &Act,
        matter: &MatterKey,
        why: &str,
        until: Option<Timestamp>,
    ) -> Stored<Acknowledgement>;
    /// Takes an acknowledgement back.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none.
    async fn withdraw(&self, act: &Act, matter: &MatterKey) -> Stored<()>;
    /// Forgets a batch of what is too old at `now`, or belonged to removed channels. Gives whether there may be more.
    async fn forget_alerts(&self, now: Timestamp, most: u32) -> Stored<bool>;
}
