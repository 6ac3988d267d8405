//! The outbox: reports between their making and their receipt, and the head of their chain.
//!
//! A report exists once its record is in the outbox, synced. It leaves only when its receipt is stored. Where reports
//! have left, a record names the head of the chain, so that the next report follows the latest that was ever made.
//!
//! The outbox is bounded. When it is full, no report is made until one has left: a report that was made is never thrown
//! away, so that the chain stays whole.

use jiff::Timestamp;
use seatline_protocol::{Digest, Document as _, LinkId, Receipt, Report, Sequence};
use serde::{Deserialize, Serialize};

use crate::slots;
use crate::store::{LockedStore, Log, StateStore, StoreError};

/// The most reports that wait: with hourly reports, six weeks.
pub const MAX_PENDING: usize = 1000;
/// The most bytes of waiting reports, and of those of removed links. Reports with the greatest sketches take it up in
/// 500, which is three weeks of hourly reports.
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
                    let what = format!("`{}` of the state", Log::Outbox.name());
                    let reason = format!("a record is not what was written there: {error}");
                    return Err(StoreError::Damaged { what, reason, way_out: Log::Outbox.way_out() });
                }
            }
        }
        Ok(outbox)
    }

    /// The place of the next report, and the digest that it names as the one before. There is room for it, of whatever
    /// size it is.
    pub fn next(&self) -> Result<(Sequence, Option<Digest>), OutboxError> {
        let bytes: usize = self.pending.iter().map(|report| report.sealed.len()).sum();
        if self.pending.len() >= MAX_PENDING || bytes + Report::MAX_BYTES > MAX_PENDING_BYTES {
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
    locked.append(Log::Outbox, &slots::to_json(&Record::Report(report))?)
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
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for (receipt, sealed) in receipts {
        let fits = |(digest, report): &(Digest, PendingReport)| {
            receipt.link == *link && receipt.sequence == report.sequence && receipt.report == *digest
        };
        if let Some(at) = waiting.iter().position(fits) {
            waiting.remove(at);
            kept.push(sealed.into_bytes());
            taken.push(receipt);
        }
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    keep_receipts(locked, kept)?;
    // The head stands last: whichever reports still wait, the next one follows the latest that was ever made.
    let remaining = waiting.into_iter().map(|(_, report)| Record::Report(report)).chain(outbox.head.map(Record::Head));
    let records: Result<Vec<Vec<u8>>, StoreError> =
        remaining.map(|record| slots::to_json(&record).map(|json| json.to_vec())).collect();
    locked.replace(Log::Outbox, &records?)?;
    Ok(taken)
}

/// Adds sealed receipts to those that are kept. One is appended; several are written with the others in one go, as each
/// append reads the whole log.
fn keep_receipts(locked: &mut dyn LockedStore, mut sealed: Vec<Vec<u8>>) -> Result<(), StoreError> {
    let mut receipts = locked.store().records(Log::Receipts)?;
    if let ([one], true) = (&sealed[..], receipts.len() < MAX_RECEIPTS + RECEIPTS_SLACK) {
        return locked.append(Log::Receipts, one);
    }
    receipts.append(&mut sealed);
    locked.replace(Log::Receipts, &receipts[receipts.len().saturating_sub(MAX_RECEIPTS)..])
}

/// Empties the outbox of a link that was removed; gives how many reports were never received. They are kept apart, as
/// evidence. Interrupted and called again, it keeps each of them once.
pub(crate) fn retire(locked: &mut dyn LockedStore) -> Result<usize, StoreError> {
    let outbox = Outbox::read(locked.store())?;
    if outbox == Outbox::default() {
        return Ok(0);
    }
    let mut retired = locked.store().records(Log::Retired)?;
    let pending = outbox.pending.len();
    for report in outbox.pending {
        let sealed = report.sealed.into_bytes();
        if !retired.contains(&sealed) {
            retired.push(sealed);
        }
    }
    locked.replace(Log::Retired, &retired[oldest_kept(&retired)..])?;
    locked.replace(Log::Outbox, &[])?;
    Ok(pending)
}

/// Where the newest of `retired` begin that are kept: the oldest leave first.
fn oldest_kept(retired: &[Vec<u8>]) -> usize {
    let mut bytes = 0;
    let newest = retired.iter().rev().take(MAX_PENDING).take_while(|sealed| {
        bytes += sealed.len();
        bytes <= MAX_PENDING_BYTES
    });
    retired.len() - newest.count()
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

    /// A report of so many bytes.
    fn report_of(sequence: u64, bytes: usize) -> PendingReport {
        let sequence = Sequence::try_from(sequence).expect("a sequence");
        PendingReport { sequence, made_at: Timestamp::UNIX_EPOCH, sealed: "x".repeat(bytes) }
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
        let record = |sequence| slots::to_json(&Record::Report(report_of(sequence, 0))).expect("json").to_vec();
        let records: Vec<_> = (1..=MAX_PENDING as u64).map(record).collect();
        store.lock().expect("lock").replace(Log::Outbox, &records).expect("replace");
        let full = Outbox::read(&store).expect("outbox").next().expect_err("no room");
        assert_eq!(full.code(), "outbox-full");
        assert_eq!(waiting(&store).len(), MAX_PENDING);
    }

    #[test]
    fn an_outbox_without_room_for_the_greatest_report_is_full() {
        let with = |bytes: usize| Outbox { head: None, pending: vec![report_of(1, bytes)] };
        assert!(with(MAX_PENDING_BYTES - Report::MAX_BYTES).next().is_ok());
        let full = with(MAX_PENDING_BYTES - Report::MAX_BYTES + 1).next().expect_err("no room");
        assert_eq!(full.code(), "outbox-full");
    }

    #[test]
    fn receipts_and_retired_reports_are_bounded_and_the_oldest_leave_first() {
        let (_dir, store) = store();
        let mut locked = store.lock().expect("lock");
        let receipts = |from: usize, to: usize| (from..to).map(|n| n.to_string().into_bytes()).collect::<Vec<_>>();
        keep_receipts(&mut *locked, receipts(0, MAX_RECEIPTS + RECEIPTS_SLACK)).expect("kept");
        assert_eq!(
            store.records(Log::Receipts).expect("receipts"),
            receipts(RECEIPTS_SLACK, MAX_RECEIPTS + RECEIPTS_SLACK)
        );
        keep_receipts(&mut *locked, vec![b"one more".to_vec()]).expect("kept");
        assert_eq!(store.records(Log::Receipts).expect("receipts").len(), MAX_RECEIPTS + 1);

        let third = vec![7; MAX_PENDING_BYTES / 3 + 1];
        assert_eq!(oldest_kept(&[third.clone(), third.clone(), third]), 1);
        assert_eq!(oldest_kept(&vec![Vec::new(); MAX_PENDING + 7]), 7);
    }

    #[test]
    fn reports_of_a_removed_link_are_kept_apart() {
        let (_dir, store) = store();
        make(&store);
        make(&store);
        assert_eq!(retire(&mut *store.lock().expect("lock")).expect("retire"), 2);
        assert_eq!(Outbox::read(&store).expect("outbox"), Outbox::default(), "a new link begins a new chain");
        let retired = store.records(Log::Retired).expect("records");
        assert_eq!(retired.len(), 2);

        // A crash between the two steps: the reports are kept apart, and the outbox is not empty yet.
        assert_eq!([make(&store), make(&store)].map(|receipt| receipt.sequence.get()), [1, 2]);
        assert_eq!(retire(&mut *store.lock().expect("lock")).expect("retire"), 2);
        assert_eq!(store.records(Log::Retired).expect("records"), retired, "each is kept once");
        assert_eq!(retire(&mut *store.lock().expect("lock")).expect("retire"), 0, "there is nothing left");
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
