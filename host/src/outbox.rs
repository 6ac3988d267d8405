//! The outbox: reports between their making and their receipt, and the head of their chain.
//!
//! A report exists once its record is in the outbox, synced. It leaves only when its receipt is stored. Where reports
//! have left, a record names the head of the chain, so that the next report follows the latest that was ever made.
//!
//! The outbox is bounded. When it is full, no report is made until one has left: a report that was made is never thrown
//! away, so that the chain stays whole.

mod leaving;

use std::ops::ControlFlow;

use jiff::Timestamp;
use seatline_protocol::{Digest, Document as _, Report, Sequence};
use serde::{Deserialize, Serialize};

use crate::slots;
use crate::store::{LockedStore, Log, Slot, StateReader, StoreError};

pub(crate) use leaving::{Retired, receive, retire, retire_made};

/// The most reports that wait: with hourly reports, six weeks.
pub const MAX_PENDING: usize = 1000;
/// The most bytes of waiting reports, and of those of removed links. Reports with the greatest sketches take it up in
/// 500, which is three weeks of hourly reports.
pub const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;

/// A report that waits for its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReport {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// When it was made.
    pub made_at: Timestamp,
    /// The sealed report: the exact bytes that leave.
    pub sealed: String,
    /// The report that it repeats, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Sequence>,
}

impl PendingReport {
    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(self.sealed.as_bytes())
    }
}

/// The last report of the chain, whether it still waits or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub sequence: Sequence,
    pub digest: Digest,
    /// When it was made; absent where an older version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
}

impl Head {
    pub fn of(report: &PendingReport) -> Self {
        Self { sequence: report.sequence, digest: report.digest(), made_at: Some(report.made_at) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Record {
    Head(Head),
    Report(PendingReport),
}

/// Why a report could not be put into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// It is full.
    #[error(
        "the outbox is full ({pending} reports wait for the central server); no report is made until one was received"
    )]
    Full {
        /// How many reports wait.
        pending: usize,
    },
    /// As many reports wait for approval as can.
    #[error(
        "{held} reports wait for approval, and no further one is made until one was approved or discarded (`seatline report \
         hold`)"
    )]
    HeldFull {
        /// How many.
        held: usize,
    },
    /// The chain has reached its last sequence number.
    #[error("the report chain has reached its end; link the product again")]
    ChainEnded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OutboxError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "outbox-full",
            Self::HeldFull { .. } => "held-full",
            Self::ChainEnded => "chain-ended",
            Self::Store(error) => error.code(),
        }
    }
}

/// What is known of the outbox without the reports themselves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outbox {
    pub head: Option<Head>,
    /// How many reports wait.
    pub pending: usize,
    /// Their bytes, sealed.
    pub bytes: usize,
    /// When the first of them was made.
    pub oldest: Option<Timestamp>,
}

impl Outbox {
    pub fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        let mut outbox = Self::default();
        visit_records(store, &mut |record| {
            match record {
                Record::Head(head) => outbox.head = Some(head),
                Record::Report(report) => {
                    outbox.oldest.get_or_insert(report.made_at);
                    outbox.pending += 1;
                    outbox.bytes += report.sealed.len();
                    outbox.head = Some(Head::of(&report));
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(outbox)
    }

    /// Whether there is no room for a report of the greatest size.
    pub fn is_full(&self) -> bool {
        self.pending >= MAX_PENDING || self.bytes + Report::MAX_BYTES > MAX_PENDING_BYTES
    }

    /// The place of the next report, and the digest that it names as the one before. There is room for it, of whatever
    /// size it is.
    pub fn next(&self) -> Result<(Sequence, Option<Digest>), OutboxError> {
        if self.is_full() {
            return Err(OutboxError::Full { pending: self.pending });
        }
        place_after(self.head.as_ref())
    }

    /// Whether there is room for these reports.
    pub fn has_room_for(&self, reports: &[PendingReport]) -> bool {
        let bytes: usize = reports.iter().map(|report| report.sealed.len()).sum();
        self.pending + reports.len() <= MAX_PENDING && self.bytes + bytes <= MAX_PENDING_BYTES
    }
}

/// The place in the chain after `head`, and the digest that its report names as the one before.
pub(crate) fn place_after(head: Option<&Head>) -> Result<(Sequence, Option<Digest>), OutboxError> {
    let Some(head) = head else { return Ok((Sequence::FIRST, None)) };
    let sequence = head.sequence.next().ok_or(OutboxError::ChainEnded)?;
    Ok((sequence, Some(head.digest.clone())))
}

/// Gives the waiting reports to `take`, in the order of their sequence, until it breaks off.
pub(crate) fn visit(
    store: &dyn StateReader,
    take: &mut dyn FnMut(PendingReport) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    visit_records(store, &mut |record| match record {
        Record::Head(_) => ControlFlow::Continue(()),
        Record::Report(report) => take(report),
    })
}

/// All waiting reports at once, for a person who wants to see them.
pub(crate) fn waiting(store: &dyn StateReader) -> Result<Vec<PendingReport>, StoreError> {
    let mut waiting = Vec::new();
    visit(store, &mut |report| {
        waiting.push(report);
        ControlFlow::Continue(())
    })?;
    Ok(waiting)
}

fn visit_records(store: &dyn StateReader, take: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), StoreError> {
    let mut damage = None;
    store.visit(Log::Outbox, &mut |record| match serde_json::from_slice(record) {
        Ok(record) => take(record),
        Err(error) => {
            damage = Some(error);
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(()), |error| {
        let what = format!("`{}` of the state", Log::Outbox.name());
        let reason = format!("a record is not what was written there: {error}");
        Err(StoreError::Damaged { what, reason, way_out: Log::Outbox.way_out() })
    })
}

/// Puts the next report into the outbox: when the change is made, the report exists. It is kept beside it as the
/// latest, for those who want to see what has left.
pub(crate) fn append(locked: &mut dyn LockedStore, report: &PendingReport) -> Result<(), StoreError> {
    slots::write(locked, Slot::LastReport, report)?;
    locked.append(Log::Outbox, &[slots::to_json(&Record::Report(report.clone()))?.to_vec()])
}

#[cfg(test)]
mod tests;
