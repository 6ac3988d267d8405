//! A chart of counts over time: what was used, the limit, what is foreseen, and beside the drawing its table.
//!
//! The drawing has no fixed width: lines are drawn in an inner image that is stretched, and letters stand outside of
//! it, so that they are as large on a telephone as on a wall.

mod scale;

use askama::Template;
use jiff::Timestamp;

use crate::format::{self, number};
use scale::{LENGTH, Times, Values};

/// A stretch of time and what was counted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its begin.
    pub from: Timestamp,
    /// Its end. Where the next step begins later, nothing was counted in between.
    pub until: Timestamp,
    /// The count at its end.
    pub count: u64,
    /// The lowest count in it.
    pub low: u64,
    /// The highest count in it.
    pub high: u64,
    /// The limit at its end; none: no limit.
    pub limit: Option<u64>,
}

/// What is foreseen for a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The time.
    pub at: Timestamp,
    /// The lower edge of the band.
    pub low: f64,
    /// The likeliest count.
    pub likely: f64,
    /// The upper edge of the band.
    pub high: f64,
}

/// Counts over time as a drawing with its table. What was counted is a line of steps; where several counts were taken
/// in a step, a shade reaches from the lowest to the highest.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "chart.html")]
pub struct Chart {
    /// A name that no other chart of the page has, of letters, digits and dashes.
    pub id: String,
    /// What is counted, such as `Users`.
    pub title: String,
    /// In which unit, such as `users`.
    pub unit: String,
    /// The drawing in a sentence, for those who do not see it.
    pub summary: String,
    /// Where the axis of times begins.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// What was counted, the oldest first.
    pub steps: Vec<Step>,
    /// What is foreseen, the nearest first; empty where nothing is.
    pub outlook: Vec<Outlook>,
    /// How sure the band is, such as `90 %`.
    pub confidence: String,
}

/// A label at a place, as SVG lengths.
struct Mark {
    place: String,
    label: String,
    /// Whether a narrow screen has no room for it.
    minor: bool,
}

/// A part of the drawing that says what it is when it is pointed at.
struct Spot {
    x: String,
    width: String,
    words: String,
}

/// A row of the table.
struct Row {
    from: String,
    until: String,
    count: String,
    range: String,
    limit: String,
}

/// A row of the table of what is foreseen.
struct OutlookRow {
    at: String,
    likely: String,
    band: String,
}

/// The drawing.
struct Drawing {
    values: Vec<Mark>,
    days: Vec<Mark>,
    range: String,
    counts: String,
    /// Where the last count is: of a chart that has just begun, it is all that can be seen.
    last: Option<(String, String)>,
    limit: String,
    /// Where the limit's label stands, and what it says.
    limit_mark: Option<Mark>,
    band: String,
    likely: String,
    /// Where what was counted ends and what is foreseen begins.
    now: Option<String>,
    spots: Vec<Spot>,
    /// What the reader should know of the axes.
    remark: String,
}

/// The most rows of the table of what is foreseen.
const OUTLOOK_ROWS: usize = 12;

impl Chart {
    fn drawing(&self) -> Drawing {
        let times = Times { from: self.from, until: self.until.max(self.from) };
        let counts = self.steps.iter().flat_map(|step| [step.low as f64, step.high as f64]);
        let limits = self.steps.iter().filter_map(|step| step.limit).map(|limit| limit as f64);
        let foreseen = self.outlook.iter().flat_map(|at| [at.likely, at.high]);
        let values = Values::holding(counts, limits.chain(foreseen));
        let last_limit = self.steps.last().and_then(|step| step.limit);
        let end = self.outlook.last().map_or(self.until, |at| at.at);
        Drawing {
            values: value_marks(&values),
            days: day_marks(&times),
            range: self.path(&times, |path, (from, until), step| {
                let (low, high) = (values.place(step.low as f64), values.place(step.high as f64));
                if step.low < step.high {
                    path.push_str(&format!("M{from:.1} {low:.1}H{until:.1}V{high:.1}H{from:.1}Z"));
                }
            }),
            counts: self.line(&times, &values, |step| Some(step.count)),
            last: self
                .steps
                .last()
                .map(|step| (percent(times.place(step.until)), percent(values.place(step.count as f64)))),
            limit: self.line(&times, &values, |step| step.limit.filter(|limit| values.holds(*limit as f64)))
                + &last_limit.filter(|limit| values.holds(*limit as f64)).map_or_else(String::new, |limit| {
                    let from = self.steps.last().map_or(0.0, |step| times.place(step.until));
                    format!("M{from:.1} {:.1}H{:.1}", values.place(limit as f64), times.place(end))
                }),
            limit_mark: last_limit.filter(|limit| values.holds(*limit as f64)).map(|limit| Mark {
                place: percent(values.place(limit as f64)),
                label: format!("limit {}", number(limit)),
                minor: false,
            }),
            band: band(&self.outlook, &times, &values),
            likely: likely(&self.outlook, &times, &values),
            now: self.outlook.first().map(|first| percent(times.place(first.at))),
            spots: self.spots(&times),
            remark: remark(&values, last_limit),
        }
    }

    /// A path of a part for each step, which is given where the step begins and ends.
    fn path(&self, times: &Times, mut part: impl FnMut(&mut String, (f64, f64), &Step)) -> String {
        let mut path = String::new();
        for step in &self.steps {
            part(&mut path, (times.place(step.from), times.place(step.until)), step);
        }
        path
    }

