//! Reports that are held for approval (`b6`): made, shown to the byte, and sent when an administrator has approved them.
//!
//! What is held has no place in the chain yet. Sealing is deterministic, so the exact bytes are known all the same: those of
//! the next places, in their order. Approving a report, named by the digest of its bytes, puts it and all before it into the
//! outbox, as those bytes. Discarding one leaves no gap: the reports after it move up, and are approved by new digests.

use std::ops::ControlFlow;

use jiff::Timestamp;
use seatline_protocol::{Digest, Report, seal};
use serde::{Deserialize, Serialize};

use crate::host::CollectError;
use crate::link::Link;
use crate::outbox::{self, Head, MAX_PENDING, Outbox, OutboxError, PendingReport};
use crate::slots;
use crate::store::{LockedStore, Log, Slot, StateReader, StoreError};

/// The most reports that are held: with hourly reports, more than a week.
pub const MAX_HELD: usize = 200;
/// The most bytes of the reports that are held. One of the greatest size has room for as long as less than half of the
/// reports are of that size.
pub const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

/// Why a hold or a held report stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Reports wait.
    #[error(
        "{} for approval: approve or discard what waits first, and then let reports leave by themselves",
        match .held { 1 => "1 report waits".to_owned(), held => format!("{held} reports wait") }
    )]
    Waiting {
        /// How many.
        held: usize,
    },
    /// No report of this digest waits.
    #[error(
        "no report with the digest {digest} waits for approval: it was approved or discarded, or one before it was \
         discarded; look at what waits now (`seatline report hold`)"
    )]
    NotHeld {
        /// The digest.
        digest: Digest,
    },
    /// None waits at all.
    #[error("no report waits for approval")]
    NothingHeld,
    /// The outbox takes no more, or a report could not be sealed.
    #[error(transparent)]
    Report(#[from] CollectError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HoldError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "reports-held",
            Self::NotHeld { .. } => "not-held",
            Self::NothingHeld => "nothing-held",
            Self::Report(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Which of the reports that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All that wait now.
    All,
    /// The one whose exact bytes have this digest.
    Of(Digest),
}

/// A report that waits for approval.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldReport {
    /// What it says.
    pub report: Report,
    /// The exact bytes that leave when it is approved.
    pub sealed: PendingReport,
}

/// Whether reports are held, and how many wait.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HoldStatus {
    /// Since when reports are held for approval; none where they leave by themselves.
    pub since: Option<Timestamp>,
    /// How many wait.
    pub held: usize,
    /// How many can wait at the most: then no report is made until one was approved or discarded.
    pub capacity: usize,
    /// When the oldest was made.
    pub oldest: Option<Timestamp>,
}

/// The switch, as it is kept: there while reports are held.
#[derive(Serialize, Deserialize)]
struct Switch {
    since: Timestamp,
}

impl HoldStatus {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        let (mut held, mut oldest) = (0, None);
        visit(store, &mut |report| {
            held += 1;
            oldest.get_or_insert(report.observed_at);
        })?;
        Ok(Self { since: since(store)?, held, capacity: MAX_HELD, oldest })
    }
}

/// Since when reports are held, if they are.
pub(crate) fn since(store: &dyn StateReader) -> Result<Option<Timestamp>, StoreError> {
    Ok(slots::read::<Switch>(store, Slot::Hold)?.map(|switch| switch.since))
}

/// Holds reports from `now` on, or lets them leave by themselves again.
pub(crate) fn switch(locked: &mut dyn LockedStore, on: bool, now: Timestamp) -> Result<(), HoldError> {
    if on {
        if since(locked.store())?.is_none() {
            slots::write(locked, Slot::Hold, &Switch { since: now })?;
        }
        return Ok(());
    }
    match HoldStatus::read(locked.store())?.held {
        0 => Ok(locked.clear(Slot::Hold)?),
        // The reports after them would otherwise leave before them.
        held => Err(HoldError::Waiting { held }),
    }
}

/// Holds a report. Its place in the chain is of no account: it gets one when it is approved.
pub(crate) fn hold(locked: &mut dyn LockedStore, report: &Report) -> Result<(), OutboxError> {
    let (mut held, mut bytes) = (0, 0);
    locked.store().visit(Log::Held, &mut |record| {
        (held, bytes) = (held + 1, bytes + record.len());
        ControlFlow::Continue(())
    })?;
    let record = slots::to_json(report)?.to_vec();
    if held >= MAX_HELD || bytes + record.len() > MAX_HELD_BYTES {
        return Err(OutboxError::HeldFull { held });
    }
    Ok(locked.append(Log::Held, &[record])?)
}

