//! The section of a link: its reports are opened one after the other, and held against the one before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seatline_protocol::chain::ChainState;
use seatline_protocol::evidence::{
    Course, EvidenceSection, LetGo, LinkFacts, RefusedLine, ReportLine, StatementLine, without,
};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::ids::Digester;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::seal::{self, Document};
use seatline_protocol::{Continuity, Digest, LinkId, OpenError, PublicKey, Receipt, Report, Sequence};

use super::defect::{Defect, Defects};
use super::verdict::{Chain, Conflict, SectionVerdict};

/// The section that is being read.
pub(super) struct Section {
    facts: LinkFacts,
    keys: Vec<PublicKey>,
    /// Of its lines.
    pub(super) content: Digester,
    pub(super) counts: Counts,
    course: Course,
    /// The report that was read last.
    last: Option<(Sequence, Digest)>,
    /// What a repeat may name: the last that was read and says all itself.
    says: Option<Repeated>,
    observed: Option<(Timestamp, Timestamp)>,
    /// When the newest report of the chain came.
    last_at: Option<Timestamp>,
    /// The refused reports, by the places that they claim.
    claims: BTreeMap<Sequence, Vec<Claim>>,
    /// How many defects there were before.
    defects_before: u64,
}

/// How much there is in the section.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) reports: u64,
    /// How many of the reports repeat another one.
    pub(super) repeats: u64,
    pub(super) refused: u64,
    pub(super) statements: u64,
}

/// A refused report whose seal holds.
struct Claim {
    conflict: Conflict,
    previous: Option<Digest>,
}

/// Whether a report was refused because of the clock that it was made by: such a one conflicts with no other.
fn is_of_clock(code: &str) -> bool {
    [RefusalCode::FutureReport, RefusalCode::PastReport].iter().any(|of_clock| of_clock.name() == code)
}

impl Section {
    pub(super) fn begin(facts: LinkFacts, bytes: &[u8], defects: &Defects) -> Self {
        let mut content = Digester::default();
        content.update(bytes);
        Self {
            keys: facts.keys.iter().map(|key| key.key.clone()).collect(),
            facts,
            content,
            counts: Counts::default(),
            course: Course::default(),
            last: None,
            says: None,
            observed: None,
            last_at: None,
            claims: BTreeMap::new(),
            defects_before: defects.count,
        }
    }

    pub(super) fn has_chain(&self) -> bool {
        self.counts.reports + self.counts.statements > 0
    }

    pub(super) fn refused(&mut self, at: u64, line: RefusedLine, defects: &mut Defects) {
        self.counts.refused += 1;
        let report = match seal::open_entry(&line.sealed, &self.keys) {
            Ok(report) => report,
            Err(error) => return defects.add(self.unopened(at, "refused report", &error)),
        };
        if *report.link() != self.facts.id {
            return defects.add(self.foreign(at, "refused report"));
        }
        let sequence = report.sequence();
        let conflict = Conflict {
            sequence,
            code: line.code,
            refused: Digest::of(line.sealed.as_bytes()),
            beside: None,
            first_at: line.first_at,
        };
        self.claims.entry(sequence).or_default().push(Claim { conflict, previous: report.previous().cloned() });
    }

    /// A report that is no link of the chain here, and says what the repeats after it say.
    pub(super) fn repeated(&mut self, at: u64, sealed: &str, defects: &mut Defects) {
        let report: Report = match self.open(sealed) {
            Ok(report) => report,
            Err(error) => return defects.add(self.unopened(at, "repeated report", &error)),
        };
        if report.link != self.facts.id {
            return defects.add(self.foreign(at, "repeated report"));
        }
        if !self.is_key_of(report.sequence, sealed) {
            defects.add(self.sealed_too_late(at, report.sequence));
        }
        self.says = Some(Repeated { sequence: report.sequence, digest: Digest::of(sealed.as_bytes()) });
    }

