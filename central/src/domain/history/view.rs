//! The History tab as a value (`g8`, `b11`): use over time, the highest ever, and what is foreseen.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::Dimension;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::facts::Classes;
use super::span::{Last, Series, Span, SpanLength};
use crate::domain::Application;
use crate::domain::forecast::{DayCount, Forecast, MAX_DAYS_BACK, forecast};

/// How far back is looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// 30 days.
    #[serde(rename = "30")]
    Month,
    /// 90 days.
    #[default]
    #[serde(rename = "90")]
    Quarter,
    /// 365 days.
    #[serde(rename = "365")]
    Year,
    /// All time, by months.
    #[serde(rename = "all")]
    All,
}

impl Range {
    /// All ranges.
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::All];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "30",
            Self::Quarter => "90",
            Self::Year => "365",
            Self::All => "all",
        }
    }

    /// The days that are looked back on; none: all.
    pub fn days(self) -> Option<i32> {
        match self {
            Self::Month => Some(30),
            Self::Quarter => Some(90),
            Self::Year => Some(365),
            Self::All => None,
        }
    }

    /// The spans that its charts are made of.
    pub fn spans(self) -> SpanLength {
        if self == Self::All { SpanLength::Month } else { SpanLength::Day }
    }

    /// Where it begins.
    pub fn begin(self, now: Timestamp) -> Timestamp {
        self.days().map_or(Timestamp::UNIX_EPOCH, |days| days_before(now, days))
    }
}

/// The midnight so many days before a time.
pub fn days_before(now: Timestamp, days: i32) -> Timestamp {
    let then = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)));
    SpanLength::Day.begin(then.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// From when on days are read for a chart of a range and for the forecast.
pub fn days_from(range: Range, now: Timestamp) -> Timestamp {
    days_before(now, range.days().unwrap_or_default().max(MAX_DAYS_BACK))
}

/// What is kept of a link, as the store gives it. Spans begin with the one in force where they begin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// The days, see [`days_from`].
    pub days: Vec<(Timestamp, Span)>,
    /// The months, for [`Range::All`].
    pub months: Vec<(Timestamp, Span)>,
    /// All time.
    pub ever: Option<Span>,
    /// When was counted last.
    pub until: Option<Timestamp>,
}

/// What the History tab shows.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct History {
    /// The application.
    pub application: Application,
    /// When this was made.
    pub as_of: Timestamp,
    /// How far back is looked.
    pub range: Range,
    /// Where the charts begin.
    pub from: Timestamp,
    /// When was counted last.
    pub until: Option<Timestamp>,
    /// Each dimension that was counted: users first.
    pub dimensions: Vec<DimensionHistory>,
    /// The accounts by class, the oldest first.
    pub classes: Vec<ClassPeriod>,
}

/// A dimension over time.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DimensionHistory {
    /// The dimension.
    pub dimension: Dimension,
    /// What was counted, the oldest first. Where a period does not begin when the one before ends, nothing was counted.
    /// A shorter silence, within a period, does not show.
    pub periods: Vec<Period>,
    /// The highest count ever.
    pub highest: Option<Peak>,
    /// What is foreseen.
    pub forecast: Forecast,
}

/// A time and what was counted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Period {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The last count.
    pub count: u64,
    /// The lowest.
    pub low: u64,
    /// The highest.
    pub high: u64,
    /// The limit at the end; absent where there was none.
    pub limit: Option<u64>,
}

/// A time and the classes at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassPeriod {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The classes.
    pub classes: Classes,
}

/// The classes by name; in the store they are numbers.
impl Serialize for ClassPeriod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { from, until, classes } = self;
        let mut fields = serializer.serialize_struct("ClassPeriod", 10)?;
        fields.serialize_field("from", from)?;
        fields.serialize_field("until", until)?;
        for (class, accounts) in classes.named() {
            fields.serialize_field(class, &accounts)?;
        }
        fields.serialize_field("dormancy_days", &classes.dormancy_days)?;
        fields.end()
    }
}

/// The highest count ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Peak {
    /// The count.
    pub count: u64,
    /// When it was first so high.
    pub at: Timestamp,
}

/// A value over a stretch of time.
struct Stretch<T> {
    from: Timestamp,
    until: Timestamp,
    value: T,
    /// Whether it only lasts on from the span before.
    lasts_on: bool,
}

