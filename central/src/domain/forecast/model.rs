//! The model: growth, pattern of the week, what stays and what passes, and where the count stands now.

use super::{Band, DayAhead, DayCount};

/// How many days are in a week.
const WEEK: usize = 7;
/// The fewest days from which a pattern of the week is read.
const WEEKLY_DAYS: usize = 28;
/// A pattern of the week is used where it takes away at least this share of the changes from day to day.
const WEEKLY_GAIN: f64 = 0.25;
/// A pattern in which a weekday comes to less than this share of the line is none: what is counted then says too
/// little.
const LEAST_SHARE: f64 = 0.1;
/// The distances at which the variogram is read, in days; those up to a third of the span are used.
const LAGS: [i32; 8] = [1, 2, 3, 5, 7, 14, 21, 28];
/// The variance of rounding to a whole number: no count is known better.
const ROUNDING: f64 = 1.0 / 12.0;
/// The variance of the Theil–Sen slope against that of least squares, where the noise is normal (Sen 1968).
const THEIL_SEN: f64 = 1.1;
/// The variance of a slope fitted to a random walk, in steps of it by its length (Durlauf and Phillips 1988).
const WALK: f64 = 1.2;

/// A fitted model.
pub(super) struct Model {
    /// The growth by day.
    slope: f64,
    slope_variance: f64,
    /// The share of the line that each weekday comes to; all one where there is no pattern.
    week: [f64; WEEK],
    /// Where the line stands on the day that the times are counted from.
    level: f64,
    level_variance: f64,
    /// What passes: the variance of a day.
    passes: f64,
    /// What stays: the variance by day.
    stays: f64,
    last_day: i32,
    factor: f64,
}

impl Model {
    /// The model of days in order, of which there are at least three.
    pub(super) fn of(days: &[DayCount]) -> Self {
        let last_day = days.last().map_or(0, |day| day.day);
        let time = |day: &DayCount| f64::from(day.day - last_day);
        let raw: Vec<(f64, f64)> = days.iter().map(|day| (time(day), day.count as f64)).collect();
        let week = weekly(days, &raw);
        let points: Vec<(f64, f64)> =
            raw.iter().zip(days).map(|((t, count), day)| (*t, count / week[weekday(day.day)])).collect();
        let slope = theil_sen(&points);
        let rest: Vec<(f64, f64)> = points.iter().map(|(t, count)| (*t, count - slope * t)).collect();
        let (passes, stays) = variances(days, &rest);
        let (level, level_variance) = filtered(&rest, passes, stays);
        let span = -points.first().map_or(-1.0, |(t, _)| *t);
        let slope_variance = THEIL_SEN * 12.0 * passes / (points.len() as f64 * span * span) + WALK * stays / span;
        // What stays makes neighbouring days alike: a week counts as one observation.
        let independent = (points.len() as f64 / WEEK as f64 - 1.0).max(3.0);
        let factor = student(independent);
        Self { slope, slope_variance, week, level, level_variance, passes, stays, last_day, factor }
    }

    /// A day after the last one.
    pub(super) fn ahead(&self, day: i32) -> DayAhead {
        let ahead = f64::from(day - self.last_day);
        let likely = self.level + self.slope * ahead;
        let variance = self.level_variance + self.passes + self.stays * ahead + self.slope_variance * ahead * ahead;
        DayAhead { day, count: self.band(likely, variance).times(self.week[weekday(day)]) }
    }

    /// How much the count grows in so many days.
    pub(super) fn growth(&self, days: i32) -> Band {
        let days = f64::from(days);
        self.band(self.slope * days, self.slope_variance * days * days)
    }

    pub(super) fn has_weekly_pattern(&self) -> bool {
        self.week.iter().any(|share| *share != 1.0)
    }

    fn band(&self, likely: f64, variance: f64) -> Band {
        let half = self.factor * variance.sqrt();
        Band { low: likely - half, likely, high: likely + half }
    }
}

impl Band {
    /// A share of it, and of what is below zero nothing: there is no such count.
    fn times(self, share: f64) -> Self {
        let part = |value: f64| (value * share).max(0.0);
        Self { low: part(self.low), likely: part(self.likely), high: part(self.high) }
    }
}

fn weekday(day: i32) -> usize {
    day.rem_euclid(WEEK as i32) as usize
}

fn median(values: &mut [f64]) -> f64 {
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    if values.is_empty() {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower + (upper - lower) / 2.0
}

/// The median of the slopes between all pairs of points (Sen 1968).
fn theil_sen(points: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, (t, count)) in points.iter().enumerate() {
        slopes.extend(points[i + 1..].iter().map(|(later, other)| (other - count) / (later - t)));
    }
    median(&mut slopes)
}

