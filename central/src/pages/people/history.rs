//! The counts of a set over time, and how often it is counted by itself.

use askama::Template;
use jiff::Timestamp;
use seatline_ui::{Chart, Choice, Field, Step, format};

use super::counts::address;
use super::words;
use crate::domain::people::{CountsOfSet, Every, PeopleCount, Schedule};

/// What there is to show of a set over time.
#[derive(Template)]
#[template(path = "people_history.html")]
pub struct SetHistory {
    /// How often it is counted, in words.
    schedule: String,
    every: &'static str,
    /// What the form sends to say which set it is.
    fields: Vec<(&'static str, String)>,
    may_change: bool,
    chart: Option<Chart>,
    rows: Vec<CountRow>,
}

struct CountRow {
    as_of: String,
    people: String,
    seats: String,
    applications: String,
    asked_by: String,
}

impl askama::filters::HtmlSafe for SetHistory {}

impl SetHistory {
    /// What there is of a set; nothing where it was never counted, and who looks cannot change that.
    pub fn new(of: &CountsOfSet, now: Timestamp, may_change: bool) -> Option<Self> {
        let done: Vec<&PeopleCount> = of.newest.iter().chain(&of.earlier).collect();
        let is_empty = done.is_empty() && of.schedule.is_none();
        (may_change || !is_empty).then(|| Self {
            schedule: schedule_in_words(of.schedule.as_ref(), now),
            every: of.schedule.as_ref().map_or("", |schedule| schedule.every.name()),
            fields: of.scope.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
            may_change,
            chart: chart(&done, now),
            rows: done.into_iter().filter_map(CountRow::of).collect(),
        })
    }

    fn field(&self) -> Field<'_> {
        let never = Choice { value: "", label: "When somebody asks".to_owned() };
        let often = Every::ALL.map(|every| Choice { value: every.name(), label: format!("Every {}", every.name()) });
        Field::select("every", "Counted", std::iter::once(never).chain(often).collect()).value(self.every)
    }
}

fn schedule_in_words(schedule: Option<&Schedule>, now: Timestamp) -> String {
    match schedule {
        None => "Counted when somebody asks for it.".to_owned(),
        Some(schedule) => {
            let Schedule { every, set_by, .. } = schedule;
            format!("Counted every {}, as {set_by} has set; the next time {}.", every.name(), next_time(schedule, now))
        }
    }
}

fn next_time(schedule: &Schedule, now: Timestamp) -> String {
    if schedule.next_at <= now { "within a minute".to_owned() } else { format::date_time(schedule.next_at) }
}

/// A set in the list of those that are counted by a schedule.
pub(super) struct ScheduledSet {
    pub(super) set: String,
    pub(super) href: String,
    pub(super) every: String,
    pub(super) next: String,
    pub(super) set_by: String,
}

impl ScheduledSet {
    pub(super) fn of(schedule: &Schedule, now: Timestamp) -> Self {
        Self {
            set: format::capitalised(&schedule.scope.words()),
            href: address(&schedule.scope),
            every: format!("Every {}", schedule.every.name()),
            next: next_time(schedule, now),
            set_by: schedule.set_by.clone(),
        }
    }
}

/// The people of the counts, each until the next one; of a single count there is no chart.
fn chart(newest_first: &[&PeopleCount], now: Timestamp) -> Option<Chart> {
    let known = newest_first.iter().rev().filter_map(|count| {
        let people = count.counted.as_ref()?.together?;
        Some((count.ended_at.unwrap_or(count.asked_at), people.likely.round() as u64))
    });
    let known: Vec<(Timestamp, u64)> = known.collect();
    let (first, last) = (known.first()?, known.last()?);
    let ends = known.iter().skip(1).map(|(at, _)| *at).chain([now]);
    let step = |((from, count), until): (&(Timestamp, u64), Timestamp)| Step {
        from: *from,
        until: until.max(*from),
        count: *count,
        low: *count,
        high: *count,
        limit: None,
    };
    (known.len() > 1).then(|| Chart {
        id: "people-over-time".to_owned(),
        title: "People".to_owned(),
        unit: "people".to_owned(),
        summary: format!(
            "{} people on {}, {} on {}.",
            format::number(first.1),
            format::date_time(first.0),
            format::number(last.1),
            format::date_time(last.0)
        ),
        from: first.0,
        until: now,
        steps: known.iter().zip(ends).map(step).collect(),
        outlook: Vec::new(),
        confidence: String::new(),
    })
}

impl CountRow {
    fn of(count: &PeopleCount) -> Option<Self> {
        let of = count.counted.as_ref()?;
        Some(Self {
            as_of: format::date_time(count.ended_at.unwrap_or(count.asked_at)),
            people: of.together.map_or_else(|| "–".to_owned(), words),
            seats: format::number(of.seats),
            applications: format!("{} of {}", format::number(of.counted), format::number(of.applications)),
            asked_by: count.asked_by.clone(),
        })
    }
}