impl History {
    /// The history of an application at `now`, of what is kept of its links, the oldest first: each counts until the
    /// next one begins to.
    pub fn of(application: Application, range: Range, links: &[Kept], now: Timestamp) -> Self {
        let from = match (range.days(), links.iter().find_map(|kept| kept.months.first())) {
            (None, Some((first, _))) => *first,
            _ => range.begin(now),
        };
        let charted = if range == Range::All {
            stretches(links, SpanLength::Month, |kept| &kept.months)
        } else {
            stretches(links, SpanLength::Day, |kept| &kept.days)
        };
        let recent = stretches(links, SpanLength::Day, |kept| &kept.days);
        let mut dimensions: Vec<Dimension> = Vec::new();
        for dimension in links.iter().filter_map(|kept| kept.ever.as_ref()).flat_map(|ever| ever.series.keys()) {
            if !dimensions.contains(dimension) {
                dimensions.push(dimension.clone());
            }
        }
        dimensions.sort_by_key(|dimension| (*dimension != Dimension::users(), dimension.clone()));
        let of = |dimension: Dimension| {
            let recent = periods(&recent, &dimension);
            let limit = recent.last().and_then(|period| period.limit);
            let periods = periods(&charted, &dimension);
            DimensionHistory {
                periods: periods.iter().filter_map(|period| period.within(from, now)).collect(),
                highest: highest(links, &dimension),
                forecast: forecast(&day_counts(&recent, now), limit, day_of(now)),
                dimension,
            }
        };
        Self {
            as_of: now,
            range,
            from,
            until: links.iter().filter_map(|kept| kept.until).max(),
            dimensions: dimensions.into_iter().map(of).collect(),
            classes: classes(&charted, from, now),
            application,
        }
    }
}

/// The day of a time, in days since 1970-01-01.
pub fn day_of(at: Timestamp) -> i32 {
    at.as_second().div_euclid(86_400).try_into().unwrap_or(i32::MAX)
}

/// The spans of all links as stretches of time, each until the next begins, with holes where nothing was counted.
fn stretches<'k>(
    links: &'k [Kept],
    length: SpanLength,
    of: impl Fn(&'k Kept) -> &'k [(Timestamp, Span)],
) -> Vec<Stretch<&'k Span>> {
    let mut all: Vec<Stretch<&Span>> = Vec::new();
    for kept in links {
        let spans = of(kept);
        if let Some((begin, _)) = spans.first() {
            // The link before counts until this one does.
            all.retain(|stretch| stretch.from < *begin);
            all.iter_mut().for_each(|stretch| stretch.until = stretch.until.min(*begin));
        }
        for (n, (begin, span)) in spans.iter().enumerate() {
            let next = spans.get(n + 1).map(|(begin, next)| {
                let silent_from = next.silence.filter(|silence| silence.until >= *begin).map(|silence| silence.from);
                silent_from.map_or(*begin, |from| from.min(*begin))
            });
            let end = length.end(*begin);
            // The last count lasts until the latest report.
            let until = next.or(kept.until).unwrap_or(end);
            // A silence within the span is shorter than what is charted of it: what came before is counted, too.
            let silence = span.silence.filter(|silence| silence.from <= *begin);
            let from = silence.map_or(*begin, |silence| silence.until.max(*begin));
            all.push(Stretch { from, until: end.min(until).max(from), value: span, lasts_on: false });
            if until > end {
                all.push(Stretch { from: end.max(from), until, value: span, lasts_on: true });
            }
        }
    }
    all
}

fn periods(stretches: &[Stretch<&Span>], dimension: &Dimension) -> Vec<Period> {
    let period = |stretch: &Stretch<&Span>| {
        let Series { low, high, last, max, .. } = *stretch.value.series.get(dimension)?;
        let (low, high) = if stretch.lasts_on { (last, last) } else { (low, high) };
        Some(Period { from: stretch.from, until: stretch.until, count: last, low, high, limit: max })
    };
    stretches.iter().filter_map(period).collect()
}

impl Period {
    /// The part of it between two times.
    fn within(&self, from: Timestamp, until: Timestamp) -> Option<Self> {
        let part = Self { from: self.from.max(from), until: self.until.min(until), ..*self };
        (part.from < part.until).then_some(part)
    }
}

fn classes(stretches: &[Stretch<&Span>], from: Timestamp, now: Timestamp) -> Vec<ClassPeriod> {
    let period = |stretch: &Stretch<&Span>| {
        let Last(_, classes) = stretch.value.classes?;
        let (from, until) = (stretch.from.max(from), stretch.until.min(now));
        (from < until).then_some(ClassPeriod { from, until, classes })
    };
    stretches.iter().filter_map(period).collect()
}

fn highest(links: &[Kept], dimension: &Dimension) -> Option<Peak> {
    let series = links.iter().filter_map(|kept| kept.ever.as_ref()?.series.get(dimension));
    let highest = series.max_by_key(|series| (series.high, std::cmp::Reverse(series.high_at)))?;
    Some(Peak { count: highest.high, at: highest.high_at })
}

/// The highest count of each day.
fn day_counts(periods: &[Period], now: Timestamp) -> Vec<DayCount> {
    let begin = day_of(now).saturating_sub(MAX_DAYS_BACK);
    let mut counts = Vec::new();
    for period in periods {
        let last = period.until.as_millisecond().saturating_sub(1).div_euclid(86_400_000);
        let last = i32::try_from(last).unwrap_or(i32::MAX).min(day_of(now));
        counts.extend((day_of(period.from).max(begin)..=last).map(|day| DayCount { day, count: period.high }));
    }
    counts
}
