//! From the values of a row to an account: pure, and the same for every database.

use std::io::Write as _;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use seatline_host::ports::{Account, LastSeen};

use super::SourceError;
use super::columns::{Columns, NAMES};

/// The most bytes of an identity: far beyond any mail address, and a bound on what a row may cost.
pub const MAX_IDENTITY_BYTES: usize = 1024;
/// Numbers below this are no sign-ins in seconds: 1980-01-01. A day written 20260301 and a Julian day lie below it.
const FIRST_SECOND: i64 = 315_532_800;
/// Numbers from here on are milliseconds: as seconds they would lie in the year 5138, as milliseconds in 1973.
const FIRST_MILLISECOND: i64 = 100_000_000_000;
/// Numbers from here on are neither: 2100-01-01 in milliseconds. A time written 20260301101112 lies above it.
const BEYOND: i64 = 4_102_444_800_000;
/// Intervals of 100 ns since 1601, as Active Directory counts: from 1980 to 2100. Nothing else is of this size.
const FILE_TIMES: std::ops::Range<i64> = 119_600_064_000_000_000..157_469_184_000_000_000;
/// Such intervals from 1601 to 1970.
const FILE_TIME_OF_1970: i64 = 116_444_736_000_000_000;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'r> {
    /// NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A moment.
    Time(SystemTime),
    /// Text, which nobody has checked yet.
    Text(&'r [u8]),
    /// Something else, such as a blob.
    Other,
}

impl<'r> Value<'r> {
    fn text(self) -> Result<&'r str, Rule> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| "is not UTF-8"),
            _ => Err("is not text"),
        }
    }
}

/// What a value must be, in words that continue "row 3: `active` …".
type Rule = &'static str;

/// Makes accounts of rows. It holds what rows share, and one buffer.
pub struct Rows {
    /// Where its fields are.
    pub columns: Columns,
    /// The number of the latest row, from 1.
    pub count: u64,
    number: Vec<u8>,
}

impl Rows {
    /// For rows whose fields are where `columns` says.
    pub fn of(columns: Columns) -> Self {
        Self { columns, count: 0, number: Vec::with_capacity(20) }
    }

    /// The account of the next row, whose value at an index `value` gives.
    ///
    /// # Errors
    /// The first value that cannot be understood.
    pub fn account<'r>(&'r mut self, value: impl Fn(usize) -> Value<'r>) -> Result<Account<'r>, SourceError> {
        self.count += 1;
        let row = self.count;
        let [identity_at, active, licensed_access, last_seen, service_account] = self.columns.0;
        let refuse = |field: usize| move |rule| SourceError::Value { row, column: NAMES[field], rule };
        let truth = |column: Option<usize>, field: usize, default: bool| match column {
            Some(index) => as_truth(value(index)).map_err(refuse(field)),
            None => Ok(default),
        };
        Ok(Account {
            active: truth(active, 1, true)?,
            licensed_access: truth(licensed_access, 2, true)?,
            last_seen: match last_seen {
                Some(index) => as_last_seen(value(index)).map_err(refuse(3))?,
                None => LastSeen::Unknown,
            },
            service_account: truth(service_account, 4, false)?,
            identity: as_identity(identity_at.map_or(Value::Null, &value), &mut self.number).map_err(refuse(0))?,
        })
    }
}

/// An identity: text that is not blank, or a whole number, which is written into `number`.
fn as_identity<'r>(value: Value<'r>, number: &'r mut Vec<u8>) -> Result<&'r str, Rule> {
    let identity = match value {
        Value::Null => return Err("is missing: every account needs a mail address or a login"),
        Value::Integer(id) => {
            number.clear();
            // Writing into memory does not fail.
            let _ = write!(number, "{id}");
            Value::Text(number).text()?
        }
        other => other.text()?,
    };
    if identity.len() > MAX_IDENTITY_BYTES {
        Err("is longer than 1024 bytes")
    } else if identity.chars().all(char::is_whitespace) {
        Err("is empty: every account needs a mail address or a login")
    } else {
        Ok(identity)
    }
}

fn as_truth(value: Value<'_>) -> Result<bool, Rule> {
    const RULE: Rule = "must be a boolean, 0 or 1, t or f, true or false, yes or no";
    match value {
        Value::Null => Err("is missing: say what that means, in SQL by coalesce(…), elsewhere by `missing`"),
        Value::Bool(truth) => Ok(truth),
        Value::Integer(0) => Ok(false),
        Value::Integer(1) => Ok(true),
        Value::Text(text) => {
            let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
            match (is(["true", "t", "yes", "1"]), is(["false", "f", "no", "0"])) {
                (true, _) => Ok(true),
                (_, true) => Ok(false),
                _ => Err(RULE),
            }
        }
        _ => Err(RULE),
    }
}

