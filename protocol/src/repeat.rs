//! The repeat: a report that says what an earlier one said, in a few bytes.
//!
//! A product whose counts and licenses have not changed need not say them again every hour. A repeat is a link of the
//! chain as every report is, with a number, the digest of the one before, a time and a seal of its own; what it says is
//! what the report says that it names by number and digest. Whoever has both has the whole proof.
//!
//! A repeat has one form: what it says and the signature make its exact bytes again ([`Repeat::sealed_by`]), so that
//! nobody who keeps evidence has to keep the rest. A product makes repeats where the central server says that it takes
//! them ([`crate::Settings::takes_repeats`]), of a report that it has the receipt for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LinkId, Sequence};
use crate::keys::KeyId;
use crate::report::{Report, check_trigger};
use crate::seal::{self, Document, OpenError};

/// For how long a product repeats one report: then it says all anew, so that whoever reads evidence never has to go
/// back further.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How the payload of every repeat begins, and that of no report.
pub(crate) const OPENING: &[u8] = br#"{"repeats":"#;

/// That a report is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The report that says what was counted.
    pub repeats: Repeated,
    /// The link that it is sent over.
    pub link: LinkId,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of the sealed report, or repeat, before.
    pub previous: Digest,
    /// When it was observed, by the host's clock, in whole milliseconds.
    pub observed_at: Timestamp,
    /// Why it was made: `start`, `interval` or `demand`.
    pub trigger: String,
}

/// A report that is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of its sealed bytes.
    pub digest: Digest,
}

impl Repeat {
    /// The sealed repeat, put together of what it says and the `signature` of the key with the id `key`. It is the
    /// exact text that was sealed, if these were its own.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn sealed_by(&self, key: &KeyId, signature: &[u8; 64]) -> Result<String, OpenError> {
        seal::assembled(self, key, signature)
    }
}

impl Document for Repeat {
    const PURPOSE: &'static str = "seatline/repeat/v1";
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), String> {
        if self.repeats.sequence >= self.sequence {
            return Err("repeats: a repeat names a report before it".to_owned());
        }
        if self.repeats.sequence.next() == Some(self.sequence) && self.repeats.digest != self.previous {
            return Err("repeats: the report directly before has the digest of `previous`".to_owned());
        }
        if self.observed_at.as_nanosecond() % 1_000_000 != 0 {
            return Err("observed_at: whole milliseconds".to_owned());
        }
        check_trigger(&self.trigger)
    }
}

/// A link of a chain: a report, or the repeat of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// What a report says stands in another one.
    Repeat(Repeat),
    /// A report that says all.
    Full(Box<Report>),
}

impl Entry {
    /// The link that it is sent over.
    pub fn link(&self) -> &LinkId {
        match self {
            Self::Repeat(repeat) => &repeat.link,
            Self::Full(report) => &report.link,
        }
    }

    /// Its place in the chain.
    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Repeat(repeat) => repeat.sequence,
            Self::Full(report) => report.sequence,
        }
    }

    /// The digest of the one before; none for the first.
    pub fn previous(&self) -> Option<&Digest> {
        match self {
            Self::Repeat(repeat) => Some(&repeat.previous),
            Self::Full(report) => report.previous.as_ref(),
        }
    }

    /// When it was observed.
    pub fn observed_at(&self) -> Timestamp {
        match self {
            Self::Repeat(repeat) => repeat.observed_at,
            Self::Full(report) => report.observed_at,
        }
    }

    /// Why it was made: `start`, `interval` or `demand`.
    pub fn trigger(&self) -> &str {
        match self {
            Self::Repeat(repeat) => &repeat.trigger,
            Self::Full(report) => &report.trigger,
        }
    }

    /// The report, where it says all itself.
    pub fn full(&self) -> Option<&Report> {
        match self {
            Self::Repeat(_) => None,
            Self::Full(report) => Some(report),
        }
    }

    /// As [`Self::full`], to be changed.
    pub fn full_mut(&mut self) -> Option<&mut Report> {
        match self {
            Self::Repeat(_) => None,
            Self::Full(report) => Some(report),
        }
    }

    /// The report that it repeats, if it does.
    pub fn repeats(&self) -> Option<&Repeated> {
        match self {
            Self::Repeat(repeat) => Some(&repeat.repeats),
            Self::Full(_) => None,
        }
    }
}

impl From<Report> for Entry {
    fn from(report: Report) -> Self {
        Self::Full(Box::new(report))
    }
}
