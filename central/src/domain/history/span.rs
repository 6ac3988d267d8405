//! Runs of equal counts, and the spans of time that they fold into.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use seatline_protocol::Dimension;
use serde::{Deserialize, Serialize};

use super::facts::{Classes, Facts};
use crate::domain::millis;

/// The most dimensions of a span: twice as many as a report can bring. A product that makes up new ones with each
/// report would otherwise let its spans grow for ever, and the work of folding with them.
pub const MAX_SERIES: usize = 256;

/// Reports one after the other that say the same. It lasts until the next run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When its first report was observed.
    pub at: Timestamp,
    /// When the last report before it was observed: the end of the run before; absent in the first.
    pub before_at: Option<Timestamp>,
    /// What its reports say; none where they gave no counts.
    pub facts: Option<Facts>,
}

/// How long a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanLength {
    /// A day in UTC.
    Day,
    /// A month in UTC.
    Month,
    /// All time.
    Ever,
}

impl SpanLength {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Ever];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Ever => "ever",
        }
    }

    /// When the span that holds a time begins.
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let date = at.to_zoned(TimeZone::UTC).date();
        let date = match self {
            Self::Day => date,
            Self::Month => date.first_of_month(),
            Self::Ever => return Timestamp::UNIX_EPOCH,
        };
        date.to_zoned(TimeZone::UTC).map_or(at, |midnight| midnight.timestamp())
    }

    /// When the span that begins at a time ends.
    pub fn end(self, begin: Timestamp) -> Timestamp {
        match self {
            Self::Day => begin.checked_add(SignedDuration::from_hours(24)),
            Self::Month => begin.to_zoned(TimeZone::UTC).checked_add(1.month()).map(|next| next.timestamp()),
            Self::Ever => Ok(Timestamp::MAX),
        }
        .unwrap_or(Timestamp::MAX)
    }
}

/// What was counted in a span of time, of runs that begin in it. A span in which none begins is not kept: it is as the
/// one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The longest time in which nothing was counted, of those that end in this span.
    #[serde(default, rename = "s", skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// The accounts by class at the end.
    #[serde(default, rename = "a", skip_serializing_if = "Option::is_none")]
    pub classes: Option<Last<Classes>>,
    /// Each dimension that was counted.
    #[serde(default, rename = "d", skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<Dimension, Series>,
}

/// A value and when it was so, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last<T>(pub i64, pub T);

/// A time in which nothing was counted, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[i64; 2]", into = "[i64; 2]")]
pub struct Silence {
    /// When was counted last before it.
    pub from: Timestamp,
    /// When was counted first after it.
    pub until: Timestamp,
}

impl From<[i64; 2]> for Silence {
    fn from([from, until]: [i64; 2]) -> Self {
        Self { from: time(from), until: time(until) }
    }
}

impl From<Silence> for [i64; 2] {
    fn from(silence: Silence) -> Self {
        [silence.from.as_millisecond(), silence.until.as_millisecond()]
    }
}

/// A dimension in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Series {
    /// The lowest count.
    pub low: u64,
    /// The highest count.
    pub high: u64,
    /// When it was first so high.
    pub high_at: Timestamp,
    /// The last count.
    pub last: u64,
    /// When it began to be so.
    pub last_at: Timestamp,
    /// The limit then; absent where there was none.
    pub max: Option<u64>,
}

/// A [`Series`] as an array, with times in milliseconds.
type Stored = (u64, u64, i64, u64, i64, Option<u64>);

impl From<Stored> for Series {
    fn from((low, high, high_at, last, last_at, max): Stored) -> Self {
        Self { low, high, high_at: time(high_at), last, last_at: time(last_at), max }
    }
}