fn as_last_seen(value: Value<'_>) -> Result<LastSeen, Rule> {
    const RULE: Rule = "must be a date, a time, or the seconds or milliseconds since 1970";
    match value {
        Value::Null => Ok(LastSeen::Never),
        Value::Integer(number) => seen_at(number).ok_or(RULE),
        Value::Time(time) => Timestamp::try_from(time).map(on_day_of).map_err(|_| RULE),
        Value::Real(number) => seen_at_real(number).ok_or(RULE),
        Value::Text(bytes) => {
            if let Some(day) = plain_day(bytes) {
                return Ok(LastSeen::On(day));
            }
            let text = value.text()?.trim();
            let day = if text.bytes().all(|byte| byte.is_ascii_digit()) {
                text.parse().ok().and_then(seen_at)
            } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                text.parse().ok().and_then(seen_at_real)
            } else {
                day_of(text).map(LastSeen::On)
            };
            day.ok_or(RULE)
        }
        Value::Bool(_) | Value::Other => Err(RULE),
    }
}

/// A sign-in at so many seconds or milliseconds since 1970, told apart by their size; 0 is never.
fn seen_at(number: i64) -> Option<LastSeen> {
    let time = match number {
        0 => return Some(LastSeen::Never),
        FIRST_SECOND..FIRST_MILLISECOND => Timestamp::from_second(number),
        FIRST_MILLISECOND..BEYOND => Timestamp::from_millisecond(number),
        _ if FILE_TIMES.contains(&number) => Timestamp::from_second((number - FILE_TIME_OF_1970) / 10_000_000),
        _ => return None,
    };
    time.ok().map(on_day_of)
}

fn on_day_of(time: Timestamp) -> LastSeen {
    LastSeen::On(Offset::UTC.to_datetime(time).date())
}

fn seen_at_real(number: f64) -> Option<LastSeen> {
    // In this range every whole number has its exact f64, and the other way round.
    (0.0..BEYOND as f64).contains(&number).then_some(number as i64).and_then(seen_at)
}

/// The day of a time as databases write nearly all of them: `2026-03-01T10:11:12`, perhaps with a space for the `T`, or
/// a `Z` behind. It is read here because the library took more time for it than everything else of a row does; what is
/// anything else, or no such time, is left to the library.
fn plain_day(text: &[u8]) -> Option<Date> {
    let time = text.strip_suffix(b"Z").unwrap_or(text);
    let &[y, e, a, r, b'-', m, o, b'-', d, i, b'T' | b' ', h, u, b':', n, t, b':', s, c] = time else { return None };
    let digits = [y, e, a, r, m, o, d, i, h, u, n, t, s, c].map(|digit| digit.wrapping_sub(b'0'));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let two = |at: usize| i16::from(digits[at]) * 10 + i16::from(digits[at + 1]);
    let is_time = two(8) < 24 && two(10) < 60 && two(12) < 60;
    let (year, month, day) = (two(0) * 100 + two(2), two(4) as i8, two(6) as i8);
    Date::new(year, month, day).ok().filter(|_| is_time)
}

/// The day in UTC of an ISO date, a time with its zone, or a time without (which is in UTC then).
fn day_of(text: &str) -> Option<Date> {
    if text.len() == "2026-03-01".len() {
        return text.parse::<Date>().ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(Offset::UTC.to_datetime(time).date());
    }
    text.parse::<DateTime>().ok().map(|time| time.date()).or_else(|| day_of_generalized(text))
}

