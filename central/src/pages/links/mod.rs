//! Application links (`w3`): all that there are, what waits for approval first, and the way to a new one.

mod approval;
mod list;
mod new;
mod one;

pub use approval::{ApprovalSent, Candidates, approve, refuse};
pub use list::{LinksPage, Row, Waiting, show};
pub use new::{invite, new_form, wizard};
pub use one::{OnePage, show as one};