    pub(super) fn report(&mut self, at: u64, line: ReportLine, central: &PublicKey, defects: &mut Defects) {
        self.counts.reports += 1;
        let report = match seal::open_entry(&line.sealed, &self.keys) {
            Ok(report) => report,
            Err(error) => return defects.add(self.unopened(at, "report", &error)),
        };
        let (sequence, digest) = (report.sequence(), Digest::of(line.sealed.as_bytes()));
        let mut found = |code, message: &str| defects.add(defect(&self.facts.id, at, code, Some(sequence), message));
        if *report.link() != self.facts.id {
            return found("foreign-link", "the report names another link than the one of its section");
        }
        match &self.last {
            Some((last, _)) if *last == sequence => {
                return found("duplicate-sequence", "two reports of the chain have this number");
            }
            Some((last, _)) if *last > sequence => {
                return found("out-of-order", "the report stands after one with a greater number");
            }
            Some((last, before)) if last.next() == Some(sequence) && report.previous() != Some(before) => {
                found("broken-chain", "the report does not name the one before it");
            }
            _ => {}
        }
        match report.repeats() {
            None => self.says = Some(Repeated { sequence, digest: digest.clone() }),
            Some(repeats) => {
                self.counts.repeats += 1;
                if self.says.as_ref() != Some(repeats) {
                    let message =
                        format!("the report repeats report {}, which does not stand before it", repeats.sequence);
                    found("unknown-repeated", &message);
                }
            }
        }
        if !self.is_key_of(sequence, &line.sealed) {
            defects.add(self.sealed_too_late(at, sequence));
        }
        let mut found = |code, message: &str| defects.add(defect(&self.facts.id, at, code, Some(sequence), message));
        match seal::open::<Receipt>(&line.receipt, std::slice::from_ref(central)) {
            Err(error) => {
                found("receipt-seal", &format!("the receipt is not sealed by the central server's key: {error}"));
            }
            Ok(receipt)
                if (&receipt.link, receipt.sequence, &receipt.report) != (&self.facts.id, sequence, &digest) =>
            {
                found("receipt-mismatch", "the receipt is for another report");
            }
            Ok(receipt) => self.last_at = self.last_at.max(Some(receipt.received_at)),
        }
        self.course.note(sequence);
        let observed = report.observed_at();
        self.observed = Some(self.observed.map_or((observed, observed), |(first, _)| (first, observed)));
        self.confront(sequence, &digest, report.previous());
        self.last = Some((sequence, digest));
    }

    /// Holds the refused reports around a place against the report that has it.
    fn confront(&mut self, at: Sequence, digest: &Digest, previous: Option<&Digest>) {
        let beside = || Some((at, digest.clone()));
        for claim in self.claims.get_mut(&at).into_iter().flatten() {
            if claim.conflict.refused != *digest {
                claim.conflict.beside = beside();
            }
        }
        for claim in at.next().and_then(|next| self.claims.get_mut(&next)).into_iter().flatten() {
            if claim.previous.as_ref() != Some(digest) && claim.conflict.beside.is_none() {
                claim.conflict.beside = beside();
            }
        }
        for claim in at.previous().and_then(|before| self.claims.get_mut(&before)).into_iter().flatten() {
            if previous != Some(&claim.conflict.refused) && claim.conflict.beside.is_none() {
                claim.conflict.beside = beside();
            }
        }
    }

    pub(super) fn statement(&mut self, at: u64, line: StatementLine, defects: &mut Defects) {
        self.counts.statements += 1;
        match self.open::<Continuity>(&line.sealed) {
            Err(error) => defects.add(self.unopened(at, "statement", &error)),
            Ok(statement) if statement.link != self.facts.id => defects.add(self.foreign(at, "statement")),
            Ok(_) => {}
        }
    }

