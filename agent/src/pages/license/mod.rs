//! License Details: what the licenses come to (`c3`–`c8`, `s4`, `s8`), setting a key (`c1`, `b3`), and what leaves for
//! the vendor or a safe place.
//!
//! | module | holds |
//! |---|---|
//! | `view` | the page |
//! | `sent` | a key as a form sends it: pasted, or as a file |
//! | `preview` | what a key would change, before it is saved |
//! | `set` | saving it, counting again, the thresholds |
//! | `export` | the keys as a file |
//! | `request` | what to send to the vendor for a new license |

pub mod export;
pub mod preview;
pub mod request;
pub mod sent;
pub mod set;
mod view;

use axum::extract::{Extension, Query, State};
use seatline_ui::{Banner, Tone};

use super::fields::Done;
use super::{Content, PageError, Pages, Place, Visit, now};
use view::{KeyForm, LicensePage, Looked};

/// `GET /license`. It opens in every state (`a7`): what cannot be read is told, and the rest is there.
pub async fn show(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(Done { done }): Query<Done>,
) -> Result<Content, PageError> {
    let page = page(&pages, &visit).await?;
    let page = match done.as_deref() {
        Some("saved") => page.with_banner(Banner::new(Tone::Good, "The license key is saved, and in effect.", "")),
        Some("known") => page.with_banner(Banner::new(Tone::Info, "This license key was set already.", "")),
        Some("threshold") => page.with_banner(Banner::new(Tone::Good, "The threshold is saved.", "")),
        _ => page,
    };
    Ok(page.content())
}

/// The page as it is now.
async fn page(pages: &Pages, visit: &Visit) -> Result<LicensePage, PageError> {
    let looked = pages.ask(Looked::at).await?;
    Ok(LicensePage::new(pages, visit, looked, pages.synchronisation(), now()))
}

/// The page with a form whose key was not taken.
async fn page_with_form(pages: &Pages, visit: &Visit, form: KeyForm) -> Result<Content, PageError> {
    let content = page(pages, visit).await?.with_form(form).content();
    Ok(content.status(axum::http::StatusCode::UNPROCESSABLE_ENTITY))
}

impl LicensePage {
    fn content(self) -> Content {
        Content::new("License Details", self).at(Place::License)
    }
}
