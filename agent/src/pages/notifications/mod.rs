//! Notifications: who is told what, by mail and webhook; a test whose real result is shown (`s7`); what was told, and
//! what became of it.
//!
//! | module | holds |
//! |---|---|
//! | `view` | the page |
//! | `forms` | its forms, with what was typed and why it was not taken |
//! | `change` | what the forms change |
//! | `testing` | the test |

pub mod change;
mod forms;
mod testing;
mod view;

use axum::extract::{Extension, Query, State};
use axum::response::Redirect;
use seatline_ui::{Banner, Tone};

use super::fields::Done;
use super::{Content, PageError, Pages, Visit, now};
pub use testing::Testing;
use view::{Looked, NotificationsPage};

/// `GET /notifications`
pub async fn show(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(Done { done }): Query<Done>,
) -> Result<Content, PageError> {
    let good = |what: &str, why: &str| Some(Banner::new(Tone::Good, what, why));
    let banner = match done.as_deref() {
        Some("mail") => good("The mail settings are saved.", "Send a test, to see whether mails arrive."),
        Some("reset") => good("Mail is set as in `seatline.toml` again.", ""),
        Some("reminders") => good("The reminders are saved.", ""),
        Some("removed") => good("The webhook is called no longer.", ""),
        _ => None,
    };
    Ok(page(&pages, &visit).await?.with_banner(banner).content())
}

/// `POST /notifications/test`: tells everybody who would be told. What takes long goes on after the answer, and the
/// page says so.
pub async fn test(State(pages): State<Pages>) -> Result<Redirect, PageError> {
    let telling = pages.telling()?;
    telling.testing.begin(&telling.instance).await?;
    Ok(Redirect::to(&pages.href("/notifications#test")))
}

async fn page(pages: &Pages, visit: &Visit) -> Result<NotificationsPage, PageError> {
    let looked = pages.ask_notices(Looked::at).await?.map_err(|error| PageError::of_state(&error))?;
    Ok(NotificationsPage::new(pages, visit, looked, pages.telling()?.testing.state(), now()))
}
