//! How reports leave the outbox: received, or retired: with their link, or because a wrong clock has made them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use seatline_protocol::{Digest, LinkId, Receipt};

use super::{Head, MAX_PENDING, MAX_PENDING_BYTES, Outbox, PendingReport, Record, visit, visit_records};
use crate::held;
use crate::repeats;
use crate::slots;
use crate::store::{LockedStore, Log, StateReader, StoreError};

/// The most receipts that are kept; the oldest leave first.
pub(super) const MAX_RECEIPTS: usize = 10_000;
/// How many receipts beyond the bound gather before the log is written anew.
pub(super) const RECEIPTS_SLACK: usize = 1000;
/// How many bytes of reports are in memory at once while they are retired.
const PORTION: usize = 4 * 1024 * 1024;

/// Stores receipts with the exact bytes that sealed them, and then lets the reports go that they are for. Gives the
/// receipts that fitted a waiting report of `link`; the others are left alone.
pub(crate) fn receive(
    locked: &mut dyn LockedStore,
    link: &LinkId,
    receipts: Vec<(Receipt, String)>,
) -> Result<Vec<Receipt>, StoreError> {
    let mut receipts: Vec<_> = receipts.into_iter().filter(|(receipt, _)| receipt.link == *link).collect();
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let (mut head, mut taken, mut kept) = (None, Vec::new(), Vec::new());
    visit_records(locked.store(), &mut |record| {
        match record {
            Record::Head(present) => head = Some(present),
            Record::Report(report) => {
                let present = Head::of(&report);
                let fits = |(receipt, _): &(Receipt, String)| {
                    receipt.sequence == report.sequence && receipt.report == present.digest
                };
                if let Some(at) = receipts.iter().position(fits) {
                    let (receipt, sealed) = receipts.remove(at);
                    kept.push(sealed.into_bytes());
                    taken.push(receipt);
                }
                head = Some(present);
            }
        }
        ControlFlow::Continue(())
    })?;
    if taken.is_empty() {
        return Ok(taken);
    }
    keep_receipts(locked, &kept)?;
    let_go(locked, head, &|report| taken.iter().any(|receipt| receipt.sequence == report.sequence))?;
    Ok(taken)
}

/// Adds sealed receipts to those that are kept, and lets the oldest go once there are far too many.
pub(super) fn keep_receipts(locked: &mut dyn LockedStore, sealed: &[Vec<u8>]) -> Result<(), StoreError> {
    let mut count = sealed.len();
    locked.store().visit(Log::Receipts, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    if count <= MAX_RECEIPTS + RECEIPTS_SLACK {
        return locked.append(Log::Receipts, sealed);
    }
    locked.rewrite(Log::Receipts, &mut behind(count - MAX_RECEIPTS), sealed)
}

/// Picks all records but the `oldest`.
fn behind(mut oldest: usize) -> impl FnMut(&[u8]) -> bool {
    move |_| {
        let is_behind = oldest == 0;
        oldest = oldest.saturating_sub(1);
        is_behind
    }
}

/// What became of the reports of a link that was removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    /// How many were never received, and are kept apart.
    pub kept: usize,
    /// How many waited for approval, and are thrown away.
    pub discarded: usize,
}

/// Empties the outbox of a link that was removed. Reports that were never received are kept apart, as evidence; what
/// was never approved is none. Interrupted and called again, it keeps each of them once.
pub(crate) fn retire(locked: &mut dyn LockedStore) -> Result<Retired, StoreError> {
    let discarded = held::forget(locked)?;
    repeats::forget(locked)?;
    Ok(Retired { kept: retire_pending(locked)?, discarded })
}

fn retire_pending(locked: &mut dyn LockedStore) -> Result<usize, StoreError> {
    if Outbox::read(locked.store())? == Outbox::default() {
        return Ok(0);
    }
    let retired = keep_apart(locked, &|_| true)?;
    locked.rewrite(Log::Outbox, &mut |_| false, &[])?;
    Ok(retired)
}

/// Takes the reports out of the outbox that a wrong clock has made, as `is_wrong` says of the time that each was made
/// at, and gives how many. They are kept apart, as evidence; the next report follows the last that was ever made.
pub(crate) fn retire_made(
    locked: &mut dyn LockedStore,
    is_wrong: &dyn Fn(Timestamp) -> bool,
) -> Result<usize, StoreError> {
    let is_wrong = |report: &PendingReport| is_wrong(report.made_at);
    let head = Outbox::read(locked.store())?.head;
    let retired = keep_apart(locked, &is_wrong)?;
    if retired > 0 {
        let_go(locked, head, &is_wrong)?;
    }
    Ok(retired)
}

/// Writes the outbox without the reports that are `gone`. The head stands last: whichever reports still wait, the next
/// one follows the latest that was ever made.
fn let_go(
    locked: &mut dyn LockedStore,
    head: Option<Head>,
    gone: &dyn Fn(&PendingReport) -> bool,
) -> Result<(), StoreError> {
    let head = head.map(|head| slots::to_json(&Record::Head(head)).map(|json| json.to_vec())).transpose()?;
    let waits = |record: &[u8]| match serde_json::from_slice(record) {
        Ok(Record::Report(report)) => !gone(&report),
        Ok(Record::Head(_)) => false,
        // Damage was told when the log was looked through, a moment ago.
        Err(_) => true,
    };
    locked.rewrite(Log::Outbox, &mut { waits }, head.as_slice())
}

/// Copies the reports that are `meant` to those that were never received, and gives how many they are.
fn keep_apart(locked: &mut dyn LockedStore, meant: &dyn Fn(&PendingReport) -> bool) -> Result<usize, StoreError> {
    let mut retired = Vec::new();
    let mut known = HashSet::new();
    locked.store().visit(Log::Retired, &mut |sealed| {
        retired.push(sealed.len());
        known.insert(Digest::of(sealed));
        ControlFlow::Continue(())
    })?;
    let mut pending = 0;
    loop {
        let portion = portion_from(locked.store(), pending, meant)?;
        if portion.is_empty() {
            break;
        }
        pending += portion.len();
        let new: Vec<Vec<u8>> = portion.into_iter().filter(|sealed| known.insert(Digest::of(sealed))).collect();
        retired.extend(new.iter().map(Vec::len));
        locked.append(Log::Retired, &new)?;
    }
    let surplus = oldest_kept(&retired);
    if surplus > 0 {
        locked.rewrite(Log::Retired, &mut behind(surplus), &[])?;
    }
    Ok(pending)
}

/// The sealed reports that are `meant`, behind the first `skip` of them, as many as [`PORTION`] allows, but one at the
/// least.
fn portion_from(
    store: &dyn StateReader,
    skip: usize,
    meant: &dyn Fn(&PendingReport) -> bool,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let (mut at, mut bytes, mut portion) = (0, 0, Vec::new());
    visit(store, &mut |report| {
        if !meant(&report) {
            return ControlFlow::Continue(());
        }
        at += 1;
        if at <= skip {
            return ControlFlow::Continue(());
        }
        bytes += report.sealed.len();
        portion.push(report.sealed.into_bytes());
        if bytes < PORTION { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(portion)
}

/// Where the newest of the `retired` reports begin that are kept, of which the sizes are given: the oldest leave first.
pub(super) fn oldest_kept(retired: &[usize]) -> usize {
    let mut bytes = 0;
    let newest = retired.iter().rev().take(MAX_PENDING).take_while(|size| {
        bytes += *size;
        bytes <= MAX_PENDING_BYTES
    });
    retired.len() - newest.count()
}
