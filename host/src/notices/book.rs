//! The book of notices: what was told when, and what became of each delivery. It is bounded, and the newest stay.

use jiff::Timestamp;
use seatline_protocol::Digest;
use seatline_protocol::notices::{Memory, Notice, State};
use serde::{Deserialize, Serialize};

use crate::exchange::Problem;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The most notices that are kept. What is pushed out while a delivery of it waits is given up with it.
pub const MAX_ENTRIES: usize = 100;
/// The most channels that a notice goes to.
pub const MAX_CHANNELS: usize = 40;
/// The code of a delivery that was given up because its channel is no longer among the settings.
const REMOVED: &str = "channel-removed";
/// The code of the channels beyond [`MAX_CHANNELS`].
pub const TOO_MANY: &str = "too-many-channels";

/// What was told, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// When it was last looked what is due.
    pub checked_at: Option<Timestamp>,
    /// The notices, the oldest first.
    pub entries: Vec<Entry>,
    /// How the mail server was found last, without a mail (`s7`).
    #[serde(default)]
    pub probe: Option<Probe>,
    /// What was told, by which nothing is told twice.
    pub(crate) memory: Memory,
}

/// How something was found that is needed to deliver notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When.
    pub at: Timestamp,
    /// What is wrong with it, if anything is.
    pub problem: Option<Problem>,
}

/// A notice, and its deliveries. As JSON it is an interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// A name for the notice, the same for all its deliveries and tries: 32 characters of 0-9 and a-f.
    pub id: String,
    /// The notice.
    pub notice: Notice,
    /// One for each channel.
    pub deliveries: Vec<Delivery>,
}

/// One notice on its way to one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The channel, as who delivers has named it: such as `mail:ada@example.org`.
    pub channel: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How many times it has failed.
    pub failures: u32,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// When it is tried again, where it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last.
    pub problem: Option<Problem>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is to be delivered.
    Waiting,
    /// It was taken on the other side.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

impl DeliveryState {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
        }
    }
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting<'b> {
    /// The name of the notice.
    pub id: &'b str,
    /// The notice.
    pub notice: &'b Notice,
    /// Where to.
    pub channel: &'b str,
    /// How many times it has failed.
    pub failures: u32,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The name of the notice.
    pub id: String,
    /// Where to.
    pub channel: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It failed, and is tried again at this time.
    Failed(Problem, Timestamp),
    /// It failed, and is not tried again.
    GivenUp(Problem),
}

impl Book {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        Ok(slots::read(store, Slot::Notices)?.unwrap_or_default())
    }

    pub(crate) fn write(&self, locked: &mut dyn LockedStore) -> Result<(), StoreError> {
        slots::write(locked, Slot::Notices, self)
    }

    /// The deliveries that are due at `now`, the oldest notice first.
    pub fn due(&self, now: Timestamp) -> Vec<Waiting<'_>> {
        let mut due = Vec::new();
        for Entry { id, notice, deliveries } in &self.entries {
            let waiting = deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Waiting);
            for delivery in waiting.filter(|delivery| delivery.next_attempt_at.is_none_or(|at| at <= now)) {
                due.push(Waiting { id, notice, channel: &delivery.channel, failures: delivery.failures });
            }
        }
        due
    }

    /// When the next delivery is due, where one waits.
    pub fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.deliveries().filter(|delivery| delivery.state == DeliveryState::Waiting);
        waiting.map(|delivery| delivery.next_attempt_at.unwrap_or(Timestamp::MIN)).min()
    }

    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.entries.iter().flat_map(|entry| &entry.deliveries)
    }

    /// Takes what is due while `states` are so, for `channels`. Without any channel nothing is taken: nobody was told.
    pub(crate) fn take(&mut self, states: &[State], channels: &[String], now: Timestamp) -> Vec<Notice> {
        self.checked_at = Some(now);
        self.give_up_removed(channels);
        if channels.is_empty() {
            return Vec::new();
        }
        let notices = self.memory.take(states, now);
        self.entries.extend(notices.iter().map(|notice| Entry::new(notice.clone(), channels)));
        let excess = self.entries.len().saturating_sub(MAX_ENTRIES);
        let pushed_out = self.entries.drain(..excess).flat_map(|entry| entry.deliveries);
        let lost = pushed_out.filter(|delivery| delivery.state == DeliveryState::Waiting).count();
        if lost > 0 {
            tracing::warn!(deliveries = lost, "the book of notices is full: the oldest were not delivered");
        }
        notices
    }

    /// Whatever waits for a channel that is no longer there is given up.
    fn give_up_removed(&mut self, channels: &[String]) {
        let deliveries = self.entries.iter_mut().flat_map(|entry| &mut entry.deliveries);
        for delivery in deliveries.filter(|delivery| delivery.state == DeliveryState::Waiting) {
            if !channels.contains(&delivery.channel) {
                delivery.give_up(Problem {
                    code: REMOVED.to_owned(),
                    message: "It is no longer among the settings.".to_owned(),
                });
            }
        }
    }

    /// Lets everything that waits be due at once: somebody has mended the settings.
    pub(crate) fn hurry(&mut self) {
        let deliveries = self.entries.iter_mut().flat_map(|entry| &mut entry.deliveries);
        for delivery in deliveries.filter(|delivery| delivery.state == DeliveryState::Waiting) {
            delivery.next_attempt_at = None;
        }
    }

    /// Notes what came of a delivery at `now`; of one that is unknown, or does not wait, nothing.
    pub(crate) fn note(&mut self, delivered: &Delivered, now: Timestamp) {
        let entry = self.entries.iter_mut().find(|entry| entry.id == delivered.id);
        let deliveries = entry.into_iter().flat_map(|entry| &mut entry.deliveries);
        for delivery in deliveries.filter(|delivery| delivery.channel == delivered.channel) {
            if delivery.state != DeliveryState::Waiting {
                continue;
            }
            delivery.tried_at = Some(now);
            match &delivered.outcome {
                Outcome::Taken => {
                    delivery.state = DeliveryState::Delivered;
                    (delivery.next_attempt_at, delivery.problem) = (None, None);
                }
                Outcome::Failed(problem, again) => {
                    delivery.failures = delivery.failures.saturating_add(1);
                    (delivery.next_attempt_at, delivery.problem) = (Some(*again), Some(problem.clone()));
                }
                Outcome::GivenUp(problem) => {
                    delivery.failures = delivery.failures.saturating_add(1);
                    delivery.give_up(problem.clone());
                }
            }
        }
    }
}

impl Entry {
    fn new(notice: Notice, channels: &[String]) -> Self {
        let id = id(&notice);
        let mut deliveries: Vec<Delivery> = channels.iter().map(|channel| Delivery::new(channel)).collect();
        for delivery in deliveries.iter_mut().skip(MAX_CHANNELS) {
            let message = format!("A notice goes to at most {MAX_CHANNELS} recipients and webhooks.");
            delivery.give_up(Problem { code: TOO_MANY.to_owned(), message });
        }
        Self { id, notice, deliveries }
    }
}

impl Delivery {
    fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            state: DeliveryState::Waiting,
            failures: 0,
            tried_at: None,
            next_attempt_at: None,
            problem: None,
        }
    }

    fn give_up(&mut self, problem: Problem) {
        self.state = DeliveryState::GivenUp;
        (self.next_attempt_at, self.problem) = (None, Some(problem));
    }
}

/// A name for a notice, by what it says and when: the same matter told another time has another one.
fn id(notice: &Notice) -> String {
    let notice = serde_json::to_vec(notice).unwrap_or_default();
    Digest::of(&notice).hex()[..32].to_owned()
}
