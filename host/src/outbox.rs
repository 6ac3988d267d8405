//! The outbox: reports between their making and their receipt, and the head of their chain.
//!
//! A report exists once its record is in the outbox, synced. It leaves only when its receipt is stored. Where reports
//! have left, a record names the head of the chain, so that the next report follows the latest that was ever made.
//!
//! The outbox is bounded. When it is full, no report is made until one has left: a report that was made is never thrown
//! away, so that the chain stays whole.

use jiff::Timestamp;
use seatline_protocol::{Digest, LinkId, Receipt, Sequence};
use serde::{Deserialize, Serialize};

use crate::slots;
use crate::store::{LockedStore, Log, StateStore, StoreError};

/// The most reports that wait: with hourly reports, six weeks.
pub const MAX_PENDING: usize = 1000;
/// The most bytes of waiting reports.
pub const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;
/// The most receipts that are kept; the oldest leave first.
const MAX_RECEIPTS: usize = 10_000;
/// How many receipts beyond the bound gather before the log is written anew.
const RECEIPTS_SLACK: usize = 1000;

/// A report that waits for its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReport {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// When it was made.
    pub made_at: Timestamp,
    /// The sealed report: the exact bytes that leave.
    pub sealed: String,
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
            Self::ChainEnded => "chain-ended",
            Self::Store(error) => error.code(),
        }
    }
}

/// The outbox as it is in the store.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outbox {
    pub head: Option<Head>,
    /// In the order of their sequence.
    pub pending: Vec<PendingReport>,
}

impl Outbox {
    pub fn read(store: &dyn StateStore) -> Result<Self, StoreError> {
        let mut outbox = Self::default();
        for record in store.records(Log::Outbox)? {
            match serde_json::from_slice(&record) {
                Ok(Record::Head(head)) => outbox.head = Some(head),
                Ok(Record::Report(report)) => {
                    outbox.head = Some(Head { sequence: report.sequence, digest: report.digest() });
                    outbox.pending.push(report);
                }
                Err(error) => {
                    return Err(StoreError::Damaged { what: "the outbox".to_owned(), reason: error.to_string() });
                }
            }
        }
        Ok(outbox)
    }

    /// The place of the next report, and the digest that it names as the one before.
    pub fn next(&self) -> Result<(Sequence, Option<Digest>), OutboxError> {
        let bytes: usize = self.pending.iter().map(|report| report.sealed.len()).sum();
        if self.pending.len() >= MAX_PENDING || bytes >= MAX_PENDING_BYTES {
            return Err(OutboxError::Full { pending: self.pending.len() });
        }
        match &self.head {
            None => Ok((Sequence::FIRST, None)),
            Some(head) => {
                let sequence = head.sequence.next().ok_or(OutboxError::ChainEnded)?;
                Ok((sequence, Some(head.digest.clone())))
            }
        }
    }
}

/// Puts the next report into the outbox: when this returns, the report exists.
pub(crate) fn append(locked: &mut dyn LockedStore, report: PendingReport) -> Result<(), StoreError> {
    locked.append(Log::Outbox, &slots::to_json("the outbox", &Record::Report(report))?)
}

