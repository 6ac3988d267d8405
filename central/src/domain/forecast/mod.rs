//! A forecast of a count, and of the day on which it passes its limit (`b11`): pure, with its method named and its
//! error shown.
//!
//! The method is a **local level with drift**, the simplest model of structural time series (Harvey 1989) that tells
//! apart what such counts are made of: a steady growth, moves that stay (a team that joins), and noise that passes.
//!
//! 1. The growth per day is the **Theil–Sen slope**, the median of the slopes between all pairs of days: one wrong
//!    count, or a holiday, does not move it.
//! 2. Where it explains the counts, the **pattern of the week** is taken out: the median share of the line that each
//!    weekday comes to.
//! 3. How much of the rest stays and how much passes is read from its **variogram**: what passes is as large between
//!    two neighbouring days as between two far ones, what stays grows with the days in between.
//! 4. A **Kalman filter** with these two finds where the count stands now, across days without a count.
//! 5. The **band** grows with the days ahead: by what stays, and by how uncertain the growth itself is, times Student's
//!    factor for as many independent weeks as there are. Its coverage is measured in the tests.

mod model;

use serde::Serialize;

use model::Model;

/// The name of the method, as it is shown.
pub const METHOD: &str = "local level with drift (Theil–Sen slope, weekly pattern, variogram, Kalman filter)";
/// How sure the band is: so many of a hundred counts should lie in it.
pub const CONFIDENCE_PERCENT: u8 = 90;
/// The most days that are looked back on: what was longer ago says little of the growth now.
pub const MAX_DAYS_BACK: i32 = 180;
/// The fewest days with a count that a forecast is made of.
pub const MIN_DAYS: usize = 14;
/// The fewest days from the first count to the last.
pub const MIN_SPAN: i32 = 20;
/// The most days ahead. Nothing is foreseen for more than twice as long as was looked back on.
pub const MAX_DAYS_AHEAD: i32 = 365;
/// After so many days without a count nothing is foreseen any more.
pub const MAX_SILENCE: i32 = 30;

/// The last day that can be spoken of: 9999-12-31.
const LAST_DAY: i32 = 2_932_896;

/// A day, in days since 1970-01-01, and the count of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayCount {
    /// The day.
    pub day: i32,
    /// What was counted.
    pub count: u64,
}

/// What is foreseen, or why nothing is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Forecast {
    /// There is too little to go by.
    NotEnough {
        /// The days with a count.
        days: usize,
        /// How many are needed.
        days_needed: usize,
        /// The days from the first to the last.
        span: i32,
        /// How many are needed.
        span_needed: i32,
    },
    /// The last count is too old.
    Outdated {
        /// The days since it.
        days: i32,
    },
    /// The count as it goes on.
    Made(Box<Outlook>),
}

/// The count as it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Outlook {
    /// The name of the method.
    pub method: &'static str,
    /// How sure the band is, in per cent.
    pub confidence_percent: u8,
    /// The first day that was used, in days since 1970-01-01.
    pub first_day: i32,
    /// The last one.
    pub last_day: i32,
    /// How many days with a count were used.
    pub days_used: usize,
    /// The growth in 30 days.
    pub growth_in_30_days: Band,
    /// Whether a pattern of the week was found.
    pub weekly_pattern: bool,
    /// When the limit is passed.
    pub passing: Passing,
    /// The days ahead, the nearest first.
    pub days: Vec<DayAhead>,
}

/// A value with the band around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Band {
    /// The lower edge.
    pub low: f64,
    /// The likeliest value.
    pub likely: f64,
    /// The upper edge.
    pub high: f64,
}

/// A day ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DayAhead {
    /// The day, in days since 1970-01-01.
    pub day: i32,
    /// Its count.
    #[serde(flatten)]
    pub count: Band,
}

/// When the limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Passing {
    /// There is no limit.
    NoLimit,
    /// It is passed already.
    Passed,
    /// Not even the upper edge of the band passes it in the days that are foreseen.
    NotForeseen {
        /// How many days are foreseen.
        within_days: i32,
    },
    /// It may be passed. An absent day lies beyond the days that are foreseen.
    Foreseen {
        /// The first day on which the upper edge of the band is over the limit.
        earliest: i32,
        /// The first day on which the likeliest count is.
        likely: Option<i32>,
        /// The first day on which the lower edge is.
        latest: Option<i32>,
    },
}

/// Foresees a count from its `days`, in any order, at the day `today`. Of several counts of one day the highest holds.
pub fn forecast(days: &[DayCount], limit: Option<u64>, today: i32) -> Forecast {
    let days = prepared(days, today);
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return not_enough(0, 0) };
    let span = last.day - first.day;
    if today.saturating_sub(last.day) > MAX_SILENCE {
        return Forecast::Outdated { days: today.saturating_sub(last.day) };
    }
    if days.len() < MIN_DAYS || span < MIN_SPAN {
        return not_enough(days.len(), span);
    }
    let model = Model::of(&days);
    let within_days = (2 * span).min(MAX_DAYS_AHEAD);
    let ahead: Vec<DayAhead> = (1..=within_days).map(|n| last.day + n).map(|day| model.ahead(day)).collect();
    Forecast::Made(Box::new(Outlook {
        method: METHOD,
        confidence_percent: CONFIDENCE_PERCENT,
        first_day: first.day,
        last_day: last.day,
        days_used: days.len(),
        growth_in_30_days: model.growth(30),
        weekly_pattern: model.has_weekly_pattern(),
        passing: passing(&ahead, last.count, limit, today),
        days: ahead,
    }))
}

fn not_enough(days: usize, span: i32) -> Forecast {
    Forecast::NotEnough { days, days_needed: MIN_DAYS, span, span_needed: MIN_SPAN }
}

/// The days that are used, in order, one count for each.
fn prepared(days: &[DayCount], today: i32) -> Vec<DayCount> {
    let mut days: Vec<DayCount> = days.iter().copied().filter(|day| day.day <= today.min(LAST_DAY)).collect();
    days.sort_by_key(|day| (day.day, std::cmp::Reverse(day.count)));
    days.dedup_by_key(|day| day.day);
    let begin = days.last().map_or(0, |last| last.day.saturating_sub(MAX_DAYS_BACK));
    days.retain(|day| day.day > begin);
    days
}

/// When the limit is passed: after a silence not on a day that is over, which nobody can act on any more.
fn passing(ahead: &[DayAhead], last: u64, limit: Option<u64>, today: i32) -> Passing {
    let Some(limit) = limit else { return Passing::NoLimit };
    if last > limit {
        return Passing::Passed;
    }
    let ahead = &ahead[ahead.partition_point(|at| at.day < today)..];
    let first = |edge: fn(&Band) -> f64| {
        // A count is whole: it is over the limit when it is one more.
        ahead.iter().find(|at| edge(&at.count).round() > limit as f64).map(|at| at.day)
    };
    match first(|band| band.high) {
        Some(earliest) => {
            Passing::Foreseen { earliest, likely: first(|band| band.likely), latest: first(|band| band.low) }
        }
        None => Passing::NotForeseen { within_days: ahead.len().try_into().unwrap_or(i32::MAX) },
    }
}

#[cfg(test)]
mod tests;
