//! Identity continuity (`b4`): an instance whose server ID has changed says so with the key of its link, which lives
//! on.
//!
//! The statement stands beside the reports and not in their chain. A copy of an instance holds the same key: what it
//! says here disturbs nothing, and whether its reports go on with the chain is decided by a person first.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, ServerId};
use crate::seal::Document;

/// The most statements that one exchange carries, and that are kept of one link.
pub const MAX_STATEMENTS: usize = 16;

/// A part of what a server ID is made of. Statements name the parts that have changed, and never their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IdentityPart {
    /// Whether the ID is the instance's own, or bound to its database.
    Policy,
    /// Whether the instance is declared to be a staging one.
    Staging,
    /// The host of the database, as it is configured.
    Host,
    /// Its port.
    Port,
    /// The database's name.
    Database,
    /// The schema in it.
    Schema,
    /// The path of the database's file.
    Path,
    /// What the product has stored in the database since its installation.
    BirthMark,
}

impl IdentityPart {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Staging => "staging",
            Self::Host => "host",
            Self::Port => "port",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Path => "path",
            Self::BirthMark => "birth-mark",
        }
    }

    /// The part in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Policy => "the policy of the server ID",
            Self::Staging => "the staging setting",
            Self::Host => "the database's host",
            Self::Port => "the database's port",
            Self::Database => "the database's name",
            Self::Schema => "the schema",
            Self::Path => "the path of the database",
            Self::BirthMark => "the birth mark of the data",
        }
    }
}

/// The parts in a sentence: `the database's host and the schema`.
pub fn parts_in_words(parts: &BTreeSet<IdentityPart>) -> String {
    let words: Vec<&str> = parts.iter().map(|part| part.words()).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "nothing that is known".to_owned(),
    }
}

/// What an administrator of the product has said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ContinuityAnswer {
    /// It is the instance that was linked, at another place or declared otherwise.
    Moved,
    /// It is the instance that was linked, with other data: restored, or installed anew.
    Restored,
    /// It is a copy of the instance that was linked, such as a staging one. The link is not its own.
    Copy,
}

impl ContinuityAnswer {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Restored => "restored",
            Self::Copy => "copy",
        }
    }
}

impl std::str::FromStr for ContinuityAnswer {
    type Err = UnknownAnswer;

    fn from_str(name: &str) -> Result<Self, UnknownAnswer> {
        [Self::Moved, Self::Restored, Self::Copy].into_iter().find(|answer| answer.name() == name).ok_or(UnknownAnswer)
    }
}

/// Not the name of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an answer is `moved`, `restored` or `copy`")]
pub struct UnknownAnswer;

/// That the server ID of a linked instance has changed, sealed by the link's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Continuity {
    /// The link whose key vouches for it.
    pub link: LinkId,
    /// The server ID before.
    pub previous: ServerId,
    /// The server ID since.
    pub present: ServerId,
    /// When the change was noticed, by the host's clock.
    pub changed_at: Timestamp,
    /// The parts that are others than before.
    pub changed: BTreeSet<IdentityPart>,
    /// Whether the instance is a staging one now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub staging: bool,
    /// What an administrator of the product has said of it; absent as long as nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ContinuityAnswer>,
}

impl Document for Continuity {
    const PURPOSE: &'static str = "seatline/continuity/v1";
    const MAX_BYTES: usize = 4 * 1024;

    fn check(&self) -> Result<(), String> {
        if self.previous == self.present {
            return Err("present: it must be another server ID than `previous`".to_owned());
        }
        if self.changed.is_empty() {
            return Err("changed: it must name a part".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b4_the_parts_of_a_change_read_as_a_sentence() {
        let words = |parts: &[IdentityPart]| parts_in_words(&parts.iter().copied().collect());
        assert_eq!(words(&[IdentityPart::Schema]), "the schema");
        assert_eq!(
            words(&[IdentityPart::BirthMark, IdentityPart::Port, IdentityPart::Host]),
            "the database's host, the database's port and the birth mark of the data"
        );
    }
}
