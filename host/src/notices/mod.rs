//! What administrators are told: which notices are due, what was told, and where it went.
//!
//! The host decides and remembers; delivering is for who embeds it. [`Host::take_notices`](crate::Host::take_notices)
//! puts what is due into the [`Book`], one [`Delivery`] for each channel, in the same change that remembers it as told:
//! so a crash can neither lose a notice nor make it due twice. Whoever delivers asks for what waits
//! ([`Book::due`]), and notes what came of it ([`Host::note_deliveries`](crate::Host::note_deliveries)).

mod book;
mod states;

use seatline_protocol::notices::Reminders;

pub use book::{
    Book, Delivered, Delivery, DeliveryState, Entry, MAX_CHANNELS, MAX_ENTRIES, Outcome, Probe, TOO_MANY, Waiting,
};
pub use states::Refused;
pub(crate) use states::states;

use crate::store::StoreError;

/// Why reminders were not set.
#[derive(Debug, thiserror::Error)]
pub enum SetRemindersError {
    /// They break a rule.
    #[error("the reminders were not set: {0}")]
    Invalid(String),
    /// The state could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SetRemindersError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "reminders-invalid",
            Self::Store(error) => error.code(),
        }
    }
}

/// The reminders, if they keep to their rules.
pub(crate) fn checked(reminders: &Reminders) -> Result<(), SetRemindersError> {
    reminders.check().map_err(SetRemindersError::Invalid)
}
