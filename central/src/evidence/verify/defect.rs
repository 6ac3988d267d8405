//! What does not hold.

use seatline_protocol::{LinkId, Sequence, text};
use serde::Serialize;

/// The most defects that are listed; all are counted.
const MAX_LISTED: usize = 100;

/// Why a file is no whole file of evidence. Nothing of it is held to be proven.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It does not begin as evidence does.
    #[error("this is no file of evidence: it must begin with {{\"evidence\":… (a packed file is to be unpacked first)")]
    NotEvidence,
    /// Its form is another one.
    #[error("the file has the form `{0}`, which this version does not know: verify it with a newer one")]
    Form(String),
    /// It is of another central server than the one that was asked for.
    #[error("the file is of the central server with the key {found}, and not of the one that was given: {given}")]
    OtherKey {
        /// The fingerprint of the key that it names.
        found: String,
        /// The fingerprint of the key that was given.
        given: String,
    },
    /// A line is longer than any line of evidence.
    #[error("line {0} is longer than any line of evidence")]
    LongLine(u64),
    /// A line is no line of evidence.
    #[error("line {line} is no line of evidence: {reason}")]
    Line {
        /// Which line.
        line: u64,
        /// Why.
        reason: String,
    },
    /// A line stands where it must not.
    #[error("line {line} is out of place: {what}")]
    Misplaced {
        /// Which line.
        line: u64,
        /// What it is.
        what: &'static str,
    },
    /// The end is missing.
    #[error("the file is cut off: its end, with the manifest, is missing")]
    CutOff,
    /// Something follows the manifest.
    #[error("something follows the manifest, which is the last line")]
    AfterTheEnd,
}

impl Unreadable {
    pub(super) fn form(form: &str) -> Self {
        Self::Form(text::line(form, 60))
    }

    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::NotEvidence => "not-evidence",
            Self::Form(_) => "unknown-form",
            Self::OtherKey { .. } => "other-central-key",
            Self::LongLine(_) => "long-line",
            Self::Line { .. } => "not-a-line",
            Self::Misplaced { .. } => "misplaced",
            Self::CutOff => "cut-off",
            Self::AfterTheEnd => "after-the-end",
        }
    }
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// A stable code.
    pub code: &'static str,
    /// Where, counted from 1.
    pub line: u64,
    /// Of which link; absent where it is of the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkId>,
    /// Of which report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// What it is.
    pub message: String,
}

impl Defect {
    pub(super) fn of_file(line: u64, code: &'static str, message: String) -> Self {
        Self { code, line, link: None, sequence: None, message }
    }
}

/// The defects so far.
#[derive(Debug, Default)]
pub(super) struct Defects {
    pub(super) listed: Vec<Defect>,
    pub(super) count: u64,
}

impl Defects {
    pub(super) fn add(&mut self, defect: Defect) {
        self.count += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(defect);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}
