//! Application links (`w3`): all that there are, what waits for approval first, and the way to a new one.

mod approval;
mod list;
mod new;
mod one;

pub use approval::{ApprovalSent, Candidates, approve, refuse};
pub use list::{LinksPage, Row, Waiting, show};
pub use new::{invite, new_form, withdraw, wizard};
pub use one::{OnePage, show as one};

use crate::domain::LinkRow;

/// The application of a link, and where its page is.
fn application(row: &LinkRow) -> Option<(String, String)> {
    let name = row.application_name.clone();
    name.zip(row.link.application.as_ref().map(|application| format!("/applications/{application}")))
}