    /// A line of steps, which is broken where there is nothing.
    fn line(&self, times: &Times, values: &Values, of: impl Fn(&Step) -> Option<u64>) -> String {
        let mut drawn_until = None;
        self.path(times, |path, (from, until), step| match of(step) {
            Some(count) => {
                let height = values.place(count as f64);
                match drawn_until {
                    Some(end) if end >= step.from => path.push_str(&format!("V{height:.1}H{until:.1}")),
                    _ => path.push_str(&format!("M{from:.1} {height:.1}H{until:.1}")),
                }
                drawn_until = Some(step.until);
            }
            None => drawn_until = None,
        })
    }

    fn spots(&self, times: &Times) -> Vec<Spot> {
        let spot = |from: f64, until: f64, words| Spot {
            x: percent(from),
            width: percent((until - from).max(LENGTH / 500.0)),
            words,
        };
        let counted = self.steps.iter().map(|step| {
            let words = format!("{}: {}", self.when(step), self.said(step));
            spot(times.place(step.from), times.place(step.until), words)
        });
        let foreseen = self.outlook.windows(2).map(|pair| {
            let (band, unit) = (band_words(&pair[1]), &self.unit);
            let words = format!("{}: about {} {unit}, {band}", format::day(pair[1].at), rounded(pair[1].likely));
            spot(times.place(pair[0].at), times.place(pair[1].at), words)
        });
        counted.chain(foreseen).collect()
    }

    /// When a step was, in words: a day, or from one to another.
    fn when(&self, step: &Step) -> String {
        let (from, until) = (format::day(step.from), format::day(last_moment(step)));
        if from == until { from } else { format!("{from} to {until}") }
    }

    fn said(&self, step: &Step) -> String {
        let mut words = format!("{} {}", number(step.count), self.unit);
        if step.low < step.high {
            words += &format!(" (from {} to {})", number(step.low), number(step.high));
        }
        match step.limit {
            Some(limit) => words + &format!(", limit {}", number(limit)),
            None => words,
        }
    }

    /// The table: steps that say the same are one row.
    fn rows(&self) -> Vec<Row> {
        let mut merged: Vec<Step> = Vec::new();
        for step in &self.steps {
            let same = |last: &&mut Step| {
                last.until >= step.from
                    && (last.count, last.low, last.high, last.limit) == (step.count, step.low, step.high, step.limit)
            };
            match merged.last_mut().filter(same) {
                Some(last) => last.until = step.until,
                None => merged.push(*step),
            }
        }
        let row = |step: &Step| Row {
            from: format::day(step.from),
            until: format::day(last_moment(step)),
            count: number(step.count),
            range: if step.low < step.high {
                format!("{} – {}", number(step.low), number(step.high))
            } else {
                number(step.high)
            },
            limit: step.limit.map_or_else(|| "none".to_owned(), number),
        };
        merged.iter().rev().map(row).collect()
    }

    /// What is foreseen as a table: some of its days, the last among them.
    fn outlook_rows(&self) -> Vec<OutlookRow> {
        let apart = self.outlook.len().div_ceil(OUTLOOK_ROWS).max(1);
        let some = self.outlook.iter().rev().step_by(apart);
        let row = |at: &Outlook| OutlookRow {
            at: format::day(at.at),
            likely: rounded(at.likely),
            band: format!("{} – {}", rounded(at.low), rounded(at.high)),
        };
        let mut rows: Vec<OutlookRow> = some.map(row).collect();
        rows.reverse();
        rows
    }
}

impl askama::filters::HtmlSafe for Chart {}

/// The last moment of a step: one that ends at midnight does not reach into the next day.
fn last_moment(step: &Step) -> Timestamp {
    let before = Timestamp::from_millisecond(step.until.as_millisecond().saturating_sub(1)).unwrap_or(step.until);
    before.max(step.from)
}

fn value_marks(values: &Values) -> Vec<Mark> {
    let mark = |value: u64| Mark { place: percent(values.place(value as f64)), label: number(value), minor: false };
    values.marks().into_iter().map(mark).collect()
}

/// The days below the axis. Of more than four, every second one is for screens that have room.
fn day_marks(times: &Times) -> Vec<Mark> {
    let days = times.days();
    let few = days.len() <= 4;
    let marks = days.into_iter().enumerate();
    marks.map(|(n, day)| Mark { place: percent(day.place), label: day.label, minor: !few && n % 2 == 1 }).collect()
}

fn band(outlook: &[Outlook], times: &Times, values: &Values) -> String {
    let there = outlook.iter().map(|at| (at.at, at.high));
    let back = outlook.iter().rev().map(|at| (at.at, at.low));
    points(there.chain(back), times, values)
}

fn likely(outlook: &[Outlook], times: &Times, values: &Values) -> String {
    points(outlook.iter().map(|at| (at.at, at.likely)), times, values)
}

fn points(of: impl Iterator<Item = (Timestamp, f64)>, times: &Times, values: &Values) -> String {
    of.map(|(at, value)| format!("{:.1},{:.1}", times.place(at), values.place(value))).collect::<Vec<_>>().join(" ")
}

fn band_words(at: &Outlook) -> String {
    format!("between {} and {}", rounded(at.low), rounded(at.high))
}

/// A count that is not known exactly, as a whole number.
fn rounded(value: f64) -> String {
    number(value.max(0.0).round() as u64)
}

/// What a reader of the drawing must know of its axes.
fn remark(values: &Values, limit: Option<u64>) -> String {
    let mut remarks = Vec::new();
    if values.foot > 0.0 {
        remarks.push(format!("The axis begins at {}.", number(values.foot as u64)));
    }
    if let Some(limit) = limit.filter(|limit| !values.holds(*limit as f64)) {
        remarks.push(format!("The limit of {} lies outside of the drawing.", number(limit)));
    }
    remarks.join(" ")
}

/// A place in the units of the drawing as an SVG length.
fn percent(place: f64) -> String {
    format!("{:.2}%", place * 100.0 / LENGTH)
}

#[cfg(test)]
mod tests;
