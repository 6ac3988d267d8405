//! Evidence (`b12`): the sealed reports of a period in one file, which anyone can verify with public keys alone.
//!
//! A file of evidence is text, one JSON value in each line, and is read and written line by line:
//!
//! | line | what it holds |
//! |---|---|
//! | `{"evidence": …}` | the [`Head`]: the form, the central server and its public key, the period |
//! | `{"link": …}` | begins the section of a link: its [`LinkFacts`] with the public keys |
//! | `{"refused": …}` | a report that was not taken into the chain, as it was sealed |
//! | `{"repeated": …}` | a report that those after it repeat, where it does not stand before them in the chain |
//! | `{"report": …}` | a report of the chain, or the repeat of one, as it was sealed, with its receipt |
//! | `{"statement": …}` | a statement of continuity as it was sealed |
//! | `{"section": "…"}` | ends the section: an [`EvidenceSection`], sealed by the central server |
//! | `{"manifest": "…"}` | ends the file: an [`EvidenceManifest`], sealed by the central server |
//!
//! In a section the lines stand in this order, the reports by their numbers; a repeated report stands before the first
//! repeat of it. A repeat says what the report says that stands before it last and is none.
//! Lines end by a single line feed. The form is told, for
//! whoever writes a verifier of his own, in `docs/evidence.md`.

mod course;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LinkId, ProductId, Sequence};
use crate::keys::PublicKey;
use crate::seal::Document;
pub use course::{Course, LetGo, Stretch, without};

/// The name of the form, in the first line.
pub const FORM: &str = "seatline-evidence/3";
/// The forms before, which are verified by the same rules: 2 told nothing of what was let go, 1 knew no repeats either.
pub const EARLIER_FORMS: [&str; 2] = ["seatline-evidence/2", "seatline-evidence/1"];
/// The most bytes of a line: the largest report with its receipt.
pub const MAX_LINE_BYTES: usize = 1024 * 1024 + 16 * 1024;
/// The most missing stretches that a section lists; it counts all.
pub const MAX_GAPS: usize = 100;
/// The most refused reports, and the most statements, of a section.
pub const MAX_KEPT: u64 = 1024;
/// The most keys of a link.
pub const MAX_KEYS: usize = 1024;

/// A line of a file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// The first one.
    Evidence(Head),
    /// The beginning of a section.
    Link(LinkFacts),
    /// A report that repeats name: a [`crate::Report`], sealed by the link's key. It is no link of the chain of this
    /// section.
    Repeated(String),
    /// A report of the chain.
    Report(ReportLine),
    /// A report that was refused.
    Refused(RefusedLine),
    /// A statement of continuity.
    Statement(StatementLine),
    /// The end of a section: a sealed [`EvidenceSection`].
    Section(String),
    /// The last one: a sealed [`EvidenceManifest`].
    Manifest(String),
}

/// What the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORM`].
    pub form: String,
    /// Who sealed the receipts, the sections and the manifest.
    pub central: CentralFacts,
    /// Reports that were observed from then on; absent for all from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Reports that were observed before then; absent for all up to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The central server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentralFacts {
    /// What it calls itself.
    pub name: String,
    /// Where it is reached.
    pub url: String,
    /// Its public key. That it is the right one is for whoever verifies to know from elsewhere.
    pub key: PublicKey,
}

/// The link of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// The link, as its reports name it.
    pub id: LinkId,
    /// The application that it belongs to.
    pub application: ApplicationFacts,
    /// When the product joined.
    pub joined_at: Timestamp,
    /// When the central server's administrator approved the link; absent where nobody has yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// The keys that its reports are sealed by, the first first.
    pub keys: Vec<LinkKey>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationFacts {
    /// Its id at the central server.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The product that it is an installation of.
    pub product: ProductId,
}

/// A key of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkKey {
    /// The key.
    pub key: PublicKey,
    /// The first report that it does not seal any more, as another key took its place; absent for the present key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Sequence>,
    /// When the central server took the other key in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
}

/// A report of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportLine {
    /// The [`crate::Report`] or the [`crate::Repeat`], sealed by the link's key: the exact bytes that arrived.
    pub sealed: String,
    /// The [`crate::Receipt`], sealed by the central server's key: the exact bytes that were answered.
    pub receipt: String,
}

/// A report that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedLine {
    /// The [`crate::Report`] or the [`crate::Repeat`], sealed by the link's key: the exact bytes that arrived.
    pub sealed: String,
    /// Why it was refused, see [`crate::exchange::RefusalCode`].
    pub code: String,
    /// When it came first.
    pub first_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
    /// How often it came.
    pub times: u64,
}

/// A statement of continuity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementLine {
    /// The [`crate::Continuity`], sealed by the link's key: the exact bytes that arrived.
    pub sealed: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// What the central server says of a link's reports of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceSection {
    /// The link.
    pub link: LinkId,
    /// How many reports there are.
    pub reports: u64,
    /// The first of them; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Sequence>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Sequence>,
    /// The digest of the last sealed report: the head of the chain at the end of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
    /// How many are missing between the first and the last: those that never came, and those that were let go.
    pub missing: u64,
    /// The missing stretches, the first first, at most [`MAX_GAPS`].
    pub gaps: Vec<Stretch>,
    /// Those of the missing that came, and were let go; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub let_go: Option<LetGo>,
    /// How many refused reports there are.
    pub refused: u64,
    /// How many statements there are.
    pub statements: u64,
    /// The digest of the section's lines before, with their line feeds.
    pub content: Digest,
}

impl Document for EvidenceSection {
    const PURPOSE: &'static str = "seatline/evidence-section/v1";
    const MAX_BYTES: usize = 16 * 1024;

    fn check(&self) -> Result<(), String> {
        let let_go = self.let_go.as_ref().map_or(0, |let_go| let_go.stretches.len());
        if self.gaps.len().max(let_go) > MAX_GAPS { Err(format!("gaps: at most {MAX_GAPS}")) } else { Ok(()) }
    }
}

/// What the central server says of the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceManifest {
    /// When the file was made, by the central server's clock.
    pub made_at: Timestamp,
    /// How many sections there are: one for each link.
    pub sections: u64,
    /// How many reports there are in all of them.
    pub reports: u64,
    /// How many refused reports.
    pub refused: u64,
    /// How many statements.
    pub statements: u64,
    /// The digest of all lines before, with their line feeds.
    pub content: Digest,
}

impl Document for EvidenceManifest {
    const PURPOSE: &'static str = "seatline/evidence/v1";
    const MAX_BYTES: usize = 4 * 1024;

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
