//! Sets whose people are counted again and again.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::Scope;

/// The most sets that are counted by a schedule.
pub const MOST_SCHEDULED: u32 = 10;

/// How often a set is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CountedEvery)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Each day.
    Day,
    /// Each week.
    Week,
    /// Each month.
    Month,
}

impl Every {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The name, as documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// That of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.name() == name)
    }

    /// The first time after `now` that is a whole number of days, weeks or months after `since`, in UTC. A month that
    /// has no such day has its last.
    pub fn next(self, since: Timestamp, now: Timestamp) -> Timestamp {
        let days = |days: i64| {
            let length = SignedDuration::from_hours(24 * days);
            let passed = now.duration_since(since).as_millis() / length.as_millis();
            let steps = i32::try_from(passed + 1).unwrap_or(i32::MAX).max(1);
            since.checked_add(length.saturating_mul(steps)).unwrap_or(Timestamp::MAX)
        };
        match self {
            Self::Day => days(1),
            Self::Week => days(7),
            Self::Month => {
                let [from, to] = [since, now].map(|at| at.to_zoned(TimeZone::UTC));
                let months = 12 * i32::from(to.year() - from.year()) + i32::from(to.month() - from.month());
                let after = |months: i32| from.checked_add(months.months()).map_or(Timestamp::MAX, |at| at.timestamp());
                (months.max(1)..).map(after).find(|at| *at > now).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

/// That a set is counted again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PeopleSchedule)]
pub struct Schedule {
    /// The set.
    pub scope: Scope,
    /// How often.
    pub every: Every,
    /// Who has set so.
    pub set_by: String,
    /// When: the counts are whole days, weeks or months after it.
    pub set_at: Timestamp,
    /// When it is counted next.
    pub next_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn b9_the_next_count_comes_at_the_same_hour_and_none_is_made_up_for() {
        let next = |every: Every, since: &str, now: &str| every.next(at(since), at(now)).to_string();
        let since = "2026-01-31T10:30:00Z";
        assert_eq!(next(Every::Day, since, since), "2026-02-01T10:30:00Z");
        assert_eq!(next(Every::Day, since, "2026-03-05T10:29:59Z"), "2026-03-05T10:30:00Z");
        assert_eq!(next(Every::Week, since, "2026-02-07T10:30:00Z"), "2026-02-14T10:30:00Z");
        assert_eq!(next(Every::Month, since, since), "2026-02-28T10:30:00Z", "February has no 31st");
        assert_eq!(next(Every::Month, since, "2026-02-28T10:30:00Z"), "2026-03-31T10:30:00Z", "and March has");
        assert_eq!(next(Every::Month, since, "2027-12-31T11:00:00Z"), "2028-01-31T10:30:00Z");
        // A clock that was set back makes none come early.
        assert_eq!(next(Every::Week, since, "2025-01-01T00:00:00Z"), "2026-02-07T10:30:00Z");
        assert_eq!(next(Every::Month, since, "2025-01-01T00:00:00Z"), "2026-02-28T10:30:00Z");
    }

    #[test]
    fn how_often_has_a_name() {
        for every in Every::ALL {
            assert_eq!(Every::of_name(every.name()), Some(every));
            assert_eq!(serde_json::to_value(every).expect("JSON"), every.name());
        }
        assert_eq!(Every::of_name("hour"), None);
    }
}
