//! Collecting: runs the plugin, holds its counts against the licenses, and puts the report into the outbox.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use seatline_protocol::report::{Failure, Outcome, ProductFacts, Reporter};
use seatline_protocol::{Counting, OpenError, Report, Standing, seal};

use super::{Host, HostError};
use crate::identity;
use crate::link::{self, Link};
use crate::outbox::{self, Outbox, OutboxError, PendingReport};
use crate::plugins::CurrentPlugin;
use crate::runs::{self, LastRun};
use crate::sandbox::{LinkSettings, Occasion, RunRecord, Trigger};
use crate::slots;
use crate::store::{Slot, StoreError};

/// What a run came to.
#[derive(Debug)]
pub struct Collected {
    /// The run.
    pub run: LastRun,
    /// Its report in the outbox; none without a link that is in force.
    pub report: Option<PendingReport>,
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
    /// What a run now would report. Its link, sequence and time are those of this moment; without a link they are absent.
    pub next: PreviewedReport,
}

/// A report that was not made, only shown.
#[derive(Debug)]
pub struct PreviewedReport {
    /// The report; none without a link that is in force.
    pub report: Option<Report>,
    /// The report as it would leave, sealed.
    pub sealed: Option<String>,
    /// What the plugin collected, or why it failed.
    pub outcome: Outcome,
}

impl Host {
    /// Runs the plugin; with a link in force, its report is in the outbox when this returns. A plugin that fails, or that
    /// is not installed, is reported as such.
    ///
    /// # Errors
    /// When nothing could be run or kept.
    pub fn collect(&self, trigger: Trigger) -> Result<Collected, CollectError> {
        let _one = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (run, facts) = self.run_plugin(trigger)?;
        let mut locked = self.store.lock()?;
        slots::write(&mut *locked, Slot::LastRun, &run)?;
        let report = match Link::read(locked.store())? {
            Some(link) if link.approved().is_some() => {
                let outbox = Outbox::read(locked.store())?;
                let report = next_report(&link, &outbox, &run, facts)?;
                report.map(|report| sealed(&report, &link)).transpose()?
            }
            _ => None,
        };
        if let Some(report) = &report {
            outbox::append(&mut *locked, report.clone())?;
        }
        Ok(Collected { run, report })
    }

    /// What would leave the product: the waiting reports, and what a run now would add. Nothing is kept or sent.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn preview_report(&self) -> Result<Preview, CollectError> {
        let _one = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (run, facts) = self.run_plugin(Trigger::Demand)?;
        let outbox = Outbox::read(&*self.store)?;
        let link = Link::read(&*self.store)?;
        let report = link.as_ref().map(|link| next_report(link, &outbox, &run, facts)).transpose()?.flatten();
        let token = match (&report, &link) {
            (Some(report), Some(link)) => Some(sealed(report, link)?.sealed),
            _ => None,
        };
        let next = PreviewedReport { report, sealed: token, outcome: run.outcome };
        Ok(Preview { pending: outbox.pending, next })
    }

    /// Runs the plugin once, and holds what it counted against the licenses.
    fn run_plugin(&self, trigger: Trigger) -> Result<(LastRun, ProductFacts), CollectError> {
        let description = self.product.describe().map_err(HostError::from)?;
        let facts = runs::facts(&description, &self.server_id);
        let now = self.now()?;
        let before = LastRun::read(&*self.store)?;
        let known = before.as_ref().map(|run| run.counts.clone()).unwrap_or_default();
        let licensed = self.standing_with(&description, known, now)?;
        let (plugin, ran) = match self.plugins.current() {
            Ok(Some(current)) => {
                let ran = self.run_current(&current, &facts, &licensed, trigger, now)?;
                (Some(current.plugin.facts()), Ran::from(ran))
            }
            Ok(None) => (None, Ran::failed("no-plugin", "no plugin is installed (`seatline plugin install`)")),
            Err(error) => (None, Ran::failed(error.code(), &error.to_string())),
        };
        let Ran { mut outcome, read_licenses, journal, took } = ran;
        let (counts, counted_at) = runs::counts_after(before.as_ref(), &outcome, description.nodes.len(), now);
        if let Outcome::Collected(collected) = &mut outcome
            && read_licenses
        {
            collected.standing = Some(self.standing_with(&description, counts.clone(), now)?);
        }
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let trigger = trigger.name().to_owned();
        Ok((LastRun { at: now, trigger, took_ms, plugin, outcome, journal, counts, counted_at }, facts))
    }

    fn run_current(
        &self,
        current: &CurrentPlugin,
        facts: &ProductFacts,
        licensed: &Standing,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<RunRecord, StoreError> {
        let link = Link::read(&*self.store)?;
        let approved = link.as_ref().and_then(Link::approved);
        let pseudonym_key = match &approved {
            Some(approved) => approved.pseudonym_key.clone(),
            None => identity::local_pseudonym_key(&*self.store)?,
        };
        let (interval, dormancy_days, counting) = link::settings_of(link.as_ref());
        let counting: Counting = licensed.counting.unwrap_or(counting);
        Ok(current.plugin.run(Occasion {
            product: Arc::clone(&self.product),
            facts,
            licenses: &licensed.licenses,
            link: LinkSettings { linked: approved.is_some(), interval, dormancy_days, counting },
            pseudonym_key: &pseudonym_key,
            grants: current.grants.clone(),
            trigger,
            today: now.to_zoned(TimeZone::UTC).date(),
        }))
    }
}

/// What a run left, in the words of a report.
struct Ran {
    outcome: Outcome,
    read_licenses: bool,
    journal: Vec<runs::JournalEntry>,
    took: Duration,
}

impl Ran {
    fn failed(code: &str, message: &str) -> Self {
        let outcome = Outcome::Failed(failure(code, message));
        Self { outcome, read_licenses: false, journal: Vec::new(), took: Duration::ZERO }
    }
}

impl From<RunRecord> for Ran {
    fn from(record: RunRecord) -> Self {
        let (outcome, read_licenses) = match record.result {
            Ok(submission) => (Outcome::Collected(Box::new(submission.collected)), submission.read_licenses),
            Err(error) => (Outcome::Failed(failure(error.code(), &error.to_string())), false),
        };
        let journal = record.journal.into_iter().map(runs::JournalEntry::from).collect();
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
    run: &LastRun,
    product: ProductFacts,
) -> Result<Option<Report>, OutboxError> {
    let Some(approved) = link.approved() else { return Ok(None) };
    let (sequence, previous) = outbox.next()?;
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

fn sealed(report: &Report, link: &Link) -> Result<PendingReport, CollectError> {
    let sealed = seal::seal(report, &link.secret_key()?)?;
    Ok(PendingReport { sequence: report.sequence, made_at: report.observed_at, sealed })
}
