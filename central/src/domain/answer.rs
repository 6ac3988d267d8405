//! What administrators have answered to the questions that the chains ask (`b4`, `b8`).
//!
//! An answer is about what was known when it was given: a fork that happens after it, or another change of a server ID,
//! asks anew.

use jiff::Timestamp;
use seatline_protocol::{LinkId, ServerId, text};
use serde::{Deserialize, Serialize};

use super::continuity::Statement;
use super::ids::AnswerId;

/// The most characters of the reason for an answer.
pub const MAX_WHY: usize = 400;
/// The most answers of a link that are kept; the oldest leave first.
pub const MAX_ANSWERS: usize = 64;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Two live copies report, or one was restored from a backup.
    Fork,
    /// The server ID has changed: moved, staging or restored?
    ServerId,
}

impl Question {
    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::ServerId => "server-id",
        }
    }

    /// The explanations that answer it.
    pub fn explanations(self) -> &'static [Explanation] {
        match self {
            Self::Fork => &[Explanation::CopyOff, Explanation::Staging, Explanation::Restored, Explanation::Moved],
            Self::ServerId => &[Explanation::Moved, Explanation::Staging, Explanation::CopyOff, Explanation::Restored],
        }
    }
}

/// What it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Explanation {
    /// A copy, which was switched off.
    CopyOff,
    /// A copy that goes on as a staging instance, or for itself: it gets a link and an application of its own.
    Staging,
    /// The instance itself, at another place.
    Moved,
    /// The instance itself, restored from a backup.
    Restored,
}

impl Explanation {
    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::CopyOff => "copy-off",
            Self::Staging => "staging",
            Self::Moved => "moved",
            Self::Restored => "restored",
        }
    }

    /// The explanation in a sentence of the administrator.
    pub fn words(self) -> &'static str {
        match self {
            Self::CopyOff => "It was a copy, which is switched off now",
            Self::Staging => "It is a staging or another copy, and gets an application of its own",
            Self::Moved => "It is the instance itself, which has moved",
            Self::Restored => "It is the instance itself, restored from a backup",
        }
    }

    /// What is still to be done at the product, where anything is.
    pub fn next_step(self, question: Question) -> Option<&'static str> {
        match (question, self) {
            (_, Self::CopyOff) => None,
            (_, Self::Staging) => Some(
                "At the copy run `seatline server-id confirm --copy`, or remove its link; then link it by an invite of an \
                 application of its own.",
            ),
            (Question::ServerId, Self::Moved) => Some("At the product run `seatline server-id confirm --moved`."),
            (Question::ServerId, Self::Restored) => Some("At the product run `seatline server-id confirm --restored`."),
            (Question::Fork, Self::Moved | Self::Restored) => Some(
                "Its chain does not go on from what is stored here: remove the link at the product, and accept a new invite \
                 of this application there.",
            ),
        }
    }

    /// Whether the way on needs a link to be made anew.
    pub fn needs_link(self, question: Question) -> bool {
        self == Self::Staging || question == Question::Fork && matches!(self, Self::Moved | Self::Restored)
    }
}

/// What the question was about, when it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// So many forks had been counted.
    Forks(u64),
    /// The change to this server ID, which was noticed then.
    Change {
        /// The server ID since.
        present: ServerId,
        /// When it was noticed, by the product's clock.
        changed_at: Timestamp,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Answer {
    /// Its id.
    pub id: AnswerId,
    /// The link whose chain asks.
    pub link: LinkId,
    /// What was asked.
    pub question: Question,
    /// What it was about.
    pub about: About,
    /// What it was.
    pub explanation: Explanation,
    /// Why the administrator says so, in his words; may be empty.
    pub why: String,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Whether a reason is fit to be kept.
///
/// # Errors
/// The rule that it breaks.
pub fn check_why(why: &str) -> Result<(), String> {
    if why.is_empty() || text::is_line(why, MAX_WHY) {
        return Ok(());
    }
    Err(format!("one line of at most {MAX_WHY} characters, without control characters"))
}

/// Whether `forks` that were counted are all answered for.
pub(super) fn forks_are_answered(answers: &[Answer], forks: u64) -> bool {
    answers.iter().any(|answer| matches!(answer.about, About::Forks(known) if known >= forks))
}

/// Whether the change that `statement` tells of is answered for.
pub(super) fn change_is_answered(answers: &[Answer], statement: &Statement) -> bool {
    let change = About::of_change(statement);
    answers.iter().any(|answer| answer.about == change)
}

impl About {
    /// The change that a statement tells of.
    pub fn of_change(statement: &Statement) -> Self {
        let content = &statement.content;
        Self::Change { present: content.present.clone(), changed_at: content.changed_at }
    }
}
