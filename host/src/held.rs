//! Reports that are held for approval (`b6`): made, shown to the byte, and sent when an administrator has approved
//! them.
//!
//! What is held has no place in the chain yet. Sealing is deterministic, so the exact bytes are known all the same:
//! those of the next places, in their order. Approving a report, named by the digest of its bytes, puts it and all
//! before it into the outbox, as those bytes. Discarding one leaves no gap: the reports after it move up, and are
//! approved by new digests.
//!
//! An approval first notes in the log from which place on it puts reports into the outbox, and takes them and the note
//! out of the log at its end. Interrupted between, the head of the chain tells how many are there: no report gets two
//! places.

use std::ops::ControlFlow;

use jiff::Timestamp;
use seatline_protocol::{Digest, Document as _, LinkId, Report, Sequence, seal};
use serde::{Deserialize, Serialize};

use crate::host::CollectError;
use crate::link::Link;
use crate::outbox::{self, Head, Outbox, OutboxError, PendingReport};
use crate::repeats;
use crate::slots;
use crate::store::{LockedStore, Log, Slot, StateReader, StoreError};

/// The most reports that are held: with hourly reports, more than a week.
pub const MAX_HELD: usize = 200;
/// The most bytes of the reports that are held. Reports with the greatest sketches take it up in some 150, which is
/// most of a week of hourly reports.
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
    /// The outbox has no room for all that are approved.
    #[error(
        "the outbox has no room for {}: {pending} wait there for the central server; approve fewer, or when some were \
         received",
        match .approved { 1 => "1 report more".to_owned(), approved => format!("{approved} reports more") }
    )]
    NoRoom {
        /// How many were to be approved.
        approved: usize,
        /// How many wait in the outbox.
        pending: usize,
    },
    /// A report could not be sealed.
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
            Self::NoRoom { .. } => "outbox-full",
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
    /// Whether none is made until one was approved or discarded: as many wait, or they take up all the room.
    pub is_full: bool,
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
        let (mut room, mut oldest) = (Room::default(), None);
        visit(store, &mut |report, bytes| {
            room.take(bytes);
            oldest.get_or_insert(report.observed_at);
        })?;
        Ok(Self { since: since(store)?, held: room.held, capacity: MAX_HELD, is_full: room.is_full(), oldest })
    }
}

/// What the reports that wait take up.
#[derive(Default)]
struct Room {
    held: usize,
    bytes: usize,
}

impl Room {
    fn take(&mut self, bytes: usize) {
        (self.held, self.bytes) = (self.held + 1, self.bytes + bytes);
    }

    /// Whether there is none left for a report of the greatest size.
    fn is_full(&self) -> bool {
        self.held >= MAX_HELD || self.bytes + Report::MAX_BYTES > MAX_HELD_BYTES
    }
}

/// That the first of the reports that wait are being put into the outbox, as it is kept in the log.
#[derive(Serialize, Deserialize)]
struct Approving {
    /// The place of the first of them.
    approving_from: Sequence,
}

/// What is looked at of a record of the log, to know whether it waits.
#[derive(Deserialize)]
struct Mark {
    link: Option<LinkId>,
    approving_from: Option<Sequence>,
}

impl Mark {
    /// What the record is; none where it is damaged.
    fn of(record: &[u8]) -> Option<Self> {
        serde_json::from_slice(record).ok()
    }
}

/// Which records of the log wait: those of the link that is in force, but for those that an interrupted approval has
/// put into the outbox. A damaged one waits, so that it is told.
#[derive(Clone)]
struct Waits {
    link: Option<LinkId>,
    /// How many of the first are in the chain already.
    in_chain: u64,
    /// Whether an approval was interrupted.
    is_interrupted: bool,
}

impl Waits {
    fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        let link = Link::read(store)?.and_then(|link| link.approved().map(|approved| approved.link.clone()));
        let mut from = None;
        store.visit(Log::Held, &mut |record| {
            from = from.take().or(Mark::of(record).and_then(|mark| mark.approving_from));
            ControlFlow::Continue(())
        })?;
        let in_chain = match from {
            None => 0,
            Some(from) => {
                let head = Outbox::read(store)?.head;
                head.map_or(0, |head| (head.sequence.get() + 1).saturating_sub(from.get()))
            }
        };
        Ok(Self { link, in_chain, is_interrupted: from.is_some() })
    }

    /// Whether this record waits. They are asked for in the order of the log.
    fn takes(&mut self, record: &[u8]) -> bool {
        let Some(mark) = Mark::of(record) else { return true };
        if mark.link.is_none() || mark.link != self.link {
            return false;
        }
        let is_in_chain = self.in_chain > 0;
        self.in_chain = self.in_chain.saturating_sub(1);
        !is_in_chain
    }
}

