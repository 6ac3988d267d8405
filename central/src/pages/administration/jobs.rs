//! What the server does by itself: how it went last, and when it goes on.

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use seatline_ui::{Badge, Tabs, Tone, When, format};

use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::jobs::{Job, Jobs};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::leases::{JobState, SetAside};

/// How many characters of a replica's name are shown: enough to tell two apart.
const HOLDER: usize = 8;

/// The page.
#[derive(Template)]
#[template(path = "administration/jobs.html")]
pub struct JobsPage {
    tabs: Tabs,
    jobs: Vec<JobLine>,
}

struct JobLine {
    name: String,
    purpose: &'static str,
    every: String,
    outcome: Badge,
    failure: Option<String>,
    set_aside: Vec<AsideLine>,
    ran: Option<When>,
    took: Option<String>,
    next: String,
    /// The replica whose turn it is, and until when.
    holder: Option<(String, String)>,
}

/// Something that a job could not read.
struct AsideLine {
    what: String,
    /// Its page, if it has one.
    href: Option<String>,
    reason: String,
    since: When,
    again: Option<String>,
}

impl AsideLine {
    fn of(aside: &SetAside, now: Timestamp) -> Self {
        let place = match aside.kind.as_str() {
            "application" => Some("applications"),
            "link" => Some("links"),
            _ => None,
        };
        Self {
            what: format!("{} {}", aside.kind, aside.id),
            href: place.map(|place| format!("/{place}/{}", aside.id)),
            reason: aside.reason.clone(),
            since: When { at: aside.since, now },
            again: aside.again_at.map(|at| format::relative(at, now)),
        }
    }
}

impl JobsPage {
    /// The jobs that this program knows, each with how it went.
    pub fn new(known: &[(&'static str, std::time::Duration)], states: &[JobState], now: Timestamp) -> Self {
        let line = |(name, interval): &(&'static str, std::time::Duration)| {
            JobLine::of(name, *interval, states.iter().find(|state| state.name == *name), now)
        };
        Self { tabs: tabs(Part::Jobs), jobs: known.iter().map(line).collect() }
    }
}

impl JobLine {
    fn of(name: &str, interval: std::time::Duration, state: Option<&JobState>, now: Timestamp) -> Self {
        let failure = state.and_then(|state| state.failure.clone());
        let set_aside = state.map(|state| state.set_aside.as_slice()).unwrap_or_default();
        let ended = state.and_then(|state| if failure.is_some() { state.failed_at } else { state.ran_at });
        Self {
            name: name.to_owned(),
            purpose: purpose(name),
            every: every(interval),
            outcome: match (&failure, ended) {
                (Some(_), _) => Badge::new(Tone::Danger, "Failed"),
                (None, Some(_)) if !set_aside.is_empty() => Badge::new(Tone::Warning, "Not all"),
                (None, Some(_)) => Badge::new(Tone::Good, "Done"),
                (None, None) => Badge::new(Tone::Neutral, "Not run yet"),
            },
            failure,
            set_aside: set_aside.iter().map(|aside| AsideLine::of(aside, now)).collect(),
            ran: ended.map(|at| When { at, now }),
            took: state.and_then(|state| state.took_ms).map(took),
            next: match state.and_then(|state| state.next_at) {
                Some(next) if next.duration_since(now) > SignedDuration::from_secs(60) => format::relative(next, now),
                _ => "within a minute".to_owned(),
            },
            holder: state
                .filter(|state| state.until > now)
                .map(|state| (state.holder.chars().take(HOLDER).collect(), format::relative(state.until, now))),
        }
    }
}

/// What a job is for.
fn purpose(name: &str) -> &'static str {
    match name {
        "review" => "Brings lists, totals and the calendar up to date after reports and changes",
        "history" => "Folds the history of use into days and months",
        "retention" => "Lets go of what is older than the retention says",
        "alerts" => "Finds what has to be told, and what is over",
        "delivery" => "Sends mails and calls webhooks",
        "people" => "Counts people once over more applications than are counted at once",
        "alerts-clearing" => "Clears away what was told long ago",
        _ => "",
    }
}

fn every(interval: std::time::Duration) -> String {
    match interval.as_secs() {
        0 | 1 => "every second".to_owned(),
        seconds @ 2..60 => format!("every {seconds} seconds"),
        seconds => format::every(seconds),
    }
}

/// A duration in the unit that people read best.
fn took(millis: u64) -> String {
    match millis {
        0 => "under 1 ms".to_owned(),
        1..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", format::number(millis / 60_000), millis % 60_000 / 1000),
    }
}

/// `GET /administration/jobs`
pub async fn list(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Result<Response, PageError> {
    let known: Vec<_> = Jobs::all().iter().map(|job| (job.name(), Job::interval(job.as_ref()))).collect();
    let page = JobsPage::new(&known, &app.central.store().jobs().await?, app.central.now());
    Ok(page_of(Section::Administration, "Jobs", Some(&who), page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_with_their_unit() {
        let told = [0, 12, 999, 1000, 59_940, 60_000, 3_725_000].map(took);
        assert_eq!(told, ["under 1 ms", "12 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "62 min 5 s"]);
    }
}
