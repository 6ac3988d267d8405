//! What verifies a file of evidence: every seal, the chain of every link, each receipt against its report, what the
//! central server says of each section, and of the file. It needs the file and public keys, no store and no secret.
//!
//! A file that is no evidence, or is cut off, is [`Unreadable`], with the first reason. All else is read to its end,
//! and what does not hold is listed as [`Defect`]s. What holds and is remarkable, such as a gap or a proven fork, is a
//! finding of its section.

mod defect;
mod lines;
mod section;
mod verdict;

use std::io::BufRead;

use seatline_protocol::evidence::{EARLIER_FORMS, EvidenceManifest, FORM, Head, Line, MAX_KEPT, MAX_KEYS};
use seatline_protocol::ids::Digester;
use seatline_protocol::{PublicKey, seal};

use defect::Defects;
pub use defect::{Defect, Unreadable};
use lines::Lines;
use section::Section;
pub use verdict::{Chain, Conflict, SectionVerdict, Verdict};

/// Verifies a file. Without `key`, it is held against the key that it names itself: then whoever reads the verdict
/// compares that.
///
/// # Errors
/// [`Unreadable`], where it is no whole file of evidence.
pub fn verify(file: impl BufRead, key: Option<&PublicKey>) -> Result<Verdict, Unreadable> {
    let mut lines = Lines::new(file);
    let head = match lines.next()? {
        Some((_, Line::Evidence(head))) if head.form == FORM || EARLIER_FORMS.contains(&head.form.as_str()) => head,
        Some((_, Line::Evidence(head))) => return Err(Unreadable::form(&head.form)),
        _ => return Err(Unreadable::NotEvidence),
    };
    if let Some(given) = key.filter(|given| **given != head.central.key) {
        return Err(Unreadable::OtherKey { found: head.central.key.fingerprint(), given: given.fingerprint() });
    }
    let mut reading = Reading::new(&head, key.is_some());
    reading.file.update(lines.bytes());
    loop {
        let Some((at, line)) = lines.next()? else { return Err(Unreadable::CutOff) };
        if let Line::Manifest(sealed) = line {
            reading.manifest(at, &sealed)?;
            lines.end()?;
            return Ok(reading.verdict);
        }
        reading.line(at, line, lines.bytes())?;
        reading.file.update(lines.bytes());
    }
}

/// What was read so far.
struct Reading {
    /// Whose seal receipts, sections and the manifest must have.
    central: PublicKey,
    section: Option<Section>,
    /// Of all lines before.
    file: Digester,
    defects: Defects,
    verdict: Verdict,
}

impl Reading {
    fn new(head: &Head, was_given: bool) -> Self {
        Self {
            central: head.central.key.clone(),
            section: None,
            file: Digester::default(),
            defects: Defects::default(),
            verdict: Verdict::new(head, was_given),
        }
    }

    fn line(&mut self, at: u64, line: Line, bytes: &[u8]) -> Result<(), Unreadable> {
        let misplaced = |what| Err(Unreadable::Misplaced { line: at, what });
        if let Line::Section(sealed) = &line
            && let Some(section) = self.section.take()
        {
            self.verdict.add(section.end(at, sealed, &self.central, &mut self.defects));
            return Ok(());
        }
        let Some(section) = &mut self.section else {
            return match line {
                Line::Link(facts) if facts.keys.is_empty() || facts.keys.len() > MAX_KEYS => {
                    misplaced("link without keys")
                }
                Line::Link(facts) => {
                    self.section = Some(Section::begin(facts, bytes, &self.defects));
                    Ok(())
                }
                Line::Evidence(_) => misplaced("second head"),
                _ => misplaced("line outside of a section"),
            };
        };
        match line {
            Line::Refused(_) if section.has_chain() => return misplaced("refused report after the chain"),
            Line::Refused(_) if section.counts.refused >= MAX_KEPT => return misplaced("refused report too many"),
            Line::Statement(_) if section.counts.statements >= MAX_KEPT => return misplaced("statement too many"),
            Line::Report(_) | Line::Repeated(_) if section.counts.statements > 0 => {
                return misplaced("report after the statements");
            }
            Line::Evidence(_) | Line::Link(_) | Line::Section(_) | Line::Manifest(_) => {
                return misplaced("line inside of a section");
            }
            Line::Refused(refused) => section.refused(at, refused, &mut self.defects),
            Line::Repeated(sealed) => section.repeated(at, &sealed, &mut self.defects),
            Line::Report(report) => section.report(at, report, &self.central, &mut self.defects),
            Line::Statement(statement) => section.statement(at, statement, &mut self.defects),
        }
        section.content.update(bytes);
        Ok(())
    }

    fn manifest(&mut self, at: u64, sealed: &str) -> Result<(), Unreadable> {
        if self.section.is_some() {
            return Err(Unreadable::Misplaced { line: at, what: "manifest inside of a section" });
        }
        match seal::open::<EvidenceManifest>(sealed, std::slice::from_ref(&self.central)) {
            Err(error) => self.defects.add(Defect::of_file(
                at,
                "manifest-seal",
                format!("the manifest is not sealed by the central server's key: {error}"),
            )),
            Ok(manifest) => {
                let says = (manifest.sections, manifest.reports, manifest.refused, manifest.statements);
                let totals = &self.verdict.totals;
                let found = (totals.sections, totals.reports, totals.refused, totals.statements);
                let is_explained = !self.defects.is_empty();
                // A change that was found already changes the digest too: it is named once.
                if says != found && !is_explained {
                    let message = format!(
                        "the manifest names {} sections, {} reports, {} refused reports and {} statements; the file holds {}, \
                         {}, {} and {}",
                        says.0, says.1, says.2, says.3, found.0, found.1, found.2, found.3
                    );
                    self.defects.add(Defect::of_file(at, "manifest-counts", message));
                } else if manifest.content != self.file.clone().digest() && !is_explained {
                    let message = "the file was changed after the central server had sealed its manifest".to_owned();
                    self.defects.add(Defect::of_file(at, "content-changed", message));
                }
                self.verdict.made_at = Some(manifest.made_at);
            }
        }
        self.verdict.close(std::mem::take(&mut self.defects));
        Ok(())
    }
}
