//! Collecting: runs the plugin, holds its counts against the licenses, and puts the report into the outbox.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use seatline_protocol::report::{Failure, Outcome, PluginFacts, ProductFacts, Reporter};
use seatline_protocol::{Counting, Entry, OpenError, PseudonymKeyId, Report, seal};

use super::{Host, HostError};
use crate::exchange;
use crate::held;
use crate::link::{self, Link};
use crate::outbox::{self, Head, Outbox, OutboxError, PendingReport};
use crate::peaks::Peaks;
use crate::plugins::CurrentPlugin;
use crate::ports::Description;
use crate::pseudonym;
use crate::repeats;
use crate::runs::{self, JournalEntry, LastRun, PastRun};
use crate::sandbox::{LinkSettings, Occasion, RunRecord, Trigger};
use crate::slots;
use crate::store::{LockedStore, Slot, StoreError, change};

/// What a run came to.
#[derive(Debug)]
pub struct Collected {
    /// The run.
    pub run: LastRun,
    /// Its report in the outbox; none where it is held, and without a link that is in force.
    pub report: Option<PendingReport>,
    /// Whether its report waits for approval (`b6`).
    pub is_held: bool,
}

/// Why a run left no report behind. A plugin that fails is not among the reasons: that is reported.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The host's own state, plugin files or product.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The outbox takes no report.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The report could not be sealed.
    #[error("the report could not be sealed: {0}")]
    Seal(#[from] OpenError),
}

impl From<StoreError> for CollectError {
    fn from(error: StoreError) -> Self {
        Self::Host(error.into())
    }
}

impl CollectError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host(error) => error.code(),
            Self::Outbox(error) => error.code(),
            Self::Seal(error) => error.code(),
        }
    }
}

/// What would leave, to the byte (`b6`).
#[derive(Debug)]
pub struct Preview {
    /// The reports that wait already: these exact bytes leave with the next exchange.
    pub pending: Vec<PendingReport>,
    /// The reports that wait for approval: these exact bytes leave when they are approved in their order.
    pub held: Vec<PendingReport>,
    /// The statements that leave with the next exchange, to the byte: that the server ID has changed (`b4`).
    pub statements: Vec<String>,
    /// What a run now would report. Its link, sequence and time are those of this moment; without a link they are
    /// absent.
    pub next: PreviewedReport,
}

/// A report that was not made, only shown.
#[derive(Debug)]
pub struct PreviewedReport {
    /// The report, or that it repeats one; none without a link that is in force.
    pub report: Option<Entry>,
    /// The report as it would leave, sealed.
    pub sealed: Option<String>,
    /// What the plugin collected, or why it failed.
    pub outcome: Outcome,
}

impl Host {
    /// Runs the plugin; with a link in force, its report is in the outbox when this returns. A plugin that fails, or
    /// that is not installed, is reported as such.
    ///
    /// # Errors
    /// When nothing could be run or kept.
    pub fn collect(&self, trigger: Trigger) -> Result<Collected, CollectError> {
        let _one = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let collected = self.run_and_keep(trigger);
        self.activity.ran(&collected);
        collected
    }

    fn run_and_keep(&self, trigger: Trigger) -> Result<Collected, CollectError> {
        self.look_at_identity()?;
        let mut is_again = false;
        loop {
            let link = Link::read(&*self.store)?;
            let before = LastRun::read(&*self.store)?.map(|run| run.at);
            let ran = self.run_plugin(trigger, link.as_ref())?;
            let kept = change(&*self.store, |locked| {
                let present = Link::read(locked.store())?;
                if !is_in_force(link.as_ref(), present.as_ref()) {
                    // The link was approved, made anew or removed during the run, and its pseudonyms are of another
                    // key. Each time that took a person, so this ends.
                    return Ok(None);
                }
                let last = LastRun::read(locked.store())?;
                if !is_again && last.as_ref().map(|run| run.at) != before {
                    // Another process has made a run meanwhile. Where this node stood still, what it has counted is of
                    // long ago, and would hide what is newer: once it counts anew.
                    is_again = true;
                    return Ok(None);
                }
                self.keep(ran, last, present, locked).map(Some)
            });
            let kept: Result<_, StoreError> = kept;
            if let Some(kept) = kept? {
                self.refresh();
                return kept;
            }
        }
    }

