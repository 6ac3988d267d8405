//! Alerts: what is to be told to whom and when, as pure functions of what is so, what was told, and the time.
//!
//! | module | holds |
//! |---|---|
//! | [`telling`] | the rule: what a channel is still to be told of a matter, and from when on |
//! | [`acknowledgement`] | that somebody knows of a matter |
//! | [`channel`] | who is told of what |
//! | [`quiet`] | when nobody is disturbed |
//! | [`message`] | what is told at once: a digest of what has changed |
//! | [`settings`] | what is near, and the mail server |
//!
//! # How an alert is told
//! 1. The review writes what begins, comes to another step, and ends (`concerns`), and marks it to be followed.
//! 2. The job `alerts` follows: for each channel that wants it, [`telling::due`] says what the channel is to be told,
//!    and when.
//! 3. The same job makes a message of all that is due to a channel which may speak: it is not in its quiet hours, and
//!    its last message is long enough ago. What begins together is told together.
//! 4. The job `delivery` hands messages over, and tries again what failed.
//!
//! Each of these steps is one commit. A kill between any two of them delays, and loses nothing; only between the
//! handing over of a message and the note of it, the message is handed over again, with the same id.

pub mod acknowledgement;
pub mod channel;
pub mod message;
pub mod quiet;
pub mod settings;
pub mod telling;

use serde::{Deserialize, Serialize};

use super::{ApplicationId, Concern};

/// What names a matter: one application can have several, and each can come and go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AlertKey)]
#[serde(deny_unknown_fields)]
pub struct MatterKey {
    /// Whose.
    pub application: ApplicationId,
    /// One of the codes of [`super::assessment::CODES`] or [`EVENTS`].
    pub code: String,
    /// What of: a dimension, a license; empty where there can be one alone.
    #[serde(default)]
    pub subject: String,
}

impl MatterKey {
    /// The key of an application's concern.
    pub fn of(application: &ApplicationId, concern: &Concern) -> Self {
        Self { application: application.clone(), code: concern.code.clone(), subject: concern.subject.clone() }
    }

    /// Whether there can be one of this name: people send any, and no database holds a NUL in a text.
    pub fn can_be(&self) -> bool {
        ![&self.code, &self.subject].iter().any(|text| text.contains('\0'))
    }
}

/// The codes of what happens at a moment and does not last: it is told once, and is never over.
pub const EVENTS: [&str; 3] = ["plugin-changed", "plugin-granted", "plugin-reports-more"];

/// Whether a code is that of something that happens at a moment.
pub fn is_event(code: &str) -> bool {
    EVENTS.contains(&code)
}