/// Stores receipts with the exact bytes that sealed them, and then lets the reports go that they are for. Gives the
/// receipts that fitted a waiting report of `link`; the others are left alone.
pub(crate) fn receive(
    locked: &mut dyn LockedStore,
    link: &LinkId,
    receipts: Vec<(Receipt, String)>,
) -> Result<Vec<Receipt>, StoreError> {
    let outbox = Outbox::read(locked.store())?;
    let mut waiting: Vec<(Digest, PendingReport)> =
        outbox.pending.into_iter().map(|report| (report.digest(), report)).collect();
    let mut taken = Vec::new();
    for (receipt, sealed) in receipts {
        let fits = |(digest, report): &(Digest, PendingReport)| {
            receipt.link == *link && receipt.sequence == report.sequence && receipt.report == *digest
        };
        if let Some(at) = waiting.iter().position(fits) {
            waiting.remove(at);
            locked.append(Log::Receipts, sealed.as_bytes())?;
            taken.push(receipt);
        }
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    // The head stands last: whichever reports still wait, the next one follows the latest that was ever made.
    let remaining = waiting.into_iter().map(|(_, report)| Record::Report(report)).chain(outbox.head.map(Record::Head));
    let records: Result<Vec<Vec<u8>>, StoreError> =
        remaining.map(|record| slots::to_json("the outbox", &record).map(|json| json.to_vec())).collect();
    let records = records?;
    locked.replace(Log::Outbox, &records)?;
    bound_receipts(locked)?;
    Ok(taken)
}

fn bound_receipts(locked: &mut dyn LockedStore) -> Result<(), StoreError> {
    let receipts = locked.store().records(Log::Receipts)?;
    if receipts.len() <= MAX_RECEIPTS + RECEIPTS_SLACK {
        return Ok(());
    }
    locked.replace(Log::Receipts, &receipts[receipts.len() - MAX_RECEIPTS..])
}

/// Empties the outbox when its link is removed. What was never received is kept apart, as evidence.
pub(crate) fn retire(locked: &mut dyn LockedStore) -> Result<usize, StoreError> {
    let pending = Outbox::read(locked.store())?.pending;
    let mut retired = locked.store().records(Log::Retired)?;
    retired.extend(pending.iter().map(|report| report.sealed.clone().into_bytes()));
    let from = retired.len().saturating_sub(MAX_PENDING);
    locked.replace(Log::Retired, &retired[from..])?;
    locked.replace(Log::Outbox, &[])?;
    Ok(pending.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Directory;
    use proptest::prelude::*;
    use seatline_protocol::ReceiptVerdict;

    fn link() -> LinkId {
        LinkId::from_random([1; 24])
    }

    /// Appends the next report, and gives its receipt.
    fn make(store: &Directory) -> Receipt {
        let mut locked = store.lock().expect("lock");
        let (sequence, previous) = Outbox::read(locked.store()).expect("outbox").next().expect("room");
        let sealed = format!("report {sequence} after {previous:?}");
        let report = PendingReport { sequence, made_at: Timestamp::UNIX_EPOCH, sealed };
        append(&mut *locked, report.clone()).expect("append");
        let (received_at, verdict) = (Timestamp::UNIX_EPOCH, ReceiptVerdict::Chained);
        Receipt { link: link(), sequence, report: report.digest(), received_at, verdict }
    }

    fn take(store: &Directory, receipts: &[Receipt]) -> usize {
        let receipts = receipts.iter().map(|receipt| (receipt.clone(), format!("receipt {}", receipt.sequence)));
        receive(&mut *store.lock().expect("lock"), &link(), receipts.collect()).expect("receive").len()
    }

    fn waiting(store: &Directory) -> Vec<u64> {
        Outbox::read(store).expect("outbox").pending.iter().map(|report| report.sequence.get()).collect()
    }

    fn store() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Directory::open(dir.path()).expect("a store");
        (dir, store)
    }

    #[test]
    fn b1_the_chain_goes_on_after_its_reports_have_left() {
        let (_dir, store) = store();
        let first = make(&store);
        assert_eq!(take(&store, std::slice::from_ref(&first)), 1);
        assert_eq!(waiting(&store), [0; 0]);
        let next = Outbox::read(&store).expect("outbox").next().expect("room");
        assert_eq!(next, (first.sequence.next().expect("two"), Some(first.report)));
    }

    #[test]
    fn b2_only_the_receipt_of_the_very_report_lets_it_go() {
        let (_dir, store) = store();
        let good = make(&store);
        let other_link = Receipt { link: LinkId::from_random([2; 24]), ..good.clone() };
        let other_report = Receipt { report: Digest::of(b"another"), ..good.clone() };
        let other_place = Receipt { sequence: good.sequence.next().expect("two"), ..good.clone() };
        assert_eq!(take(&store, &[other_link, other_report, other_place]), 0);
        assert_eq!(waiting(&store), [1]);
        assert_eq!(take(&store, &[good.clone(), good]), 1, "a repeated receipt is taken once");
    }

    #[test]
    fn a_full_outbox_takes_no_report_and_keeps_what_it_has() {
        let (_dir, store) = store();
        let record = |sequence: u64| {
            let sequence = Sequence::try_from(sequence).expect("a sequence");
            let report = PendingReport { sequence, made_at: Timestamp::UNIX_EPOCH, sealed: String::new() };
            slots::to_json("the outbox", &Record::Report(report)).expect("json").to_vec()
        };
        let records: Vec<_> = (1..=MAX_PENDING as u64).map(record).collect();
        store.lock().expect("lock").replace(Log::Outbox, &records).expect("replace");
        let full = Outbox::read(&store).expect("outbox").next().expect_err("no room");
        assert_eq!(full.code(), "outbox-full");
        assert_eq!(waiting(&store).len(), MAX_PENDING);
    }

    #[test]
    fn reports_of_a_removed_link_are_kept_apart() {
        let (_dir, store) = store();
        make(&store);
        make(&store);
        assert_eq!(retire(&mut *store.lock().expect("lock")).expect("retire"), 2);
        assert_eq!(Outbox::read(&store).expect("outbox"), Outbox::default(), "a new link begins a new chain");
        assert_eq!(store.records(Log::Retired).expect("records").len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn whatever_order_receipts_come_in_every_report_leaves_once_and_the_next_follows_the_last(
            order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
            cut in 0usize..8,
        ) {
            let (_dir, store) = store();
            let receipts: Vec<Receipt> = (0..8).map(|_| make(&store)).collect();
            let mut received = 0;
            for at in &order[..cut] {
                received += take(&store, std::slice::from_ref(&receipts[*at]));
            }
            prop_assert_eq!(received, cut);
            prop_assert_eq!(waiting(&store).len(), 8 - cut);
            prop_assert_eq!(make(&store).sequence.get(), 9);
            prop_assert_eq!(store.records(Log::Receipts).expect("receipts").len(), cut);
        }
    }
}
