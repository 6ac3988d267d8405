//! What a run now would report, to the byte (`b6`): counted in the background, because that may take minutes. Nothing
//! of it is kept or sent.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::host::{CollectError, PreviewedReport};
use seatline_host::outbox::PendingReport;
use seatline_protocol::report::Outcome;
use seatline_ui::{Banner, Copyable, Prose, Tone, When};
use serde::Deserialize;

use super::bytes::ReportView;
use crate::http::job::{Job, JobState};
use crate::pages::{Content, PageError, Pages, Place, now};

/// How long the answer waits for the report, so that most people see it at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often the page that waits looks again, in seconds.
const LOOK_AGAIN: u32 = 2;

/// The next report that somebody asked for: the product is counted once for all who do so at the same time.
pub struct NextReport(Job<EndedPreview>);

/// A count for it that has ended.
struct EndedPreview {
    begun_at: Timestamp,
    result: Result<PreviewedReport, CollectError>,
}

impl Default for NextReport {
    fn default() -> Self {
        Self(Job::new("preview of the next report"))
    }
}

impl NextReport {
    /// Counts, or joins the count that goes on, and waits a little for its end; gives since when it goes on.
    async fn begin(&self, host: &Arc<Host>) -> Result<Timestamp, PageError> {
        let host = Arc::clone(host);
        let count = move |begun_at| {
            let result = host.preview_report().map(|preview| preview.next);
            EndedPreview { begun_at, result }
        };
        let since = self.0.begin(count).map_err(|_| PageError::internal())?;
        self.0.wait(PATIENCE).await;
        Ok(since)
    }
}

/// What the address of the page may hold.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// The report that was asked for at this time, in milliseconds.
    since: Option<i64>,
}

/// `GET /plugin/next`: counts, and shows what would be reported. A count that takes longer has a page of its own, which
/// looks again until it is over.
pub async fn show(
    State(pages): State<Pages>,
    Query(Wanted { since }): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let next = pages.next_report();
    let is_new = since.is_none();
    let since = match since {
        Some(since) => since,
        None => next.begin(pages.host()).await?.as_millisecond(),
    };
    let JobState { begun_at, last } = next.0.state();
    match last.filter(|ended| ended.begun_at.as_millisecond() >= since) {
        Some(ended) => Ok(ready(&pages, &ended)?.into_response()),
        None if begun_at.is_none() => Err(failed()),
        None if is_new => Ok(Redirect::to(&address(&pages, since)).into_response()),
        None if headers.contains_key("hx-request") => Ok(StatusCode::NO_CONTENT.into_response()),
        None => Ok(counting(&pages, since).into_response()),
    }
}

fn address(pages: &Pages, since: i64) -> String {
    pages.href(&format!("/plugin/next?since={since}"))
}

/// The count is neither under way nor has it ended: it was of an agent that was stopped meanwhile, or has a defect.
fn failed() -> PageError {
    let why = "The count has ended without a result: the agent was started again meanwhile, or its log says why.";
    PageError::new(StatusCode::NOT_FOUND, "Not available", Tone::Warning, "There is no such report", why)
        .way_out("Count again", "/plugin/next")
}

/// The page while the product is counted.
#[derive(Template)]
#[template(path = "plugin/counting.html")]
struct CountingPage {
    back: String,
    again: String,
    every: u32,
    since: Option<When>,
}

fn counting(pages: &Pages, since: i64) -> Content {
    let at = Timestamp::from_millisecond(since).ok();
    let page = CountingPage {
        back: pages.href("/plugin"),
        again: address(pages, since),
        every: LOOK_AGAIN,
        since: at.map(|at| When { at, now: now() }),
    };
    Content::new(TITLE, page).at(Place::Plugin).reload_after(LOOK_AGAIN)
}

const TITLE: &str = "The next report";

/// The page of what a run now would report.
#[derive(Template)]
#[template(path = "plugin/next.html")]
struct NextPage {
    back: String,
    again: String,
    counted: When,
    banners: Vec<Banner>,
    report: Option<ReportView>,
    outcome: Option<Copyable>,
}

fn ready(pages: &Pages, ended: &EndedPreview) -> Result<Content, PageError> {
    let next = ended.result.as_ref().map_err(|error| PageError::unavailable(error.code(), &error.to_string()))?;
    let mut banners = Vec::new();
    if let Outcome::Failed(failure) = &next.outcome {
        let why = Prose::sentence(&failure.message);
        banners.push(Banner::new(Tone::Danger, "The run failed, and that is what would be reported", why));
    }
    let report = next.report.as_ref().zip(next.sealed.clone()).map(|(report, sealed)| {
        let (sequence, made_at) = (report.sequence(), report.observed_at());
        let repeats = report.repeats().map(|repeats| repeats.sequence);
        let pending = PendingReport { sequence, made_at, sealed, repeats };
        ReportView::of(sequence.to_string(), &pending, Some(When { at: made_at, now: now() }))
    });
    let outcome = match report {
        Some(_) => None,
        None => {
            let why = "No link is in force. This is what was counted.";
            banners.push(Banner::new(Tone::Info, "Nothing would leave", why));
            let outcome = serde_json::to_string_pretty(&next.outcome).map_err(|_| PageError::internal())?;
            Some(Copyable::new("What was counted", outcome).prose())
        }
    };
    let page = NextPage {
        back: pages.href("/plugin"),
        again: pages.href("/plugin/next"),
        counted: When { at: ended.begun_at, now: now() },
        banners,
        report,
        outcome,
    };
    Ok(Content::new(TITLE, page).at(Place::Plugin))
}