impl From<Series> for Stored {
    fn from(series: Series) -> Self {
        let Series { low, high, high_at, last, last_at, max } = series;
        (low, high, high_at.as_millisecond(), last, last_at.as_millisecond(), max)
    }
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Span {
    /// What `run` adds to the span that begins at `begin`, where `before` is the run before it, and `patience` how long
    /// nothing may be counted before there is a silence: its begin, and the end of the run before it, if that lies in
    /// the span. Nothing where neither was counted.
    pub fn of(run: &Run, before: Option<&Run>, begin: Timestamp, patience: SignedDuration) -> Option<Self> {
        let ended = before.and_then(|before| before.facts.as_ref()).zip(run.before_at);
        let ended = ended.filter(|(_, until)| (begin..run.at).contains(until));
        let ended = ended.map(|(facts, until)| Self::at(facts, until));
        let begun = run.facts.as_ref().map(|facts| Self::at(facts, run.at));
        let mut span = match (ended, begun) {
            (Some(ended), Some(begun)) => ended.with(&begun),
            (ended, begun) => ended.or(begun)?,
        };
        // When was counted last: at the end of the run before, or where that gave no counts, before it.
        let counted = match before.filter(|before| before.facts.is_none()) {
            Some(failed) => failed.before_at,
            None => run.before_at,
        };
        let silent = |from: &Timestamp| run.facts.is_some() && run.at.duration_since(*from) > patience;
        if let Some(from) = counted.filter(silent) {
            span.silence = Some(Silence { from: millis(from), until: millis(run.at) });
        }
        Some(span)
    }

    fn at(facts: &Facts, at: Timestamp) -> Self {
        let at = millis(at);
        let series = facts.dimensions.iter().filter_map(|(dimension, of)| {
            let count = of.used?;
            let series = Series { low: count, high: count, high_at: at, last: count, last_at: at, max: of.max };
            Some((dimension.clone(), series))
        });
        let classes = facts.classes.map(|classes| Last(at.as_millisecond(), classes));
        Self { silence: None, classes, series: series.collect() }
    }

    /// This span with `part`, which the run that begins at `at` adds to it. A silence before that run that was known
    /// before is over where reports have filled it.
    pub fn with_run(mut self, part: &Self, at: Timestamp) -> Self {
        self.silence = self.silence.filter(|silence| silence.until != millis(at));
        self.with(part)
    }

    /// This and another span as one. In which order spans are put together does not matter, nor that one is put in
    /// twice; so of too many dimensions those stay whose names come first, and the users.
    pub fn with(mut self, other: &Self) -> Self {
        let length = |silence: &Silence| (silence.until.duration_since(silence.from), silence.until);
        self.silence = self.silence.into_iter().chain(other.silence).max_by_key(length);
        let latest = |last: &Last<Classes>| (last.0, <[u64; 8]>::from(last.1));
        self.classes = self.classes.into_iter().chain(other.classes).max_by_key(latest);
        for (dimension, other) in &other.series {
            match self.series.get_mut(dimension) {
                Some(series) => *series = series.with(other),
                None => {
                    self.series.insert(dimension.clone(), *other);
                }
            }
        }
        self.let_go_of_too_many();
        self
    }

    fn let_go_of_too_many(&mut self) {
        if self.series.len() <= MAX_SERIES {
            return;
        }
        let users = self.series.remove_entry(&Dimension::users());
        while self.series.len() + usize::from(users.is_some()) > MAX_SERIES {
            self.series.pop_last();
        }
        self.series.extend(users);
    }
}

impl Series {
    fn with(self, other: &Self) -> Self {
        let highest = |series: &&Self| (series.high, std::cmp::Reverse(series.high_at));
        let last = |series: &&Self| (series.last_at, series.last, series.max);
        let (high, end) = ([&self, other].into_iter().max_by_key(highest), [&self, other].into_iter().max_by_key(last));
        let (high, end) = (high.unwrap_or(other), end.unwrap_or(other));
        Self {
            low: self.low.min(other.low),
            high: high.high,
            high_at: high.high_at,
            last: end.last,
            last_at: end.last_at,
            max: end.max,
        }
    }
}
