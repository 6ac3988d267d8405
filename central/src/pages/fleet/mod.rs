//! The pages of the fleet: the overview, the list of applications, and the calendar. They are read from the rows that
//! the review keeps, so that each costs what it shows.

pub mod calendar;
pub mod list;
pub mod overview;
mod rows;
pub mod words;

use seatline_ui::Choice;
use seatline_web::address::escape;

use crate::central::ActionError;
use crate::domain::fleet::FleetSent;
use crate::pages::PageError;

/// The address of the list that asks `sent`, and begins after a place.
fn address(sent: &FleetSent, after: Option<&str>) -> String {
    let pairs = sent.pairs().into_iter().chain(after.map(|after| ("after", after)));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if pairs.is_empty() { "/applications".to_owned() } else { format!("/applications?{}", pairs.join("&")) }
}

/// One of `names`, or all of them.
pub fn one_of(names: &[String]) -> Vec<Choice<'_>> {
    let names = names.iter().map(|name| Choice { value: name, label: name.clone() });
    std::iter::once(Choice { value: "", label: "All".to_owned() }).chain(names).collect()
}

/// The answer to a question that breaks a rule.
pub fn refused(reason: String) -> PageError {
    let (field, reason) = reason.split_once(": ").map_or(("filter", reason.as_str()), |(field, rule)| {
        let known = ["product", "group", "tag", "concern", "gravity", "use", "sort", "month"];
        (known.into_iter().find(|known| *known == field).unwrap_or("filter"), rule)
    });
    ActionError::invalid(field, reason).into()
}
