//! That somebody knows of a matter, and does something about it or leaves it as it is.

use jiff::Timestamp;
use seatline_protocol::notices::Step;
use seatline_protocol::text;
use serde::Serialize;

use super::MatterKey;
use super::telling::Open;
use crate::domain::Gravity;

/// The most characters of a reason.
pub const MAX_WHY: usize = 200;

/// Somebody's word that he knows of a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Acknowledgement {
    /// Of what.
    #[serde(flatten)]
    pub matter: MatterKey,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why nothing needs to be told; may be empty.
    pub why: String,
    /// Until when it holds, whatever the matter comes to; absent where it holds until the matter changes.
    pub until: Option<Timestamp>,
    /// The step of the matter that he knows of.
    #[schema(value_type = String)]
    pub step: Step,
    /// How grave it was.
    pub gravity: Gravity,
    /// When it had begun.
    pub began_at: Timestamp,
}

impl Acknowledgement {
    /// Whether it is about the matter as it stands now. One with a date also covers what the matter comes to until
    /// then.
    pub fn covers(&self, open: &Open) -> bool {
        self.until.is_some() || (self.began_at, self.step, self.gravity) == (open.began_at, open.step, open.gravity)
    }

    /// Whether it is still of use for a matter that stands so: else it may go.
    pub fn holds(&self, open: Option<&Open>, now: Timestamp) -> bool {
        match self.until {
            Some(until) => now < until,
            None => open.is_some_and(|open| self.covers(open)),
        }
    }
}

/// Whether a reason keeps to its rule.
///
/// # Errors
/// The rule, in one line.
pub fn check_why(why: &str) -> Result<(), String> {
    match text::is_line(why, MAX_WHY) {
        true => Ok(()),
        false => Err(format!("one line of at most {MAX_WHY} characters")),
    }
}
