//! The period of an export: by when reports were observed, as an administrator names it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A period; open where an end is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// The moment that it begins at.
    pub from: Option<Timestamp>,
    /// The moment that it ends before.
    pub until: Option<Timestamp>,
}

/// Why a text names no end of a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is neither a day nor a moment.
    #[error("`{0}` must be a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z")]
    NotATime(&'static str),
    /// The period ends before it begins.
    #[error("`to` must not be before `from`")]
    Backwards,
}

impl PeriodError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        "invalid-period"
    }
}

impl Period {
    /// The period from the day or moment `from` to `to`, where there are any: whole days of UTC, both included; of a
    /// moment, it ends before it. An empty text is as none.
    ///
    /// # Errors
    /// [`PeriodError`]
    ///
    /// ```
    /// use seatline_central::evidence::Period;
    ///
    /// let march = Period::between(Some("2026-03-01"), Some("2026-03-31"))?;
    /// assert_eq!(march.until.map(|until| until.to_string()).as_deref(), Some("2026-04-01T00:00:00Z"));
    /// # Ok::<(), seatline_central::evidence::period::PeriodError>(())
    /// ```
    pub fn between(from: Option<&str>, to: Option<&str>) -> Result<Self, PeriodError> {
        let given = |text: Option<&str>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let from = given(from).map(|text| moment(&text, "from", 0)).transpose()?;
        let until = given(to).map(|text| moment(&text, "to", 1)).transpose()?;
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return Err(PeriodError::Backwards);
        }
        Ok(Self { from, until })
    }
}

/// The moment that `text` is, or the begin of the day that is so many days after the one that it is.
fn moment(text: &str, name: &'static str, days: i64) -> Result<Timestamp, PeriodError> {
    let wrong = |_| PeriodError::NotATime(name);
    if text.contains('T') {
        return text.parse().map_err(wrong);
    }
    let day: Date = text.parse().map_err(wrong)?;
    let day = day.checked_add(days.days()).map_err(wrong)?;
    Ok(day.to_zoned(TimeZone::UTC).map_err(wrong)?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b12_a_period_is_of_whole_days_or_of_moments() {
        let text = |from, to| {
            let period = Period::between(from, to).expect("a period");
            [period.from, period.until].map(|at| at.map(|at| at.to_string()))
        };
        assert_eq!(
            text(Some("2026-01-01"), Some("2026-01-01")),
            [Some("2026-01-01T00:00:00Z".to_owned()), Some("2026-01-02T00:00:00Z".to_owned())]
        );
        assert_eq!(text(None, Some(" ")), [None, None]);
        assert_eq!(text(Some("2026-01-01T06:00:00+02:00"), None)[0].as_deref(), Some("2026-01-01T04:00:00Z"));
        for (from, to, expected) in [
            (Some("January"), None, PeriodError::NotATime("from")),
            (None, Some("2026-02-30"), PeriodError::NotATime("to")),
            (None, Some("9999-12-31"), PeriodError::NotATime("to")),
            (Some("2026-01-02"), Some("2026-01-01"), PeriodError::Backwards),
            (Some("2026-01-01T06:00:00Z"), Some("2026-01-01T06:00:00Z"), PeriodError::Backwards),
        ] {
            assert_eq!(Period::between(from, to), Err(expected));
        }
    }
}
