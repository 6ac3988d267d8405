//! The state of one run: what the plugin may see, what it has used, and what it handed over. It lives in the run's
//! store, and is all that the imports work on.

use std::sync::Arc;

use seatline_protocol::report::ProductFacts;
use seatline_protocol::standing::{LicenseStanding, MAX_LICENSES};
use seatline_protocol::text;

use super::allotment::Allotment;
use super::contract::types::Refusal;
use super::deadline::Stopwatch;
use super::errand::Errands;
use super::pass::Pass;
use super::{Capability, Grants, JournalLevel, JournalLine, Limits, LinkSettings, Occasion, Submission};
use crate::ports::Product;
use crate::pseudonym::Pseudonyms;

/// The most characters of a journal line, by the contract.
const MAX_JOURNAL_LINE: usize = 400;

/// The state of one run.
pub(crate) struct RunState {
    pub(crate) limits: Arc<Limits>,
    pub(crate) allotment: Allotment,
    pub(crate) watch: Stopwatch,
    pub(crate) quotas: Quotas,
    pub(crate) journal: Journal,

    pub(crate) grants: Grants,
    pub(crate) product: Arc<dyn Product>,
    pub(crate) facts: ProductFacts,
    pub(crate) licenses: Vec<LicenseStanding>,
    pub(crate) link: LinkSettings,
    pub(crate) pseudonyms: Pseudonyms,
    pub(crate) errands: Errands,

    /// The pass over the accounts that is under way.
    pub(crate) pass: Option<Pass>,
    /// How many accounts each complete pass of this run came to.
    pub(crate) complete_passes: Vec<u64>,
    /// Accounts that were handed out, in all passes.
    pub(crate) accounts_read: u64,
    /// Whether the plugin was given the licenses.
    pub(crate) gave_licenses: bool,
    /// The report that was taken.
    pub(crate) submission: Option<Submission>,
    /// Why the latest report was refused.
    pub(crate) refused_report: Option<String>,
}

impl RunState {
    pub(crate) fn new(limits: &Arc<Limits>, errands: &Errands, occasion: Occasion<'_>) -> Self {
        Self {
            allotment: Allotment::new(limits),
            watch: Stopwatch::start(limits.plugin_time, limits.product_time),
            quotas: Quotas::new(limits),
            journal: Journal::new(limits.journal_lines),
            limits: Arc::clone(limits),
            grants: occasion.grants,
            product: occasion.product,
            facts: occasion.facts.clone(),
            licenses: occasion.licenses.iter().take(MAX_LICENSES).cloned().collect(),
            link: occasion.link,
            pseudonyms: Pseudonyms::new(occasion.pseudonym_key),
            errands: errands.clone(),
            pass: None,
            complete_passes: Vec::new(),
            accounts_read: 0,
            gave_licenses: false,
            submission: None,
            refused_report: None,
        }
    }

    /// The two questions before every call: is it granted, and is there a call left?
    pub(crate) fn admit(&mut self, capability: Capability) -> Result<(), Refusal> {
        if !self.grants.contains(capability) {
            return Err(Refusal::NotGranted);
        }
        self.quotas.calls.take(1)
    }
}

/// The quotas of a run.
pub(crate) struct Quotas {
    pub(crate) calls: Quota,
    pub(crate) passes: Quota,
    pub(crate) submits: Quota,
    pub(crate) bytes: Quota,
}

impl Quotas {
    fn new(limits: &Limits) -> Self {
        Self {
            calls: Quota::new("calls", limits.calls),
            passes: Quota::new("passes over the accounts", limits.passes.into()),
            submits: Quota::new("submitted reports", limits.submits.into()),
            bytes: Quota::new("bytes taken from the plugin", limits.bytes as u64),
        }
    }
}

/// A number of something that a run may use.
pub(crate) struct Quota {
    what: &'static str,
    size: u64,
    left: u64,
}

impl Quota {
    fn new(what: &'static str, size: u64) -> Self {
        Self { what, size, left: size }
    }

    /// Takes `amount`, or refuses it by name and leaves the quota as it is.
    pub(crate) fn take(&mut self, amount: u64) -> Result<(), Refusal> {
        match self.left.checked_sub(amount) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Refusal::Quota(format!("a run may have {} {}", self.size, self.what))),
        }
    }
}

/// The log of a run.
pub(crate) struct Journal {
    room: usize,
    pub(crate) lines: Vec<JournalLine>,
    pub(crate) dropped: u64,
}

impl Journal {
    fn new(room: usize) -> Self {
        Self { room, lines: Vec::new(), dropped: 0 }
    }

    /// Whether another line is kept.
    pub(crate) fn has_room(&self) -> bool {
        self.lines.len() < self.room
    }

    pub(crate) fn keep(&mut self, level: JournalLevel, line: &str) {
        self.lines.push(JournalLine { level, text: text::line(line, MAX_JOURNAL_LINE) });
    }
}
