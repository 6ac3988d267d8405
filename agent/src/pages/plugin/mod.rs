//! The plugin (`b6`): what it is and may do, how its runs go, what has left and what would, and who has to agree.
//!
//! | module | holds |
//! |---|---|
//! | `view` | the page |
//! | `difference` | what has changed between the last two counts (`b7`) |
//! | `bytes` | a report, decoded and as the exact bytes; the last one as a file |
//! | `next` | what a run now would report |
//! | `change` | holding reports and approving them; a plugin that waits |

pub mod bytes;
pub mod change;
mod difference;
pub mod next;
mod view;

use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use seatline_ui::{Banner, Tone};

use super::fields::Done;
use super::{Content, PageError, Pages, Place, Visit, now};
use view::{Looked, PluginPage};

/// `GET /plugin`
pub async fn show(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(Done { done }): Query<Done>,
) -> Result<Content, PageError> {
    let done = done.as_deref().and_then(|done| match done {
        "held" => Some("From now on every report waits for approval."),
        "released" => Some("Reports leave by themselves again."),
        "approved" => Some("Approved: it leaves with the next exchange."),
        "discarded" => Some("Discarded: it never leaves."),
        "offered" => Some("The plugin was tried, and waits below."),
        "installed" => Some("The plugin is installed, and runs from now on."),
        "declined" => Some("The plugin waits no longer."),
        _ => None,
    });
    let page = page(&pages, &visit).await?;
    Ok(page.with_banner(done.map(|done| Banner::new(Tone::Good, done, ""))).content())
}

async fn page(pages: &Pages, visit: &Visit) -> Result<PluginPage, PageError> {
    let looked = pages.ask(Looked::at).await?;
    Ok(PluginPage::new(pages, visit, looked, now()))
}

/// The page with a file that was not taken.
async fn page_with_refusal(pages: &Pages, visit: &Visit, why: String) -> Result<Content, PageError> {
    Ok(page(pages, visit).await?.with_refusal(why).content().status(StatusCode::UNPROCESSABLE_ENTITY))
}

impl PluginPage {
    fn content(self) -> Content {
        Content::new("Plugin", self).at(Place::Plugin)
    }
}
