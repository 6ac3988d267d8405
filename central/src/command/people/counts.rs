//! People of sets that are too large to be counted while somebody waits: what was counted, and a count that is waited
//! for.

use std::sync::Arc;
use std::time::Duration;

use seatline_ui::format::{capitalised, counted, date_time, number, relative};

use super::super::Failure;
use super::super::output::{table, tell};
use super::super::user::actor;
use super::words;
use crate::central::Central;
use crate::domain::people::count::CountState;
use crate::domain::people::tally::PartsBy;
use crate::domain::people::{CountsOfSet, PeopleCount, Schedule, Scope};
use crate::jobs::{CountPeople, Job as _, Jobs};
use crate::store::leases::JobState;

/// How often a count that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Has a set counted, and waits for it. The server does the work; where none runs, this command does.
pub(super) async fn made(central: &Central, scope: &Scope) -> Result<CountsOfSet, Failure> {
    let asked = central.ask_count(&actor(), scope).await?;
    let jobs = Jobs::start(central, vec![Arc::new(CountPeople::default())]).await?;
    let ended = match told_who_counts(central, &jobs).await {
        Ok(()) => waited_for(central, &asked).await,
        Err(failure) => Err(failure),
    };
    jobs.end().await;
    match ended?.failure {
        Some(reason) => Err(Failure::new("count-failed", format!("the people were not counted: {reason}"))),
        None => Ok(central.counts_of(scope).await?),
    }
}

/// Says whose turn it is to count, where it is somebody else's.
async fn told_who_counts(central: &Central, ours: &Jobs) -> Result<(), Failure> {
    let (now, job) = (central.now(), CountPeople::default());
    let others = |state: &JobState| state.name == job.name() && state.until > now && state.holder != ours.holder();
    if let Some(state) = central.store().jobs().await?.into_iter().find(others) {
        let until = date_time(state.until);
        tell(format_args!(
            "The server that runs makes the count. Should it end before, this command takes over at {until}."
        ));
    }
    Ok(())
}

async fn waited_for(central: &Central, asked: &PeopleCount) -> Result<PeopleCount, Failure> {
    let mut told = 0;
    loop {
        let count = central.count(&asked.id).await?;
        if matches!(count.state, CountState::Done | CountState::Failed) {
            return Ok(count);
        }
        if count.looked_at > told {
            told = count.looked_at;
            tell(how_far(&count));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What was counted of a set, and what is under way.
pub(super) fn text(of: &CountsOfSet, now: jiff::Timestamp) -> String {
    let mut text = match &of.newest {
        Some(newest) => numbers(newest, now),
        None => format!("Nothing was counted of {} yet: do so with --count.\n", of.scope.words()),
    };
    if let Some(reason) = of.failed.as_ref().and_then(|failed| failed.failure.as_ref()) {
        text.push_str(&format!("The last count was given up: {reason}.\n"));
    }
    if of.schedule.is_some() {
        text.push_str(&schedule_text(&of.scope, of.schedule.as_ref()));
    }
    if let Some(open) = &of.open {
        text.push_str(&format!("{}\n", how_far(open)));
    }
    text
}

/// How a set is counted by itself.
pub(super) fn schedule_text(scope: &Scope, schedule: Option<&Schedule>) -> String {
    match schedule {
        None => format!("People of {}: counted when somebody asks.\n", scope.words()),
        Some(of) => {
            let next = date_time(of.next_at);
            format!(
                "People of {}: counted by the server every {}, next from {next} on.\n",
                scope.words(),
                of.every.name()
            )
        }
    }
}

/// The sets that are counted by themselves.
pub(super) fn schedules_text(schedules: &[Schedule]) -> String {
    let row = |of: &Schedule| {
        let (scope, next) = (of.scope.words(), date_time(of.next_at));
        vec![scope, of.every.name().to_owned(), next, of.set_by.clone()]
    };
    table(&["SET", "EVERY", "NEXT", "SET BY"], &schedules.iter().map(row).collect::<Vec<_>>())
}

fn how_far(count: &PeopleCount) -> String {
    match count.state {
        CountState::Waiting => "A count waits for its turn.".to_owned(),
        _ => {
            let all = counted(count.to_look_at, "application", "applications");
            format!("A count is under way: {} of {all} looked at.", number(count.looked_at.min(count.to_look_at)))
        }
    }
}

fn numbers(count: &PeopleCount, now: jiff::Timestamp) -> String {
    let Some(of) = &count.counted else { return String::new() };
    let at = count.ended_at.unwrap_or(count.asked_at);
    let part = match of.parts_by {
        PartsBy::Product => "PRODUCT",
        PartsBy::Group => "GROUP",
    };
    let rows: Vec<Vec<String>> = of
        .parts
        .iter()
        .map(|part| {
            let name = if part.name.is_empty() { "(none)".to_owned() } else { part.name.clone() };
            vec![name, number(part.applications), number(part.seats), words(part.people)]
        })
        .collect();
    let mut text = table(&[part, "APPLICATIONS", "SEATS", "PEOPLE"], &rows);
    let together = match (of.together, of.at_least.zip(of.at_most)) {
        (Some(together), _) => words(together),
        (None, Some((low, high))) => {
            format!("at least {} and at most {}, of several pseudonym keys", number(low as u64), number(high as u64))
        }
        (None, None) => "not known".to_owned(),
    };
    text.push_str(&format!("Together: {together}, who hold {}\n", counted(of.seats, "seat", "seats")));
    if let Some(above) = of.seats_above_people.filter(|above| above.likely >= 0.5) {
        text.push_str(&format!("Seats above people: {}\n", words(above)));
    }
    text.push_str(&format!(
        "{}: {} of {} counted {} ({})\n",
        capitalised(&count.scope.words()),
        number(of.counted),
        counted(of.applications, "application", "applications"),
        date_time(at),
        relative(at, now)
    ));
    if of.in_other_parts > 0 {
        let others = counted(of.in_other_parts, "application", "applications");
        text.push_str(&format!("- in the whole alone, and in no row above: {others}\n"));
    }
    for left_out in &of.left_out {
        let many = counted(left_out.applications, "application", "applications");
        text.push_str(&format!("- left out: {many}: {}\n", left_out.why));
    }
    if of.overdue > 0 {
        text.push_str(&format!("- overdue: {}\n", counted(of.overdue, "application", "applications")));
    }
    text
}
