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

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LinkId, ProductId, Sequence};
use crate::keys::PublicKey;
use crate::seal::Document;

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

/// A missing stretch of a chain, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The first missing one.
    pub from: Sequence,
    /// The last missing one.
    pub to: Sequence,
}

impl Stretch {
    /// How many it holds; none where its ends are the wrong way round.
    pub fn count(&self) -> u64 {
        (self.to.get() + 1).saturating_sub(self.from.get())
    }
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

/// Reports that came, and that the central server keeps no longer, as its retention says: it is the one that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetGo {
    /// How many.
    pub reports: u64,
    /// Their stretches, the first first, at most [`MAX_GAPS`].
    pub stretches: Vec<Stretch>,
}

impl LetGo {
    /// Notes the next stretch.
    pub fn note(&mut self, stretch: Stretch) {
        self.reports += stretch.count();
        if self.stretches.len() < MAX_GAPS {
            self.stretches.push(stretch);
        }
    }

    /// Whether this can be said of a course: only what is missing there was let go.
    pub fn fits(&self, course: &Course) -> bool {
        let listed: u64 = self.stretches.iter().map(Stretch::count).sum();
        let is_all = self.stretches.len() < MAX_GAPS;
        let is_missing = course.gaps.len() >= MAX_GAPS || without(&self.stretches, &course.gaps).is_empty();
        self.reports <= course.missing && listed <= self.reports && (!is_all || listed == self.reports) && is_missing
    }
}

/// What is left of stretches without others. Both stand in their order.
pub fn without(all: &[Stretch], others: &[Stretch]) -> Vec<Stretch> {
    let (mut left, mut others) = (Vec::new(), others.iter().peekable());
    for stretch in all {
        let mut next = Some(stretch.from);
        while let Some(from) = next.filter(|from| *from <= stretch.to) {
            while others.next_if(|other| other.to < from).is_some() {}
            match others.peek().filter(|other| other.from <= stretch.to) {
                Some(other) => {
                    let before = other.from.previous().filter(|to| from <= *to);
                    left.extend(before.map(|to| Stretch { from, to }));
                    next = other.to.next();
                }
                None => {
                    left.push(Stretch { from, to: stretch.to });
                    break;
                }
            }
        }
    }
    left
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

/// The missing stretches between numbers that come in their order: what a section says of its gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    first: Option<Sequence>,
    last: Option<Sequence>,
    missing: u64,
    gaps: Vec<Stretch>,
}

impl Course {
    /// Notes the next number, which must be greater than all before; gives the gap before it, if there is one.
    pub fn note(&mut self, at: Sequence) -> Option<Stretch> {
        let expected = self.last.and_then(Sequence::next);
        self.first = self.first.or(Some(at));
        self.last = Some(at);
        let gap = Stretch { from: expected.filter(|expected| *expected < at)?, to: at.previous()? };
        self.missing += gap.count();
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        }
        Some(gap)
    }

    /// The first number and the last.
    pub fn ends(&self) -> (Option<Sequence>, Option<Sequence>) {
        (self.first, self.last)
    }

    /// How many are missing.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The missing stretches, at most [`MAX_GAPS`].
    pub fn gaps(&self) -> &[Stretch] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b12_a_course_names_what_is_missing() {
        let number = |number: u64| Sequence::try_from(number).expect("a sequence number");
        let mut course = Course::default();
        let gaps: Vec<_> = [3, 4, 7, 8, 10].into_iter().filter_map(|at| course.note(number(at))).collect();
        let named = [Stretch { from: number(5), to: number(6) }, Stretch { from: number(9), to: number(9) }];
        assert_eq!((gaps.as_slice(), course.gaps(), course.missing()), (&named[..], &named[..], 3));
        assert_eq!(course.ends(), (Some(number(3)), Some(number(10))));
    }

    fn stretches(ends: &[(u64, u64)]) -> Vec<Stretch> {
        let number = |number: u64| Sequence::try_from(number).expect("a sequence number");
        ends.iter().map(|(from, to)| Stretch { from: number(*from), to: number(*to) }).collect()
    }

    #[test]
    fn b12_what_was_let_go_is_told_apart_from_what_never_came() {
        let gaps = stretches(&[(3, 6), (9, 9), (12, 20)]);
        for (others, left) in [
            (&[][..], &[(3, 6), (9, 9), (12, 20)][..]),
            (&[(1, 30)], &[]),
            (&[(4, 5), (13, 13), (20, 25)], &[(3, 3), (6, 6), (9, 9), (12, 12), (14, 19)]),
            (&[(1, 3), (6, 12)], &[(4, 5), (13, 20)]),
        ] {
            assert_eq!(without(&gaps, &stretches(others)), stretches(left), "{others:?}");
        }
        // Whoever keeps to no order makes no endless loop.
        without(&gaps, &stretches(&[(9, 2), (4, 1), (5, 5), (20, 3), (1, 1)]));
    }

    #[test]
    fn b12_only_what_is_missing_can_be_said_to_be_let_go() {
        let mut course = Course::default();
        for number in [1, 2, 7, 10] {
            course.note(Sequence::try_from(number).expect("a sequence number"));
        }
        let says = |reports, ends: &[(u64, u64)]| LetGo { reports, stretches: stretches(ends) }.fits(&course);
        assert!(says(3, &[(3, 5)]) && says(6, &[(3, 6), (8, 9)]) && says(0, &[]));
        assert!(!says(4, &[(3, 5)]), "more than is listed");
        assert!(!says(1, &[(2, 2)]), "a report that is there");
        assert!(!says(2, &[(11, 12)]), "what comes after the last");
        assert!(!says(7, &[(3, 6), (8, 10)]));
    }

    #[test]
    fn b12_a_course_lists_a_hundred_gaps_and_counts_all() {
        let mut course = Course::default();
        for number in 1..=200 {
            course.note(Sequence::try_from(number * 2).expect("a sequence number"));
        }
        assert_eq!((course.gaps().len(), course.missing()), (MAX_GAPS, 199));
    }
}