/// Takes out of the log what does not wait. Gives which records wait after that.
fn settle(locked: &mut dyn LockedStore) -> Result<Waits, StoreError> {
    let mut waits = Waits::read(locked.store())?;
    if waits.is_interrupted {
        locked.rewrite(Log::Held, &mut |record| waits.takes(record), &[])?;
    }
    Ok(Waits { in_chain: 0, is_interrupted: false, ..waits })
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
    let mut waits = settle(locked)?;
    let mut room = Room::default();
    locked.store().visit(Log::Held, &mut |record| {
        if waits.takes(record) {
            room.take(record.len());
        }
        ControlFlow::Continue(())
    })?;
    if room.is_full() {
        return Err(OutboxError::HeldFull { held: room.held });
    }
    Ok(locked.append(Log::Held, &[slots::to_json(report)?.to_vec()])?)
}

/// The reports of the present link that wait, as they would leave.
pub(crate) fn waiting(store: &dyn StateReader) -> Result<Vec<HeldReport>, CollectError> {
    let Some(link) = Link::read(store)? else { return Ok(Vec::new()) };
    let mut reports = Vec::new();
    visit(store, &mut |report, _| reports.push(report))?;
    let (key, mut head, mut held) = (link.secret_key()?, Outbox::read(store)?.head, Vec::new());
    for report in reports {
        let (sequence, previous) = outbox::place_after(head.as_ref())?;
        let report = Report { sequence, previous, ..report };
        let sealed =
            PendingReport { sequence, made_at: report.observed_at, sealed: seal::seal(&report, &key)?, repeats: None };
        head = Some(Head::of(&sealed));
        held.push(HeldReport { report, sealed });
    }
    Ok(held)
}

/// Puts the report and all before it into the outbox. Gives them.
pub(crate) fn approve(locked: &mut dyn LockedStore, which: &Which) -> Result<Vec<PendingReport>, HoldError> {
    let mut waits = settle(locked)?;
    let held = waiting(locked.store())?;
    let last = match which {
        Which::All => held.len().checked_sub(1).ok_or(HoldError::NothingHeld)?,
        Which::Of(digest) => place_of(&held, digest)?,
    };
    let (said, approved): (Vec<Report>, Vec<PendingReport>) =
        held.into_iter().take(last + 1).map(|held| (held.report, held.sealed)).unzip();
    let outbox = Outbox::read(locked.store())?;
    if !outbox.has_room_for(&approved) {
        return Err(HoldError::NoRoom { approved: approved.len(), pending: outbox.pending });
    }
    let note = Approving { approving_from: approved[0].sequence };
    locked.append(Log::Held, &[slots::to_json(&note)?.to_vec()])?;
    for report in &approved {
        outbox::append(locked, report)?;
    }
    if let Some((report, sealed)) = said.last().zip(approved.last()) {
        repeats::keep(locked, report, sealed)?;
    }
    waits.in_chain = approved.len() as u64;
    locked.rewrite(Log::Held, &mut |record| waits.takes(record), &[])?;
    Ok(approved)
}

/// Throws the report away, or all of them. Gives how many.
pub(crate) fn discard(locked: &mut dyn LockedStore, which: &Which) -> Result<usize, HoldError> {
    let mut waits = settle(locked)?;
    let held = waiting(locked.store())?;
    let place = match which {
        Which::All if held.is_empty() => return Err(HoldError::NothingHeld),
        Which::All => None,
        Which::Of(digest) => Some(place_of(&held, digest)?),
    };
    let mut at = 0;
    let mut stays = |record: &[u8]| {
        if !waits.takes(record) {
            return false;
        }
        at += 1;
        place.is_some_and(|place| place + 1 != at)
    };
    locked.rewrite(Log::Held, &mut stays, &[])?;
    Ok(if place.is_some() { 1 } else { held.len() })
}

/// Throws away what is held for a link that is removed. Gives how many reports.
pub(crate) fn forget(locked: &mut dyn LockedStore) -> Result<usize, StoreError> {
    let (mut records, mut reports) = (0, 0);
    locked.store().visit(Log::Held, &mut |record| {
        records += 1;
        reports += usize::from(Mark::of(record).is_none_or(|mark| mark.link.is_some()));
        ControlFlow::Continue(())
    })?;
    if records > 0 {
        locked.rewrite(Log::Held, &mut |_| false, &[])?;
    }
    Ok(reports)
}

fn place_of(held: &[HeldReport], digest: &Digest) -> Result<usize, HoldError> {
    let place = held.iter().position(|held| held.sealed.digest() == *digest);
    place.ok_or_else(|| HoldError::NotHeld { digest: digest.clone() })
}

/// Gives the reports that wait to `take`, the oldest first, each with its bytes in the log.
fn visit(store: &dyn StateReader, take: &mut dyn FnMut(Report, usize)) -> Result<(), StoreError> {
    let (mut waits, mut damage) = (Waits::read(store)?, None);
    store.visit(Log::Held, &mut |record| {
        if !waits.takes(record) {
            return ControlFlow::Continue(());
        }
        match serde_json::from_slice(record) {
            Ok(report) => {
                take(report, record.len());
                ControlFlow::Continue(())
            }
            Err(error) => {
                damage = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    damage.map_or(Ok(()), |error| {
        let what = format!("`{}` of the state", Log::Held.name());
        let reason = format!("a record is not what was written there: {error}");
        Err(StoreError::Damaged { what, reason, way_out: Log::Held.way_out() })
    })
}