    /// Keeps a run after the `last` one, and its report where there is a `link`. The run is kept also where its report
    /// cannot be made.
    fn keep(
        &self,
        ran: Ran,
        last: Option<LastRun>,
        link: Option<Link>,
        locked: &mut dyn LockedStore,
    ) -> Result<Result<Collected, CollectError>, StoreError> {
        let (run, facts) = self.settle(ran, last)?;
        slots::write(locked, Slot::LastRun, &run.to_keep())?;
        Peaks::note(locked, &run.counts, run.at)?;
        let made = match link {
            Some(link) => make_report(locked, &link, &run, facts),
            None => Ok(Made::None),
        };
        PastRun::note(locked, &run, made.as_ref().ok())?;
        Ok(made.map(|made| Collected { is_held: matches!(made, Made::Held), report: made.report(), run }))
    }

    /// What would leave the product: the waiting reports, and what a run now would add. Nothing is kept or sent.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn preview_report(&self) -> Result<Preview, CollectError> {
        let _one = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let link = Link::read(&*self.store)?;
        let ran = self.run_plugin(Trigger::Demand, link.as_ref())?;
        let (run, facts) = self.settle(ran, LastRun::read(&*self.store)?)?;
        let mut outbox = Outbox::read(&*self.store)?;
        let held: Vec<PendingReport> = held::waiting(&*self.store)?.into_iter().map(|held| held.sealed).collect();
        outbox.head = held.last().map(Head::of).or(outbox.head);
        let is_held = held::since(&*self.store)?.is_some();
        let report = link.as_ref().map(|link| next_report(link, &outbox, is_held, &run, facts)).transpose()?.flatten();
        let (report, token) = match (report, &link) {
            (Some(report), Some(link)) => {
                let entry = if is_held { report.into() } else { repeats::shortened(&*self.store, link, report)? };
                let token = sealed(&entry, link)?.sealed;
                (Some(entry), Some(token))
            }
            _ => (None, None),
        };
        let next = PreviewedReport { report, sealed: token, outcome: run.outcome };
        let statements = exchange::statements(link.as_ref(), &*self.store)?;
        Ok(Preview { pending: outbox::waiting(&*self.store)?, held, statements, next })
    }

    /// Runs the plugin once, for `link`.
    fn run_plugin(&self, trigger: Trigger, link: Option<&Link>) -> Result<Ran, CollectError> {
        let description = self.product.describe().map_err(HostError::from)?;
        let at = self.now()?;
        let (plugin, end) = match self.plugins.current() {
            Ok(Some(current)) => {
                let record = self.run_current(&current, &description, link, trigger, at)?;
                (Some(current.plugin.facts(&current.grants)), End::from(record))
            }
            Ok(None) => (None, End::failed("no-plugin", "no plugin is installed (`seatline plugin install`)")),
            Err(error) => (None, End::failed(error.code(), &error.to_string())),
        };
        Ok(Ran { description, at, trigger, plugin, end })
    }

    fn run_current(
        &self,
        current: &CurrentPlugin,
        description: &Description,
        link: Option<&Link>,
        trigger: Trigger,
        at: Timestamp,
    ) -> Result<RunRecord, StoreError> {
        let known = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        let licensed = self.standing_with(description, known, at)?;
        let approved = link.and_then(Link::approved);
        let pseudonym_key = match &approved {
            Some(approved) => approved.pseudonym_key.clone(),
            None => pseudonym::local_key(&*self.store)?,
        };
        let (interval, dormancy_days, counting) = link::settings_of(link);
        let counting: Counting = licensed.counting.unwrap_or(counting);
        let mut record = current.plugin.run(Occasion {
            product: Arc::clone(&self.product),
            facts: &runs::facts(description, &self.present_identity()?, &licensed),
            licenses: &licensed.licenses,
            link: LinkSettings { linked: approved.is_some(), interval, dormancy_days, counting },
            pseudonym_key: &pseudonym_key,
            grants: current.grants.clone(),
            trigger,
            today: at.to_zoned(TimeZone::UTC).date(),
        });
        // Which key the pseudonyms are of, the host says: a plugin never sees it.
        if let Ok(submission) = &mut record.result
            && submission.collected.people.is_some()
        {
            submission.collected.people_key = approved.map(|approved| PseudonymKeyId::of(approved.pseudonym_key));
        }
        Ok(record)
    }

    /// Holds what was counted against the licenses, and joins it to what was known `before`.
    fn settle(&self, ran: Ran, before: Option<LastRun>) -> Result<(LastRun, ProductFacts), StoreError> {
        let Ran { description, at, trigger, plugin, end } = ran;
        let End { mut outcome, read_licenses, journal, took } = end;
        let (counts, counted_at) = runs::counts_after(before.as_ref(), &outcome, description.nodes.len(), at);
        let standing = self.standing_with(&description, counts.clone(), at)?;
        let facts = runs::facts(&description, &self.present_identity()?, &standing);
        if let Outcome::Collected(collected) = &mut outcome
            && read_licenses
        {
            collected.standing = Some(standing);
        }
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let trigger = trigger.name().to_owned();
        let run = LastRun { at, trigger, took_ms, plugin, outcome, journal, counts, counted_at };
        Ok((run, facts))
    }
}