    /// What the section comes to, held against what the central server has sealed of it.
    pub(super) fn end(self, at: u64, sealed: &str, central: &PublicKey, defects: &mut Defects) -> SectionVerdict {
        let (first, last) = self.course.ends();
        let content = self.content.clone().digest();
        let mut found = |code, message: &str| defects.add(defect(&self.facts.id, at, code, None, message));
        let mut let_go = LetGo::default();
        match seal::open::<EvidenceSection>(sealed, std::slice::from_ref(central)) {
            Err(error) => {
                found("section-seal", &format!("the section is not sealed by the central server's key: {error}"));
            }
            Ok(says) => {
                let counts = &self.counts;
                let head = self.last.as_ref().map(|(_, digest)| digest);
                let is_as_said = (&says.link, says.reports, says.refused, says.statements)
                    == (&self.facts.id, counts.reports, counts.refused, counts.statements)
                    && (says.first, says.last, says.missing) == (first, last, self.course.missing())
                    && says.gaps == self.course.gaps()
                    && says.head.as_ref() == head
                    && says.let_go.as_ref().is_none_or(|let_go| let_go.fits(&self.course));
                // A defect of one of its lines was named already; what follows from it is not named again.
                if says.content != content && defects.count == self.defects_before {
                    let message = "the section was changed after the central server had sealed it";
                    defects.add(defect(&self.facts.id, at, "section-changed", None, message));
                } else if !is_as_said && defects.count == self.defects_before {
                    let message = "the section does not hold what the central server says that it holds";
                    defects.add(defect(&self.facts.id, at, "section-mismatch", None, message));
                }
                let_go = says.let_go.filter(|_| is_as_said).unwrap_or_default();
            }
        }
        let conflicts: Vec<Conflict> = self
            .claims
            .into_values()
            .flatten()
            .map(|claim| claim.conflict)
            .filter(|conflict| conflict.beside.is_some() || !is_of_clock(&conflict.code))
            .collect();
        let proven = conflicts.iter().filter(|conflict| conflict.beside.is_some()).map(|conflict| conflict.first_at);
        let missing = self.course.missing() - let_go.reports;
        SectionVerdict {
            chain: Chain {
                state: ChainState::of(missing, proven.min(), self.last_at),
                first,
                last,
                observed: self.observed,
                head: self.last.map(|(_, digest)| digest),
                missing,
                gaps: without(self.course.gaps(), &let_go.stretches),
                let_go,
                conflicts,
            },
            link: self.facts.id,
            application: self.facts.application,
            approved_at: self.facts.approved_at,
            fingerprints: self.keys.iter().map(PublicKey::fingerprint).collect(),
            reports: self.counts.reports,
            repeats: self.counts.repeats,
            refused: self.counts.refused,
            statements: self.counts.statements,
        }
    }

    fn open<D: Document>(&self, sealed: &str) -> Result<D, OpenError> {
        seal::open(sealed, &self.keys)
    }

    /// Whether the key that sealed a report may do so at its number: no other had taken its place yet.
    fn is_key_of(&self, at: Sequence, sealed: &str) -> bool {
        let sealed_by = seal::key_id::<Report>(sealed).ok();
        let key = self.facts.keys.iter().find(|key| Some(key.key.id()) == sealed_by);
        key.is_some_and(|key| key.until.is_none_or(|until| at < until))
    }

    fn sealed_too_late(&self, at: u64, sequence: Sequence) -> Defect {
        let message = "the report is sealed by a key of the link that another one had replaced at this number";
        defect(&self.facts.id, at, "wrong-key", Some(sequence), message)
    }

    fn unopened(&self, at: u64, what: &str, error: &OpenError) -> Defect {
        let message = format!("the {what} is not sealed by a key of its link ({}): {error}", error.code());
        defect(&self.facts.id, at, "bad-seal", None, &message)
    }

    fn foreign(&self, at: u64, what: &str) -> Defect {
        let message = format!("the {what} names another link than the one of its section");
        defect(&self.facts.id, at, "foreign-link", None, &message)
    }
}

fn defect(link: &LinkId, line: u64, code: &'static str, sequence: Option<Sequence>, message: &str) -> Defect {
    Defect { code, line, link: Some(link.clone()), sequence, message: message.to_owned() }
}