/// The reports of the present link that wait, as they would leave.
pub(crate) fn waiting(store: &dyn StateReader) -> Result<Vec<HeldReport>, CollectError> {
    let Some(link) = Link::read(store)? else { return Ok(Vec::new()) };
    let Some(approved) = link.approved() else { return Ok(Vec::new()) };
    let mut reports = Vec::new();
    visit(store, &mut |report| reports.push(report))?;
    let (key, mut head, mut held) = (link.secret_key()?, Outbox::read(store)?.head, Vec::new());
    for report in reports.into_iter().filter(|report| report.link == *approved.link) {
        let (sequence, previous) = outbox::place_after(head.as_ref())?;
        let report = Report { sequence, previous, ..report };
        let sealed = PendingReport { sequence, made_at: report.observed_at, sealed: seal::seal(&report, &key)? };
        head = Some(Head::of(&sealed));
        held.push(HeldReport { report, sealed });
    }
    Ok(held)
}

/// Puts the report and all before it into the outbox. Gives them.
///
/// Interrupted between the two writes, it leaves them in the outbox and held: they are asked for once more.
pub(crate) fn approve(locked: &mut dyn LockedStore, which: &Which) -> Result<Vec<PendingReport>, HoldError> {
    let held = waiting(locked.store())?;
    let last = match which {
        Which::All => held.len().checked_sub(1).ok_or(HoldError::NothingHeld)?,
        Which::Of(digest) => place_of(&held, digest)?,
    };
    let approved: Vec<PendingReport> = held.into_iter().take(last + 1).map(|held| held.sealed).collect();
    let outbox = Outbox::read(locked.store())?;
    if outbox.pending + approved.len() > MAX_PENDING || outbox.is_full() {
        return Err(CollectError::from(OutboxError::Full { pending: outbox.pending }).into());
    }
    for report in &approved {
        outbox::append(locked, report)?;
    }
    let mut leaves = approved.len();
    locked.rewrite(
        Log::Held,
        &mut |_| {
            let stays = leaves == 0;
            leaves = leaves.saturating_sub(1);
            stays
        },
        &[],
    )?;
    Ok(approved)
}

/// Throws the report away, or all of them. Gives how many.
pub(crate) fn discard(locked: &mut dyn LockedStore, which: &Which) -> Result<usize, HoldError> {
    let held = waiting(locked.store())?;
    let place = match which {
        Which::All if held.is_empty() => return Err(HoldError::NothingHeld),
        Which::All => None,
        Which::Of(digest) => Some(place_of(&held, digest)?),
    };
    let mut at = 0;
    locked.rewrite(
        Log::Held,
        &mut |_| {
            at += 1;
            place.is_some_and(|place| place + 1 != at)
        },
        &[],
    )?;
    Ok(if place.is_some() { 1 } else { held.len() })
}

/// Throws away what is held for a link that is removed.
pub(crate) fn forget(locked: &mut dyn LockedStore) -> Result<(), StoreError> {
    let mut is_empty = true;
    locked.store().visit(Log::Held, &mut |_| {
        is_empty = false;
        ControlFlow::Break(())
    })?;
    if is_empty { Ok(()) } else { locked.rewrite(Log::Held, &mut |_| false, &[]) }
}

fn place_of(held: &[HeldReport], digest: &Digest) -> Result<usize, HoldError> {
    let place = held.iter().position(|held| held.sealed.digest() == *digest);
    place.ok_or_else(|| HoldError::NotHeld { digest: digest.clone() })
}

fn visit(store: &dyn StateReader, take: &mut dyn FnMut(Report)) -> Result<(), StoreError> {
    let mut damage = None;
    store.visit(Log::Held, &mut |record| match serde_json::from_slice(record) {
        Ok(report) => {
            take(report);
            ControlFlow::Continue(())
        }
        Err(error) => {
            damage = Some(error);
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(()), |error| {
        let what = format!("`{}` of the state", Log::Held.name());
        let reason = format!("a record is not what was written there: {error}");
        Err(StoreError::Damaged { what, reason, way_out: Log::Held.way_out() })
    })
}