/// The day in UTC of a time as directories write it, `20260301101112.5Z` (RFC 4517, section 3.3.13).
fn day_of_generalized(text: &str) -> Option<Date> {
    let (digits, rest) = text.split_at_checked(14)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zone = rest.trim_start_matches(['.', ',']).trim_start_matches(|digit: char| digit.is_ascii_digit());
    let zone = match zone.split_at_checked(3) {
        None if zone == "Z" => zone.to_owned(),
        Some((hours, minutes)) if zone.starts_with(['+', '-']) => {
            format!("{hours}:{}", if minutes.is_empty() { "00" } else { minutes })
        }
        _ => return None,
    };
    let (day, time) = digits.split_at(8);
    let text =
        format!("{}-{}-{}T{}:{}:{}{zone}", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4], &time[4..]);
    text.parse::<Timestamp>().ok().map(|time| Offset::UTC.to_datetime(time).date())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_for_times_gives_what_the_library_gives(
            text in "[0-9]{3}[0-9x]-[01][0-9]-[0-3][0-9][T _][0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|\\.5|z|\\+01)?"
        ) {
            if let Some(day) = plain_day(text.as_bytes()) {
                prop_assert_eq!(day_of(&text), Some(day));
            } else if text.len() <= "2026-03-01T10:11:12Z".len() && !text.contains(['_', 'z', '.', '+', 'x']) {
                // The library takes a leap second, which is left to it.
                prop_assert!(day_of(&text).is_none() || text.contains(":60"), "{}", text);
            }
        }
    }

    fn on(day: &str) -> Result<LastSeen, Rule> {
        Ok(LastSeen::On(day.parse().expect("a day")))
    }

    fn seen(text: &str) -> Result<LastSeen, Rule> {
        as_last_seen(Value::Text(text.as_bytes()))
    }

    #[test]
    fn a_sign_in_is_read_from_every_documented_form() {
        assert_eq!(as_last_seen(Value::Null), Ok(LastSeen::Never));
        assert_eq!(as_last_seen(Value::Integer(0)), Ok(LastSeen::Never));
        assert_eq!(as_last_seen(Value::Integer(1_772_323_200)), on("2026-03-01"));
        assert_eq!(as_last_seen(Value::Integer(1_772_323_200_000)), on("2026-03-01"));
        assert_eq!(as_last_seen(Value::Real(1_772_323_200.75)), on("2026-03-01"));
        for text in [
            "2026-03-01",
            " 2026-03-01 ",
            "2026-03-01 10:11:12",
            "2026-03-01T10:11:12",
            "2026-03-01 10:11",
            "2026-03-01T10:11:12.123456",
            "2026-03-01T10:11:12Z",
            "2026-03-01 10:11:12.5+00",
            "2026-03-02 01:00:00+05:30",
            "2026-02-28T23:00:00-02:00",
            "20260301101112Z",
            "20260301101112.5Z",
            "20260301235959,123-0000",
            "20260302010000+0530",
            "20260302010000+05",
            "134167968000000000",
            "1772323200",
            "1772323200000",
            "1772323200.123456",
        ] {
            assert_eq!(seen(text), on("2026-03-01"), "{text}");
        }
    }

    #[test]
    fn what_is_no_sign_in_is_refused_and_never_guessed() {
        for text in [
            "",
            "never",
            "01/03/2026",
            "2026-02-30",
            "20260301",
            "20260301101112",
            "20260301101112X",
            "20261301101112Z",
            "2026-03-01 25:00",
            "infinity",
            "-1",
            "1e9",
        ] {
            seen(text).expect_err(text);
        }
        for number in [-1, 1, 20_260_301, 2_461_100, FIRST_SECOND - 1, BEYOND, i64::MAX, i64::MIN] {
            as_last_seen(Value::Integer(number)).expect_err("out of range");
        }
        for number in [f64::NAN, f64::INFINITY, -1.0, 2_461_100.5, 1e300] {
            as_last_seen(Value::Real(number)).expect_err("out of range");
        }
        as_last_seen(Value::Other).expect_err("a blob");
        as_last_seen(Value::Bool(false)).expect_err("a truth value is no time, not even never");
    }

    #[test]
    fn truth_is_read_from_every_documented_form_and_from_no_other() {
        for (text, truth) in [("t", true), ("TRUE", true), ("Yes", true), ("1", true), ("f", false), ("no", false)] {
            assert_eq!(as_truth(Value::Text(text.as_bytes())), Ok(truth), "{text}");
        }
        for value in
            [Value::Null, Value::Integer(2), Value::Real(1.0), Value::Text(b""), Value::Text(b"on"), Value::Other]
        {
            as_truth(value).expect_err("no truth value");
        }
    }

    #[test]
    fn an_identity_is_text_or_a_number_and_never_blank() {
        let identity = |value| as_identity(value, &mut Vec::new()).map(str::to_owned);
        assert_eq!(identity(Value::Text("Zoë@example.org".as_bytes())).as_deref(), Ok("Zoë@example.org"));
        assert_eq!(identity(Value::Integer(-42)).as_deref(), Ok("-42"));
        let long = [b'a'; MAX_IDENTITY_BYTES + 1];
        for value in
            [Value::Null, Value::Text(b" \t"), Value::Text(b"\xff"), Value::Text(&long), Value::Real(1.5), Value::Other]
        {
            identity(value).expect_err("no identity");
        }
    }

    #[test]
    fn a_row_that_cannot_be_understood_is_named_without_its_value() {
        let mut rows = Rows::of(Columns([Some(0), Some(1), None, None, None]));
        rows.account(|_| Value::Integer(1)).expect("the first row");
        let error = rows.account(|index| if index == 0 { Value::Text(b"ann@x") } else { Value::Text(b"perhaps") });
        let text = error.expect_err("the second row").to_string();
        assert_eq!(text, "row 2: `active` must be a boolean, 0 or 1, t or f, true or false, yes or no");
    }
}