/// The share of the line that each weekday comes to, where that explains the counts; else ones.
fn weekly(days: &[DayCount], points: &[(f64, f64)]) -> [f64; WEEK] {
    const NONE: [f64; WEEK] = [1.0; WEEK];
    let slope = theil_sen(points);
    let level = median(&mut points.iter().map(|(t, count)| count - slope * t).collect::<Vec<_>>());
    let line = |t: f64| (level + slope * t).max(1.0);
    let mut of_weekday: [Vec<f64>; WEEK] = Default::default();
    for (day, (t, count)) in days.iter().zip(points) {
        of_weekday[weekday(day.day)].push(count / line(*t));
    }
    if days.len() < WEEKLY_DAYS || of_weekday.iter().any(|days| days.len() < 3) {
        return NONE;
    }
    let week = of_weekday.map(|mut shares| median(&mut shares));
    let changes = |week: &[f64; WEEK]| -> f64 {
        let rest = days.iter().zip(points).map(|(day, (t, count))| count - line(*t) * week[weekday(day.day)]);
        let rest: Vec<f64> = rest.collect();
        rest.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum()
    };
    let gains = changes(&week) < changes(&NONE) * (1.0 - WEEKLY_GAIN);
    if gains && week.iter().all(|share| *share >= LEAST_SHARE) { week } else { NONE }
}

/// The variance of what passes, by day, and of what stays, for each day: a line through the variogram by weighted least
/// squares, with neither below zero.
fn variances(days: &[DayCount], rest: &[(f64, f64)]) -> (f64, f64) {
    let span = days.last().zip(days.first()).map_or(0, |(last, first)| last.day - first.day);
    let mut sums = [0.0; 5];
    for lag in LAGS.into_iter().filter(|lag| *lag <= span / 3) {
        let (mut squares, mut pairs) = (0.0, 0.0);
        let mut later = 0;
        for (i, day) in days.iter().enumerate() {
            while later < days.len() && days[later].day - day.day < lag {
                later += 1;
            }
            if days.get(later).is_some_and(|other| other.day - day.day == lag) {
                squares += (rest[later].1 - rest[i].1).powi(2);
                pairs += 1.0;
            }
        }
        if pairs > 0.0 {
            // A farther lag has fewer independent pairs, and the slope that was taken out took some of what stays with
            // it.
            let (weight, value) = (pairs / f64::from(lag), squares / pairs);
            let lag = f64::from(lag) * (1.0 - WALK * f64::from(lag) / f64::from(span));
            let terms = [weight, weight * lag, weight * lag * lag, weight * value, weight * lag * value];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }
    let [w, wl, wll, wv, wlv] = sums;
    let determinant = w * wll - wl * wl;
    let (mut foot, mut rise) = match determinant > 0.0 {
        true => ((wll * wv - wl * wlv) / determinant, (w * wlv - wl * wv) / determinant),
        false => (if w > 0.0 { wv / w } else { 0.0 }, 0.0),
    };
    if rise < 0.0 {
        (foot, rise) = (wv / w, 0.0);
    } else if foot < 0.0 {
        (foot, rise) = (0.0, wlv / wll);
    }
    ((foot / 2.0).max(ROUNDING), rise.max(0.0))
}

/// Where the level stands after the last point, and its variance: a Kalman filter over points that may be days apart.
fn filtered(rest: &[(f64, f64)], passes: f64, stays: f64) -> (f64, f64) {
    let mut points = rest.iter();
    let Some((mut before, mut level)) = points.next().copied() else { return (0.0, passes) };
    let mut variance = passes;
    for (t, value) in points {
        variance += stays * (t - before);
        let gain = variance / (variance + passes);
        level += gain * (value - level);
        variance *= 1.0 - gain;
        before = *t;
    }
    (level, variance)
}

/// Student's factor for a band of 90 per cent, by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5).
fn student(freedom: f64) -> f64 {
    const NORMAL: f64 = 1.644_853_6;
    let cube = NORMAL.powi(3);
    let first = (cube + NORMAL) / 4.0;
    let second = (5.0 * NORMAL.powi(5) + 16.0 * cube + 3.0 * NORMAL) / 96.0;
    NORMAL + first / freedom + second / (freedom * freedom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_factor_is_that_of_the_tables() {
        for (freedom, table) in [(3.0, 2.353), (5.0, 2.015), (10.0, 1.812), (25.0, 1.708)] {
            assert!((student(freedom) - table).abs() < 0.05, "{freedom}");
        }
    }

    #[test]
    fn a_median_is_the_middle_of_any_order() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}
