//! How long what was reported is kept.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::Sequence;
use serde::{Deserialize, Serialize};

/// The shortest time, in days, for which anything is kept: what waits in a product's outbox for six weeks without a
/// receipt must still be told apart from what was received.
pub const LEAST_DAYS: u32 = 45;

/// How long what was reported is kept. What is absent is kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Retention {
    /// For how many days sealed reports are kept, which are evidence. The newest of each link stays.
    pub reports_days: Option<u32>,
    /// For how many days the history of use is kept by the day. Months, and the highest count ever, stay.
    pub history_days: Option<u32>,
}

impl Retention {
    /// Whether it can be kept to.
    ///
    /// # Errors
    /// The rule, in one line.
    pub fn check(&self) -> Result<(), String> {
        match [self.reports_days, self.history_days].into_iter().flatten().all(|days| days >= LEAST_DAYS) {
            true => Ok(()),
            false => Err(format!("at least {LEAST_DAYS} days, or for ever")),
        }
    }

    /// Before when reports are forgotten, if ever.
    pub fn reports_before(&self, now: Timestamp) -> Option<Timestamp> {
        before(self.reports_days, now)
    }

    /// Before when the history by the day is forgotten, if ever.
    pub fn history_before(&self, now: Timestamp) -> Option<Timestamp> {
        before(self.history_days, now)
    }
}

/// What would go if a retention were set: counted at some links, as the ids of links are drawn by lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct WouldForget {
    /// Reports that were received before then would go.
    pub reports_before: Option<Timestamp>,
    /// Days of the history before then would go.
    pub history_before: Option<Timestamp>,
    /// How many links were looked at.
    pub links: u64,
    /// Whether these are all links that there are.
    pub is_all: bool,
    /// About how many sealed reports of these links would go.
    pub reports: u64,
    /// How many days of history of these links would go.
    pub days: u64,
}

/// Reports of a chain that were received, and let go as the retention says: no gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LetGo {
    /// The last of them.
    pub up_to: Sequence,
    /// How many there were.
    pub reports: u64,
}

fn before(days: Option<u32>, now: Timestamp) -> Option<Timestamp> {
    days.and_then(|days| now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_in_an_outbox_is_not_forgotten_meanwhile() {
        let days = |reports_days, history_days| Retention { reports_days, history_days };
        assert_eq!(days(None, None).check(), Ok(()));
        assert_eq!(days(Some(LEAST_DAYS), Some(400)).check(), Ok(()));
        days(Some(LEAST_DAYS - 1), None).check().expect_err("too short");
        days(None, Some(0)).check().expect_err("too short");
    }

    #[test]
    fn what_is_kept_for_ever_is_never_forgotten() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        assert_eq!(Retention::default().reports_before(now), None);
        let kept = Retention { reports_days: Some(50), history_days: Some(u32::MAX) };
        assert_eq!(kept.reports_before(now), Timestamp::from_second(1_800_000_000 - 50 * 86_400).ok());
        assert_eq!(kept.history_before(now), None, "before the beginning of time, there is nothing");
    }
}