/// Whether the link that a run was made for is in force in the same way now: then its pseudonyms are of the right key.
fn is_in_force(before: Option<&Link>, now: Option<&Link>) -> bool {
    let approved = |link: Option<&Link>| link.is_some_and(|link| link.approved().is_some());
    match (before.filter(|_| approved(before)), now.filter(|_| approved(now))) {
        (None, None) => true,
        (Some(before), Some(now)) => before.is_same(now),
        _ => false,
    }
}

/// A run, before what it counted is held against the licenses.
struct Ran {
    description: Description,
    at: Timestamp,
    trigger: Trigger,
    plugin: Option<PluginFacts>,
    end: End,
}

/// What a run came to, in the words of a report.
struct End {
    outcome: Outcome,
    read_licenses: bool,
    journal: Vec<JournalEntry>,
    took: Duration,
}

impl End {
    fn failed(code: &str, message: &str) -> Self {
        let outcome = Outcome::Failed(failure(code, message));
        Self { outcome, read_licenses: false, journal: Vec::new(), took: Duration::ZERO }
    }
}

impl From<RunRecord> for End {
    fn from(record: RunRecord) -> Self {
        let (outcome, read_licenses) = match record.result {
            Ok(submission) => (Outcome::Collected(Box::new(submission.collected)), submission.read_licenses),
            Err(error) => (Outcome::Failed(failure(error.code(), &error.to_string())), false),
        };
        let mut journal: Vec<JournalEntry> = record.journal.into_iter().map(JournalEntry::from).collect();
        if record.dropped_lines > 0 {
            journal.push(JournalEntry::of_dropped(record.dropped_lines));
        }
        Self { outcome, read_licenses, journal, took: record.took }
    }
}

fn failure(code: &str, message: &str) -> Failure {
    use seatline_protocol::text::line;
    Failure { code: line(code, 64), message: line(message, 400) }
}

/// The next report of a link that is in force.
fn next_report(
    link: &Link,
    outbox: &Outbox,
    is_held: bool,
    run: &LastRun,
    product: ProductFacts,
) -> Result<Option<Report>, OutboxError> {
    let Some(approved) = link.approved() else { return Ok(None) };
    // A held report needs no room in the outbox before it is approved.
    let (sequence, previous) = if is_held { outbox::place_after(outbox.head.as_ref())? } else { outbox.next()? };
    Ok(Some(Report {
        link: approved.link.clone(),
        sequence,
        previous,
        observed_at: run.at,
        trigger: run.trigger.clone(),
        reporter: Reporter { host: env!("CARGO_PKG_VERSION").to_owned(), plugin: run.plugin.clone() },
        product,
        outcome: run.outcome.clone(),
    }))
}

/// What became of the report of a run.
pub(crate) enum Made {
    /// There is no link in force.
    None,
    /// It waits for approval.
    Held,
    /// It is in the outbox.
    Pending(PendingReport),
}

impl Made {
    fn report(self) -> Option<PendingReport> {
        match self {
            Self::Pending(report) => Some(report),
            Self::None | Self::Held => None,
        }
    }
}

/// Puts the next report of a link that is in force into the outbox, or holds it for approval.
fn make_report(
    locked: &mut dyn LockedStore,
    link: &Link,
    run: &LastRun,
    product: ProductFacts,
) -> Result<Made, CollectError> {
    let outbox = Outbox::read(locked.store())?;
    let is_held = held::since(locked.store())?.is_some();
    let Some(report) = next_report(link, &outbox, is_held, run, product)? else { return Ok(Made::None) };
    if is_held {
        held::hold(locked, &report)?;
        return Ok(Made::Held);
    }
    let entry = repeats::shortened(locked.store(), link, report)?;
    let sealed = sealed(&entry, link)?;
    outbox::append(locked, &sealed)?;
    if let Entry::Full(report) = &entry {
        repeats::keep(locked, report, &sealed)?;
    }
    Ok(Made::Pending(sealed))
}

fn sealed(entry: &Entry, link: &Link) -> Result<PendingReport, CollectError> {
    let sealed = seal::seal_entry(entry, &link.secret_key()?)?;
    let repeats = entry.repeats().map(|repeats| repeats.sequence);
    Ok(PendingReport { sequence: entry.sequence(), made_at: entry.observed_at(), sealed, repeats })
}
