use super::leaving::{MAX_RECEIPTS, RECEIPTS_SLACK, keep_receipts, oldest_kept};
use super::*;
use crate::store::{Memory, change, records};
use proptest::prelude::*;
use seatline_protocol::{LinkId, Receipt, ReceiptVerdict};

fn link() -> LinkId {
    LinkId::from_random([1; 24])
}

/// A report of so many bytes.
fn report_of(sequence: u64, bytes: usize) -> PendingReport {
    let sequence = Sequence::try_from(sequence).expect("a sequence");
    PendingReport { sequence, made_at: Timestamp::UNIX_EPOCH, sealed: "x".repeat(bytes), repeats: None }
}

/// Changes the store without anything that could be refused.
fn changed<T>(store: &Memory, act: impl FnOnce(&mut dyn LockedStore) -> Result<T, StoreError>) -> T {
    change(store, act).expect("a change")
}

/// Appends the next report, and gives its receipt.
fn make(store: &Memory) -> Receipt {
    changed(store, |locked| {
        let (sequence, previous) = Outbox::read(locked.store())?.next().expect("room");
        let sealed = format!("report {sequence} after {previous:?}");
        let report = PendingReport { sequence, made_at: Timestamp::UNIX_EPOCH, sealed, repeats: None };
        append(locked, &report)?;
        let (received_at, verdict) = (Timestamp::UNIX_EPOCH, ReceiptVerdict::Chained);
        Ok(Receipt { link: link(), sequence, report: report.digest(), received_at, verdict })
    })
}

fn take(store: &Memory, receipts: &[Receipt]) -> usize {
    let receipts = receipts.iter().map(|receipt| (receipt.clone(), format!("receipt {}", receipt.sequence)));
    changed(store, |locked| receive(locked, &link(), receipts.collect())).len()
}

fn sequences(store: &Memory) -> Vec<u64> {
    waiting(store).expect("the outbox").iter().map(|report| report.sequence.get()).collect()
}

#[test]
fn b1_the_chain_goes_on_after_its_reports_have_left() {
    let store = Memory::default();
    let first = make(&store);
    assert_eq!(take(&store, std::slice::from_ref(&first)), 1);
    assert_eq!(sequences(&store), [0; 0]);
    let next = Outbox::read(&store).expect("outbox").next().expect("room");
    assert_eq!(next, (first.sequence.next().expect("two"), Some(first.report)));
}

#[test]
fn b2_only_the_receipt_of_the_very_report_lets_it_go() {
    let store = Memory::default();
    let good = make(&store);
    let other_link = Receipt { link: LinkId::from_random([2; 24]), ..good.clone() };
    let other_report = Receipt { report: Digest::of(b"another"), ..good.clone() };
    let other_place = Receipt { sequence: good.sequence.next().expect("two"), ..good.clone() };
    assert_eq!(take(&store, &[other_link, other_report, other_place]), 0);
    assert_eq!(sequences(&store), [1]);
    assert_eq!(take(&store, &[good.clone(), good]), 1, "a repeated receipt is taken once");
}

#[test]
fn a_full_outbox_takes_no_report_and_keeps_what_it_has() {
    let store = Memory::default();
    let record = |sequence| slots::to_json(&Record::Report(report_of(sequence, 0))).expect("json").to_vec();
    let records: Vec<_> = (1..=MAX_PENDING as u64).map(record).collect();
    changed(&store, |locked| locked.append(Log::Outbox, &records));
    let full = Outbox::read(&store).expect("outbox").next().expect_err("no room");
    assert_eq!(full.code(), "outbox-full");
    assert_eq!(sequences(&store).len(), MAX_PENDING);
}

#[test]
fn an_outbox_without_room_for_the_greatest_report_is_full() {
    let with = |bytes: usize| Outbox { pending: 1, bytes, ..Outbox::default() };
    assert!(with(MAX_PENDING_BYTES - Report::MAX_BYTES).next().is_ok());
    let full = with(MAX_PENDING_BYTES - Report::MAX_BYTES + 1).next().expect_err("no room");
    assert_eq!(full.code(), "outbox-full");
}

