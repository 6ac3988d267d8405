//! Where values and times stand on a chart, and what its axes say.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The length of both axes in the units of a drawing.
pub(super) const LENGTH: f64 = 1000.0;

/// How many times the highest count a limit or an outlook may be and still be drawn: beyond that, the counts would be a
/// line at the foot of the chart.
const REACH: f64 = 3.0;
/// The axis begins at zero, unless the lowest count is more than this share of what is highest.
const FAR_FROM_ZERO: f64 = 0.7;
/// Fewer than so many are always drawn from zero on.
const FEW: f64 = 20.0;
/// The least part of the highest count that an axis which does not begin at zero spans: small changes look small.
const LEAST_SPAN: f64 = 0.05;
/// About how many parts the axis of values has.
const PARTS: f64 = 4.0;

/// The axis of values, from its foot to its top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) foot: f64,
    top: f64,
    step: f64,
}

impl Values {
    /// An axis that holds all `counts`, and of `others` those that leave the counts to be seen.
    pub(super) fn holding(counts: impl Iterator<Item = f64>, others: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for count in counts.filter(|count| count.is_finite()) {
            (low, high) = (low.min(count), high.max(count));
        }
        let reach = high.max(1.0) * REACH;
        for other in others.filter(|other| (0.0..=reach).contains(other)) {
            (low, high) = (low.min(other), high.max(other));
        }
        let span = high - low;
        let is_far = span >= 1.0 && high >= FEW && low > high * FAR_FROM_ZERO;
        let low = if is_far { low - span.max(high * LEAST_SPAN) } else { 0.0 };
        let step = nice((high - low) / PARTS);
        let foot = (low / step).floor().max(0.0) * step;
        let top = (high / step).ceil().max(foot / step + 1.0) * step;
        Self { foot, top, step }
    }

    /// Where a value stands, from the top: what lies beyond the axis stands at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = (self.top - value) / (self.top - self.foot);
        // What is no number stands at the foot.
        if place.is_nan() { LENGTH } else { place.clamp(0.0, 1.0) * LENGTH }
    }

    /// Whether a value is on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.foot..=self.top).contains(&value)
    }

    /// The values that are written beside the axis.
    pub(super) fn marks(&self) -> Vec<u64> {
        let parts = ((self.top - self.foot) / self.step).round().min(12.0) as u32;
        (0..=parts).map(|n| (self.foot + f64::from(n) * self.step) as u64).collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`, and at least 1: counts are whole.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1.0).log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step).unwrap_or(10.0);
    factor * power
}

/// The axis of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// A day that is written below the axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    pub(super) place: f64,
    pub(super) label: String,
}

/// The most days below the axis.
const MOST_DAYS: usize = 8;
/// How near to an end of the axis no day is written: its label would be cut off.
const MARGIN: f64 = LENGTH * 0.04;

impl Times {
    /// Where a time stands: what lies beyond the axis stands at its end.
    pub(super) fn place(&self, at: Timestamp) -> f64 {
        let millis = |time: Timestamp| time.as_millisecond() as f64;
        let length = (millis(self.until) - millis(self.from)).max(1.0);
        ((millis(at) - millis(self.from)) / length).clamp(0.0, 1.0) * LENGTH
    }

    /// The days that are written below the axis: the same weekday for weeks, the first of months and of years for more.
    pub(super) fn days(&self) -> Vec<Day> {
        let first = self.from.to_zoned(TimeZone::UTC).date();
        let last = self.until.to_zoned(TimeZone::UTC).date();
        let days = (self.until.duration_since(self.from).as_hours() / 24).max(1);
        match days {
            ..=9 => self.every(first, last, 1, "%-d %b"),
            10..=60 => self.every(first, last, if days <= 45 { 7 } else { 14 }, "%-d %b"),
            _ => {
                let months = days / 30;
                let apart = [1_i32, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 6000, 12_000, 24_000];
                let apart = apart.into_iter().find(|apart| months / i64::from(*apart) <= 7);
                self.months(first, last, apart.unwrap_or(24_000))
            }
        }
    }

    fn every(&self, first: Date, last: Date, apart: i32, form: &str) -> Vec<Day> {
        let mut days = Vec::new();
        let mut day = Some(first);
        while let Some(at) = day.filter(|day| *day <= last && days.len() < 2 * MOST_DAYS) {
            days.extend(self.day(at, form));
            day = at.checked_add(apart.days()).ok();
        }
        days
    }

    fn months(&self, first: Date, last: Date, apart: i32) -> Vec<Day> {
        let mut days = Vec::new();
        let months = i32::from(first.year()) * 12 + i32::from(first.month()) - 1;
        let mut month = months.div_euclid(apart) * apart;
        let end = i32::from(last.year()) * 12 + i32::from(last.month());
        let form = if apart >= 12 { "%Y" } else { "%b %Y" };
        while month <= end && days.len() < 2 * MOST_DAYS {
            let (year, of_year) = (month.div_euclid(12), month.rem_euclid(12) + 1);
            let date = i16::try_from(year).ok().zip(i8::try_from(of_year).ok());
            let date = date.and_then(|(year, month)| Date::new(year, month, 1).ok());
            days.extend(date.and_then(|date| self.day(date, form)));
            month += apart;
        }
        days
    }

    fn day(&self, date: Date, form: &str) -> Option<Day> {
        let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let place = self.place(at);
        let is_inside = self.from <= at && at <= self.until && (MARGIN..=LENGTH - MARGIN).contains(&place);
        is_inside.then(|| Day { place, label: date.strftime(form).to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(counts: &[f64], others: &[f64]) -> Vec<u64> {
        Values::holding(counts.iter().copied(), others.iter().copied()).marks()
    }

    #[test]
    fn the_axis_begins_at_zero_unless_the_counts_are_far_from_it() {
        assert_eq!(marks(&[120.0, 420.0], &[500.0]), [0, 200, 400, 600]);
        assert_eq!(marks(&[4_900.0, 5_000.0], &[5_100.0]), [4_600, 4_800, 5_000, 5_200]);
        assert_eq!(marks(&[0.0], &[]), [0, 1]);
        assert_eq!(marks(&[], &[]), [0, 1]);
    }

    #[test]
    fn a_limit_far_beyond_the_counts_does_not_press_them_flat() {
        assert_eq!(marks(&[10.0], &[1_000_000.0]), [0, 5, 10], "the limit is left out");
    }

    #[test]
    fn days_are_few_and_stand_inside_the_axis() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (from, until, first) in [
            ("2026-11-20T00:00:00Z", "2026-11-22T10:00:00Z", "21 Nov"),
            ("2026-10-23T12:00:00Z", "2026-11-22T10:00:00Z", "30 Oct"),
            ("2026-08-24T00:00:00Z", "2026-11-22T10:00:00Z", "Sep 2026"),
            ("2025-11-22T00:00:00Z", "2027-02-22T10:00:00Z", "Jan 2026"),
            ("2016-11-22T00:00:00Z", "2026-11-22T10:00:00Z", "2018"),
            ("0001-01-01T00:00:00Z", "9999-12-30T10:00:00Z", "2000"),
        ] {
            let days = Times { from: at(from), until: at(until) }.days();
            assert!((1..=9).contains(&days.len()), "{from}: {days:?}");
            assert_eq!(days.first().map(|day| day.label.trim_start_matches('0')), Some(first), "{days:?}");
        }
    }
}
