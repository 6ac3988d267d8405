//! Repeating: where nothing has changed since a report that the central server has, the next one says that, in a few
//! bytes.
//!
//! What can be repeated is the last report that said all, once its receipt is here, and for a week. It is kept to the
//! byte: a central server that was restored from an older backup asks for it again ([`RefusalCode::RepeatUnknown`]),
//! and nothing is lost.

use std::ops::ControlFlow;

use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::repeat::{MAX_AGE, Repeated};
use seatline_protocol::{Digest, Entry, Receipt, Repeat, Report, Sequence};
use serde::{Deserialize, Serialize};

use crate::exchange::ExchangeState;
use crate::link::Link;
use crate::outbox::{self, PendingReport};
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// A report that says all, as it is kept: the last one, and those before it that waiting reports repeat.
#[derive(Clone, Serialize, Deserialize)]
struct FullReport {
    sequence: Sequence,
    digest: Digest,
    made_at: Timestamp,
    /// The digest of what it says, see [`content_of`].
    content: Digest,
    /// Whether the central server has receipted it.
    is_received: bool,
    /// Its exact bytes.
    sealed: String,
}

/// What is kept, the newest last.
type Kept = Vec<FullReport>;

/// What is damaged cannot be repeated, and is no reason to make no report.
fn kept(store: &dyn StateReader) -> Result<Kept, StoreError> {
    match slots::read(store, Slot::FullReports) {
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::warn!(code = error.code(), "the next report says all: {error}");
            Ok(Kept::default())
        }
        read => Ok(read?.unwrap_or_default()),
    }
}

/// The digest of what a report says, apart from its place, its time and why it was made.
fn content_of(report: &Report) -> Result<Digest, StoreError> {
    let said = Report {
        sequence: Sequence::FIRST,
        previous: None,
        observed_at: Timestamp::UNIX_EPOCH,
        trigger: String::new(),
        ..report.clone()
    };
    Ok(Digest::of(&slots::to_json(&said)?))
}

/// The report as it leaves: as a repeat, where the central server takes repeats and has a report that says the same.
pub(crate) fn shortened(store: &dyn StateReader, link: &Link, report: Report) -> Result<Entry, StoreError> {
    let takes_repeats = link.approved().and_then(|approved| approved.settings).is_some_and(|wants| wants.takes_repeats);
    let (Some(full), Some(previous), true) = (kept(store)?.pop(), &report.previous, takes_repeats) else {
        return Ok(report.into());
    };
    let last: Option<PendingReport> = slots::read(store, Slot::LastReport)?;
    // A report that an older version of this program has made in between says something else.
    let is_last = last.is_some_and(|last| last.repeats.unwrap_or(last.sequence) == full.sequence);
    let age = report.observed_at.duration_since(full.made_at);
    let is_fresh = !age.is_negative() && age < MAX_AGE;
    if !(full.is_received && is_last && is_fresh && full.content == content_of(&report)?) {
        return Ok(report.into());
    }
    Ok(Entry::Repeat(Repeat {
        repeats: Repeated { sequence: full.sequence, digest: full.digest },
        previous: previous.clone(),
        link: report.link,
        sequence: report.sequence,
        observed_at: report.observed_at,
        trigger: report.trigger,
    }))
}

/// Keeps a report that says all, so that it can be repeated.
pub(crate) fn keep(locked: &mut dyn LockedStore, report: &Report, sealed: &PendingReport) -> Result<(), StoreError> {
    let mut repeated = Vec::new();
    outbox::visit(locked.store(), &mut |waiting| {
        repeated.extend(waiting.repeats);
        ControlFlow::Continue(())
    })?;
    let mut kept = kept(locked.store())?;
    kept.retain(|full| repeated.contains(&full.sequence));
    kept.push(FullReport {
        sequence: sealed.sequence,
        digest: sealed.digest(),
        made_at: sealed.made_at,
        content: content_of(report)?,
        is_received: false,
        sealed: sealed.sealed.clone(),
    });
    slots::write(locked, Slot::FullReports, &kept)
}

/// Takes it that these reports were received: they can be repeated from now on.
pub(crate) fn received(locked: &mut dyn LockedStore, receipts: &[Receipt]) -> Result<(), StoreError> {
    let mut kept = kept(locked.store())?;
    let mut is_new = false;
    for full in kept.iter_mut().filter(|full| !full.is_received) {
        full.is_received = receipts.iter().any(|receipt| receipt.report == full.digest);
        is_new |= full.is_received;
    }
    if is_new { slots::write(locked, Slot::FullReports, &kept) } else { Ok(()) }
}

/// What the central server lacks of what waiting reports repeat, to the byte, where it has said so.
pub(crate) fn lacking(store: &dyn StateReader) -> Result<Vec<(Sequence, String)>, StoreError> {
    let problem = ExchangeState::read(store)?.problem;
    if problem.is_none_or(|problem| problem.code != RefusalCode::RepeatUnknown.name()) {
        return Ok(Vec::new());
    }
    Ok(kept(store)?.into_iter().map(|full| (full.sequence, full.sealed)).collect())
}

/// Forgets what could be repeated: it is of a link that is gone.
pub(crate) fn forget(locked: &mut dyn LockedStore) -> Result<(), StoreError> {
    if locked.store().read(Slot::FullReports)?.is_some() { locked.clear(Slot::FullReports) } else { Ok(()) }
}
