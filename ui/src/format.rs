//! Numbers, times, spans and words as people read them.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use seatline_protocol::text::number;

/// `text` with its first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A count with the noun that fits it: `1 account`, `5,000 accounts`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `part` of `whole` in per cent: `84%`. Never `100%` short of the whole, nor `0%` for something; none of nothing.
pub fn percent(part: u64, whole: u64) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let exact = part as f64 * 100.0 / whole as f64;
    Some(match exact {
        exact if part > 0 && exact < 1.0 => "<1%".to_owned(),
        exact if part < whole && exact > 99.0 => ">99%".to_owned(),
        exact => format!("{exact:.0}%"),
    })
}

/// A time with its zone, to the minute: `2026-11-22 01:30 UTC`.
pub fn date_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The time of the day with its zone, to the minute: `01:30 UTC`.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M UTC").to_string()
}

/// The day of a time in UTC: `2026-11-22`.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// A span in its largest whole unit, in seconds: `1 hour`, `90 minutes`, `7 days`.
pub fn span(seconds: u64) -> String {
    let units = [(86_400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"), (1, "second", "seconds")];
    let (size, one, many) = units
        .into_iter()
        .find(|(size, ..)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "second", "seconds"));
    counted(seconds / size, one, many)
}

/// A span as an interval: `every hour`, `every 90 minutes`.
pub fn every(seconds: u64) -> String {
    let span = span(seconds);
    format!("every {}", span.strip_prefix("1 ").unwrap_or(&span))
}

/// How far `at` lies from `now`: `just now`, `4 minutes ago`, `in 3 days`. Rounded down, so that nobody is told of more
/// time than he has.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.duration_since(now).as_secs();
    let (size, one, many) = match seconds.unsigned_abs() {
        0..60 => return if seconds > 0 { "in less than a minute" } else { "just now" }.to_owned(),
        60..7200 => (60, "minute", "minutes"),
        7200..172_800 => (3600, "hour", "hours"),
        172_800..63_072_000 => (86_400, "day", "days"),
        _ => (31_557_600, "year", "years"),
    };
    let far = counted(seconds.unsigned_abs() / size, one, many);
    if seconds > 0 { format!("in {far}") } else { format!("{far} ago") }
}

/// A time in full, and beside it how far it lies from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The time.
    pub at: Timestamp,
    /// The present.
    pub now: Timestamp,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, now } = *self;
        let (full, relative) = (date_time(at), relative(at, now));
        write!(f, r#"<time datetime="{at}">{full}</time> <span class="muted nowrap">({relative})</span>"#)
    }
}

impl askama::filters::HtmlSafe for When {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_share_is_full_or_empty_only_when_it_is() {
        let cases =
            [((0, 10), "0%"), ((1, 1000), "<1%"), ((999, 1000), ">99%"), ((1000, 1000), "100%"), ((3, 2), "150%")];
        for ((part, whole), text) in cases {
            assert_eq!(percent(part, whole).as_deref(), Some(text));
        }
        assert_eq!(percent(1, 0), None);
    }

    #[test]
    fn times_carry_their_zone() {
        assert_eq!(date_time(at("2026-11-22T02:30:59+01:00")), "2026-11-22 01:30 UTC");
        assert_eq!(day(at("2026-11-22T23:59:59Z")), "2026-11-22");
        assert_eq!(time_of_day(at("2026-11-22T23:59:59Z")), "23:59 UTC");
    }

    #[test]
    fn distances_are_rounded_down_and_face_the_right_way() {
        let now = at("2026-11-22T01:30:00Z");
        let cases = [
            ("2026-11-22T01:30:00Z", "just now"),
            ("2026-11-22T01:29:01Z", "just now"),
            ("2026-11-22T01:30:20Z", "in less than a minute"),
            ("2026-11-22T01:26:00Z", "4 minutes ago"),
            ("2026-11-22T03:00:00Z", "in 90 minutes"),
            ("2026-11-21T01:30:00Z", "24 hours ago"),
            ("2026-11-19T01:30:00Z", "3 days ago"),
            ("2026-11-25T01:29:59Z", "in 2 days"),
            ("2029-11-25T01:29:59Z", "in 3 years"),
        ];
        for (time, text) in cases {
            assert_eq!(relative(at(time), now), text, "{time}");
        }
        assert!(!relative(Timestamp::MIN, Timestamp::MAX).is_empty());
    }

    #[test]
    fn spans_use_the_largest_whole_unit() {
        for (seconds, text) in
            [(60, "1 minute"), (3600, "1 hour"), (5400, "90 minutes"), (604_800, "7 days"), (61, "61 seconds")]
        {
            assert_eq!(span(seconds), text);
        }
        assert_eq!((every(3600).as_str(), every(5400).as_str()), ("every hour", "every 90 minutes"));
    }
}