#[test]
fn receipts_and_retired_reports_are_bounded_and_the_oldest_leave_first() {
    let store = Memory::default();
    let receipts = |from: usize, to: usize| (from..to).map(|n| n.to_string().into_bytes()).collect::<Vec<_>>();
    let kept = || records(&store, Log::Receipts).expect("receipts");
    let most = MAX_RECEIPTS + RECEIPTS_SLACK;
    changed(&store, |locked| keep_receipts(locked, &receipts(0, most)));
    assert_eq!(kept(), receipts(0, most));
    changed(&store, |locked| keep_receipts(locked, &receipts(most, most + 2)));
    assert_eq!(kept(), receipts(RECEIPTS_SLACK + 2, most + 2));
    changed(&store, |locked| keep_receipts(locked, &[b"one more".to_vec()]));
    assert_eq!(kept().len(), MAX_RECEIPTS + 1);

    assert_eq!(oldest_kept(&[MAX_PENDING_BYTES / 3 + 1; 3]), 1);
    assert_eq!(oldest_kept(&[0; MAX_PENDING + 7]), 7);
}

#[test]
fn more_reports_than_are_in_memory_at_once_are_retired_in_order_and_the_oldest_leave_first() {
    let store = Memory::default();
    let sealed = |n: usize| format!("{n} {}", "x".repeat(1 << 20));
    let report = |n: usize| PendingReport { sealed: sealed(n), ..report_of(n as u64, 0) };
    let retired = |store: &Memory| {
        let mut begins = Vec::new();
        let read = store.visit(Log::Retired, &mut |record| {
            begins.push(String::from_utf8_lossy(record).split(' ').next().map(|n| n.parse().expect("a number")));
            ControlFlow::Continue(())
        });
        read.map(|()| begins.into_iter().flatten().collect::<Vec<usize>>()).expect("the retired reports")
    };
    for (from, to) in [(1, 40), (41, 80)] {
        changed(&store, |locked| (from..=to).try_for_each(|n| append(locked, &report(n))));
        assert_eq!(changed(&store, |locked| retire(locked)).kept, 40);
        assert_eq!(Outbox::read(&store).expect("outbox"), Outbox::default());
    }
    assert_eq!(retired(&store), (18..=80).collect::<Vec<usize>>(), "63 of a little more than a mebibyte fit");
}

#[test]
fn reports_of_a_removed_link_are_kept_apart() {
    let store = Memory::default();
    make(&store);
    make(&store);
    assert_eq!(changed(&store, |locked| retire(locked)), Retired { kept: 2, discarded: 0 });
    assert_eq!(Outbox::read(&store).expect("outbox"), Outbox::default(), "a new link begins a new chain");
    let retired = records(&store, Log::Retired).expect("records");
    assert_eq!(retired.len(), 2);

    // A crash between the two steps: the reports are kept apart, and the outbox is not empty yet.
    assert_eq!([make(&store), make(&store)].map(|receipt| receipt.sequence.get()), [1, 2]);
    assert_eq!(changed(&store, |locked| retire(locked)), Retired { kept: 2, discarded: 0 });
    assert_eq!(records(&store, Log::Retired).expect("records"), retired, "each is kept once");
    assert_eq!(changed(&store, |locked| retire(locked)).kept, 0, "there is nothing left");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_order_receipts_come_in_every_report_leaves_once_and_the_next_follows_the_last(
        order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
        cut in 0usize..8,
    ) {
        let store = Memory::default();
        let receipts: Vec<Receipt> = (0..8).map(|_| make(&store)).collect();
        let mut received = 0;
        for at in &order[..cut] {
            received += take(&store, std::slice::from_ref(&receipts[*at]));
        }
        prop_assert_eq!(received, cut);
        prop_assert_eq!(sequences(&store).len(), 8 - cut);
        prop_assert_eq!(make(&store).sequence.get(), 9);
        prop_assert_eq!(records(&store, Log::Receipts).expect("receipts").len(), cut);
    }
}
