//! Application Links (`w3`): the link to a central server, how its exchanges go, and the wizard that makes one.
//!
//! | module | holds |
//! |---|---|
//! | `view` | the page |
//! | `wizard` | a new link: paste an invite, look at whom it links to, confirm |
//! | `change` | synchronising now, and removing the link |
//! | `file` | the way without a connection (`g4`): what waits as a file, and the answer to it |

pub mod change;
pub mod file;
mod view;
pub mod wizard;

use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use seatline_host::exchange::Problem;
use seatline_ui::{Banner, Prose, Tone, format};
use serde::Deserialize;

use super::{Content, PageError, Pages, Visit, now};
use crate::http::synchronising::{SyncState, Synchronisation};
use view::{LinksPage, Looked};

/// What was done just before, so that the page can say so.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
    /// How many reports of the link that was removed were never received.
    retired: Option<u64>,
    /// How many waited for approval.
    discarded: Option<u64>,
}

impl Done {
    /// What became of the reports of the link that was removed.
    fn reports(&self) -> String {
        let kept = self.retired.filter(|reports| *reports > 0).map(|reports| {
            let were = format::counted(reports, "report that was", "reports that were");
            format!("{were} never received: kept apart, in the state.")
        });
        let discarded = self.discarded.filter(|reports| *reports > 0).map(|reports| {
            format!(
                "{} for approval: discarded.",
                format::counted(reports, "report that waited", "reports that waited")
            )
        });
        let said: Vec<String> = kept.into_iter().chain(discarded).collect();
        if said.is_empty() { "No report waited.".to_owned() } else { said.join(" ") }
    }
}

/// `GET /links`
pub async fn show(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(done): Query<Done>,
) -> Result<Content, PageError> {
    let page = page(&pages, &visit).await?;
    let good = |what: &str, why: &str| Some(Banner::new(Tone::Good, what, why));
    let banner = match done.done.as_deref() {
        Some("linked") => good("The link is made.", "How far it is stands below."),
        Some("rotated") => good("The link has a new key.", "Whether the central server knows it already stands below."),
        Some("imported") => good("The answer is taken.", "What it changed stands below."),
        Some("removed") => good("The link is removed.", &done.reports()),
        // While it goes on, the last is the one before it.
        Some("synchronised") => {
            let SyncState { running, last, .. } = pages.synchronisation();
            last.as_ref().filter(|_| !running).map(came_to)
        }
        _ => None,
    };
    Ok(page.with_banner(banner).content())
}

async fn page(pages: &Pages, visit: &Visit) -> Result<LinksPage, PageError> {
    let looked = pages.ask(Looked::at).await?;
    Ok(LinksPage::new(pages, visit, looked, pages.synchronisation(), now()))
}

/// The page with a file that was not taken.
async fn page_with_refusal(pages: &Pages, visit: &Visit, why: String) -> Result<Content, PageError> {
    let page = page(pages, visit).await?;
    let banner =
        Banner::new(Tone::Danger, "The answer was not taken", "Why stands below, at the field that is marked.");
    Ok(page.with_banner(Some(banner)).with_refusal(why).content().status(StatusCode::UNPROCESSABLE_ENTITY))
}

/// What a synchronisation came to that somebody has asked for.
fn came_to(last: &Synchronisation) -> Banner {
    if !last.problems.is_empty() {
        let lines = last.problems.iter().map(|problem| told(&problem.code, &problem.message)).collect();
        return Banner::list(Tone::Warning, "The synchronisation did not come to its end", lines);
    }
    let made = match &last.report {
        Some(report) => format!("Report {} was made; ", report.sequence),
        None if last.is_held => "The report was made, and waits for approval; ".to_owned(),
        None => String::new(),
    };
    let sent = format::counted(last.sent.unwrap_or_default() as u64, "report was", "reports were");
    Banner::new(Tone::Good, "Synchronised", format!("{made}{sent} sent."))
}

/// A problem as it is told: its message, and its code to look for.
fn told(code: &str, message: &str) -> Prose {
    Prose::sentence(&format!("{} (`{code}`)", message.trim_end_matches('.')))
}

fn told_problem(problem: &Problem) -> Prose {
    told(&problem.code, &problem.message)
}
