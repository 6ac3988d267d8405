//! What a file of evidence comes to.

use jiff::Timestamp;
use seatline_protocol::chain::ChainState;
use seatline_protocol::evidence::{ApplicationFacts, Head, LetGo, Stretch};
use seatline_protocol::{Digest, LinkId, PublicKey, Sequence};
use serde::Serialize;

use super::defect::{Defect, Defects};

/// The most sections that are listed; all are counted. Those with findings come before the others.
const MAX_LISTED: usize = 1000;

/// What a file of evidence comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether everything that the file says is proven by its seals: there is no defect.
    pub holds: bool,
    /// The central server that it is of.
    pub central: Central,
    /// The begin of its period; absent where it is of all time.
    pub from: Option<Timestamp>,
    /// The end of its period.
    pub until: Option<Timestamp>,
    /// When it was made; absent where that is not proven.
    pub made_at: Option<Timestamp>,
    /// How much it holds.
    pub totals: Totals,
    /// What does not hold, at most a hundred of it.
    pub defects: Vec<Defect>,
    /// How much does not hold.
    pub defect_count: u64,
    /// What it says of each link, at most a thousand, those with findings first.
    pub sections: Vec<SectionVerdict>,
    /// The sections without findings, as far as there is room for them.
    #[serde(skip)]
    whole: Vec<SectionVerdict>,
}

/// The central server of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Central {
    /// What it calls itself.
    pub name: String,
    /// Where it was reached.
    pub url: String,
    /// The key that its seals were held against.
    pub key: PublicKey,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// Whether the key was given by whoever verifies, and not taken from the file.
    pub was_given: bool,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sections: one for each link.
    pub sections: u64,
    /// Sections whose chain is not whole.
    pub with_findings: u64,
    /// Reports in the chains.
    pub reports: u64,
    /// How many of them repeat another one, which stands before them.
    pub repeats: u64,
    /// Reports that are missing in between: they never came.
    pub missing: u64,
    /// Reports in between that came, and that the central server says it has let go.
    pub let_go: u64,
    /// Reports that were refused.
    pub refused: u64,
    /// Statements of continuity.
    pub statements: u64,
}

/// What a file says of a link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SectionVerdict {
    /// The link.
    pub link: LinkId,
    /// Its application.
    pub application: ApplicationFacts,
    /// When the link was approved.
    pub approved_at: Option<Timestamp>,
    /// The fingerprints of its keys, the first first.
    pub fingerprints: Vec<String>,
    /// How many reports there are.
    pub reports: u64,
    /// How many of them repeat another one.
    pub repeats: u64,
    /// How many refused reports there are.
    pub refused: u64,
    /// How many statements of continuity there are.
    pub statements: u64,
    /// Its chain.
    pub chain: Chain,
}

/// How the reports of a link follow one another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chain {
    /// In a word.
    pub state: ChainState,
    /// The first report.
    pub first: Option<Sequence>,
    /// The last.
    pub last: Option<Sequence>,
    /// When the first and the last were observed, by the product's clock.
    pub observed: Option<(Timestamp, Timestamp)>,
    /// The digest of the last: what its successor must name.
    pub head: Option<Digest>,
    /// How many are missing in between: they never came.
    pub missing: u64,
    /// The missing stretches, as far as they are listed.
    pub gaps: Vec<Stretch>,
    /// What is not there because the central server has let it go, as it says.
    pub let_go: LetGo,
    /// Reports that claim the place of another one.
    pub conflicts: Vec<Conflict>,
}

/// A refused report that does not fit the chain. Both reports are sealed by the key of the link: that is the proof.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// The place that it claims.
    pub sequence: Sequence,
    /// Why it was refused.
    pub code: String,
    /// The digest of the refused report.
    pub refused: Digest,
    /// The number and the digest of the report of the chain that it cannot stand beside; absent where that is not in
    /// the file.
    pub beside: Option<(Sequence, Digest)>,
    /// When it came first.
    pub first_at: Timestamp,
}

impl Verdict {
    pub(super) fn new(head: &Head, was_given: bool) -> Self {
        Self {
            holds: false,
            central: Central {
                name: head.central.name.clone(),
                url: head.central.url.clone(),
                key: head.central.key.clone(),
                fingerprint: head.central.key.fingerprint(),
                was_given,
            },
            from: head.from,
            until: head.until,
            made_at: None,
            totals: Totals::default(),
            defects: Vec::new(),
            defect_count: 0,
            sections: Vec::new(),
            whole: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, section: SectionVerdict) {
        let totals = &mut self.totals;
        totals.sections += 1;
        totals.reports += section.reports;
        totals.repeats += section.repeats;
        totals.missing = totals.missing.saturating_add(section.chain.missing);
        totals.let_go = totals.let_go.saturating_add(section.chain.let_go.reports);
        totals.refused += section.refused;
        totals.statements += section.statements;
        let is_whole = section.chain.state == ChainState::Whole;
        totals.with_findings += u64::from(!is_whole);
        let list = if is_whole { &mut self.whole } else { &mut self.sections };
        if list.len() < MAX_LISTED {
            list.push(section);
        }
    }

    pub(super) fn close(&mut self, defects: Defects) {
        self.sections.append(&mut self.whole);
        self.sections.truncate(MAX_LISTED);
        self.holds = defects.is_empty();
        (self.defects, self.defect_count) = (defects.listed, defects.count);
    }

    /// Whether it holds and every chain in it is whole.
    pub fn is_whole(&self) -> bool {
        self.holds && self.totals.with_findings == 0
    }
}
