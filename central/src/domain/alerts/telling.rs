//! What a channel is still to be told of a matter, and from when on.
//!
//! # The rule
//! 1. What has begun is told when it has lasted for a while (`settle` of [`Pace`]): what is over sooner is never told.
//! 2. What has become graver is told after the same time; what has become less grave, and what is over, when it has
//!    stayed so for another while (`calm` of [`Pace`]), and only to whom the graver state was told. So everything that
//!    was told is taken back once.
//! 3. A matter that comes back soon after it was told to be over swings: each time doubles the while, up to a day.
//!    However fast it swings, a channel hears of it less than twenty times on the first day and once or twice on each
//!    other one.
//! 4. What happens at a moment (an event) is told once.
//! 5. What somebody has acknowledged is not told while the acknowledgement holds; that it is over is, where its begin
//!    was.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::notices::Step;
use serde::{Deserialize, Serialize};

use super::acknowledgement::Acknowledgement;
use crate::domain::Gravity;

/// How long is waited before something is told, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// How long something must have lasted: what begins together is then told together, too.
    pub settle: u32,
    /// How long something must be over.
    pub calm: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { settle: 60, calm: 600 }
    }
}

impl Pace {
    /// The longest of either.
    pub const MAX: u32 = 86_400;

    /// Whether it can be kept.
    ///
    /// # Errors
    /// The rule, in one line.
    pub fn check(&self) -> Result<(), String> {
        match self.settle.max(self.calm) > Self::MAX {
            true => Err(format!("settle and calm are at most {} seconds", Self::MAX)),
            false => Ok(()),
        }
    }

    fn settle(self) -> SignedDuration {
        SignedDuration::from_secs(self.settle.into())
    }

    /// How long a matter that has come back so often must be over before that is told.
    fn calm(self, swings: u32) -> SignedDuration {
        let calm = i64::from(self.calm);
        SignedDuration::from_secs(calm << swings.min(16)).min(LONGEST_CALM.max(SignedDuration::from_secs(calm)))
    }
}

/// The longest that the end of something is not told, however much it swings.
pub const LONGEST_CALM: SignedDuration = SignedDuration::from_hours(24);

/// How a matter stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It lasts.
    Open(Open),
    /// It is over, since then.
    Over(Timestamp),
    /// It is an event, which happened then.
    Happened(Gravity, Timestamp),
}

/// A matter that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// When it was found.
    pub began_at: Timestamp,
    /// When it came to this step.
    pub changed_at: Timestamp,
    /// How far it has come.
    pub step: Step,
    /// How grave it is.
    pub gravity: Gravity,
}

/// What a channel has heard of a matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// What it believes to be so; none where nothing is, as far as it knows.
    pub told: Option<(Step, Gravity)>,
    /// When it heard of the matter last.
    pub at: Option<Timestamp>,
    /// How often it was told that the matter has come back.
    pub swings: u32,
}

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// It has begun.
    Began,
    /// It is graver than it was told to be.
    Worse,
    /// It is less grave than it was told to be.
    Better,
    /// It is over.
    Over,
    /// It has happened.
    Happened,
}

impl News {
    /// All kinds of news, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Began, Self::Worse, Self::Better, Self::Over, Self::Happened];

    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Over => "over",
            Self::Happened => "happened",
        }
    }
}

/// Something to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub news: News,
    /// From when on.
    pub at: Timestamp,
    /// The step that is told: of what is over, the one that it had.
    pub step: Step,
    /// How grave that is.
    pub gravity: Gravity,
}

/// What a channel that wants to hear of a matter is still to be told of it.
pub fn due(standing: &Standing, heard: &Heard, acknowledged: Option<&Acknowledgement>, pace: Pace) -> Option<Due> {
    let after = |at: Timestamp, wait: SignedDuration| at.checked_add(wait).unwrap_or(Timestamp::MAX);
    match (standing, heard.told) {
        (Standing::Happened(gravity, at), _) => {
            let is_told = heard.at.is_some_and(|told| told >= *at);
            (!is_told).then_some(Due { news: News::Happened, at: *at, step: Step::Holds, gravity: *gravity })
        }
        (Standing::Over(_), None) => None,
        (Standing::Over(at), Some((step, gravity))) => {
            Some(Due { news: News::Over, at: after(*at, pace.calm(heard.swings)), step, gravity })
        }
        (Standing::Open(open), told) => {
            let (news, wait) = match told {
                None => (News::Began, pace.settle()),
                Some((step, gravity)) if (step, gravity) == (open.step, open.gravity) => return None,
                Some((step, gravity)) => match is_graver((open.gravity, open.step), (gravity, step)) {
                    true => (News::Worse, pace.settle()),
                    false => (News::Better, pace.calm(heard.swings)),
                },
            };
            let at = after(open.changed_at, wait);
            let at = match acknowledged.filter(|known| known.covers(open)) {
                None => at,
                Some(known) => at.max(known.until?),
            };
            Some(Due { news, at, step: open.step, gravity: open.gravity })
        }
    }
}

fn is_graver((gravity, step): (Gravity, Step), (old_gravity, old_step): (Gravity, Step)) -> bool {
    (gravity, step.gravity()) > (old_gravity, old_step.gravity())
}

impl Heard {
    /// What is so when the channel was told `due` at a time.
    pub fn after(&self, due: &Due, now: Timestamp) -> Self {
        let told = match due.news {
            News::Began | News::Worse | News::Better => Some((due.step, due.gravity)),
            News::Over | News::Happened => None,
        };
        let lately = self.at.is_some_and(|at| now.duration_since(at) < LONGEST_CALM);
        let swings = match due.news {
            News::Began | News::Worse if lately => self.swings.saturating_add(1),
            News::Began => 0,
            _ => self.swings,
        };
        Self { told, at: Some(now), swings }
    }
}

#[cfg(test)]
mod tests;
