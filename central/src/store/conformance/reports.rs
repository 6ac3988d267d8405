//! Stories about reports and their chains.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{LinkId, ReceiptVerdict, Sequence};
use tokio::sync::Notify;

use super::sample::{
    act, act_at, application, at, chain, counts, failure, invite, key, linked, redemption, report, report_at,
};
use crate::domain::report::MAX_REFUSED_KEPT;
use crate::domain::{Admitted, Chain, Gap, Incoming, LinkState, Redeemed, SettingsChange};
use crate::store::{Cursor, PageSize, Store, StoreError};

fn sequence(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a sequence number")
}

async fn chain_of(store: &dyn Store, link: &LinkId) -> Chain {
    store.link(link).await.expect("read").expect("there").chain
}

/// Has the store decide on reports; gives the answers.
async fn admit(store: &dyn Store, link: &LinkId, reports: Vec<Incoming>, now: Timestamp) -> Vec<Admitted> {
    store.admit(link, reports, now).await.expect("admitted").answers
}

fn verdicts(answers: &[Admitted]) -> Vec<&'static str> {
    answers
        .iter()
        .map(|answer| match answer {
            Admitted::Stored { verdict: ReceiptVerdict::Chained, .. } => "chained",
            Admitted::Stored { verdict: ReceiptVerdict::AfterGap, .. } => "after-gap",
            Admitted::Refused(code) => code.name(),
        })
        .collect()
}

/// `b1`: whatever order the reports of an unbroken chain come in, the chain is whole in the end.
pub async fn b1_reports_in_any_order_make_a_whole_chain(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain(1, 8);
    for place in [7, 2, 0, 5, 1, 6, 4, 3] {
        let answers = admit(store, &link.id, vec![reports[place].clone()], at(1000)).await;
        assert!(matches!(answers[..], [Admitted::Stored { .. }]), "{answers:?}");
    }
    let whole = chain_of(store, &link.id).await;
    assert_eq!(whole, Chain { head: Some(sequence(8)), stored: 8, ..Chain::default() });
    assert!(whole.is_whole());
    let page = store.reports(&link.id, None, PageSize::new(5)).await.expect("read");
    assert_eq!(page.items.iter().map(|row| row.sequence.get()).collect::<Vec<_>>(), [8, 7, 6, 5, 4]);
    let rest = store.reports(&link.id, page.next.as_ref(), PageSize::new(5)).await.expect("read");
    assert_eq!(rest.items.iter().map(|row| row.sequence.get()).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(rest.next, None);
    let bad = store.reports(&link.id, Some(&Cursor::new("one")), PageSize::default()).await;
    assert!(matches!(bad, Err(StoreError::Cursor)));
}

/// `b1`: a gap opens, is split, and closes.
pub async fn b1_a_gap_is_shown_until_it_is_filled(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain(1, 6);
    let gap = |from, to| Gap { from: sequence(from), to: sequence(to) };
    let answers = admit(store, &link.id, vec![reports[0].clone(), reports[5].clone()], at(1)).await;
    assert_eq!(verdicts(&answers), ["chained", "after-gap"]);
    let holey = chain_of(store, &link.id).await;
    assert_eq!((holey.missing(), holey.gaps, holey.stored), (4, vec![gap(2, 5)], 2));
    admit(store, &link.id, vec![reports[3].clone()], at(2)).await;
    assert_eq!(chain_of(store, &link.id).await.gaps, [gap(5, 5), gap(2, 3)]);
    let rest = vec![reports[4].clone(), reports[1].clone(), reports[2].clone()];
    admit(store, &link.id, rest, at(3)).await;
    assert!(chain_of(store, &link.id).await.is_whole());
}

/// `b2`: a receipt that is asked for again is the same receipt.
pub async fn b2_a_repeated_report_has_the_answer_of_the_first_time(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain(1, 3);
    let first = admit(store, &link.id, vec![reports[2].clone()], at(10)).await;
    assert_eq!(first, [Admitted::Stored { received_at: at(10), verdict: ReceiptVerdict::AfterGap }]);
    admit(store, &link.id, reports[..2].to_vec(), at(20)).await;
    let twice = vec![reports[2].clone(), reports[2].clone()];
    let again = admit(store, &link.id, twice, at(30)).await;
    assert_eq!(again, [first[0].clone(), first[0].clone()], "also now that the gap is filled");
    assert_eq!(chain_of(store, &link.id).await.stored, 3, "nothing is counted twice");
}

/// `b1`: two reports never have one place, and the second stays as evidence.
pub async fn b1_a_fork_is_refused_and_kept_as_evidence(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain(1, 2);
    admit(store, &link.id, reports.clone(), at(1)).await;
    let copy = report(1, 2, Some(&reports[0].digest), counts(999));
    let answers = admit(store, &link.id, vec![copy.clone()], at(2)).await;
    assert_eq!(answers, [Admitted::Refused(RefusalCode::Fork)]);
    for second in [3, 61, 62, 100] {
        admit(store, &link.id, vec![copy.clone()], at(second)).await;
    }
    let forked = chain_of(store, &link.id).await;
    assert_eq!((forked.forks, forked.forked_at, forked.stored), (2, Some(at(62)), 2), "it is counted once a minute");
    assert!(!forked.is_whole());
    let kept = store.refused_reports(&link.id).await.expect("read");
    assert_eq!(kept.len(), 1, "the same report is kept once");
    assert_eq!((kept[0].first_at, kept[0].last_at, kept[0].times), (at(2), at(62), 2));
    assert_eq!((kept[0].code.as_str(), kept[0].sequence, &kept[0].digest), ("fork", sequence(2), &copy.digest));
    let bytes = store.sealed_refused_report(&link.id, &copy.digest).await.expect("read");
    assert_eq!(bytes, Some(copy.sealed));
    assert_eq!(store.sealed_report(&link.id, sequence(2)).await.expect("read"), Some(reports[1].sealed.clone()));
    let latest = store.latest(&link.id).await.expect("read").expect("there");
    assert_eq!(latest.newest.digest, reports[1].digest, "what was counted first is shown");
}

/// `b1`: a report that follows another one than the stored one comes from a copy or a backup.
pub async fn b1_a_broken_chain_is_refused_and_counted(store: &dyn Store) {
    let link = linked(store, 1).await;
    admit(store, &link.id, chain(1, 2), at(1)).await;
    let elsewhere = report(1, 2, Some(&chain(1, 1)[0].digest), counts(77));
    let rolled_back = report(1, 3, Some(&elsewhere.digest), counts(78));
    let answers = admit(store, &link.id, vec![rolled_back], at(2)).await;
    assert_eq!(answers, [Admitted::Refused(RefusalCode::BrokenChain)]);
    let broken = chain_of(store, &link.id).await;
    assert_eq!((broken.forks, broken.head, broken.missing()), (1, Some(sequence(2)), 0));
}

/// Evidence has bounds: a copy that reports for ever fills no disk.
pub async fn refused_reports_are_bounded(store: &dyn Store) {
    let link = linked(store, 1).await;
    admit(store, &link.id, chain(1, 1), at(0)).await;
    let copies = u64::from(MAX_REFUSED_KEPT) + 5;
    let time = |n: u64| at(2 * i64::try_from(n).expect("small"));
    for n in 1..=copies {
        let copy = report(1, 1, None, counts(1000 + n));
        admit(store, &link.id, vec![copy], time(n)).await;
    }
    let kept = store.refused_reports(&link.id).await.expect("read");
    assert_eq!(kept.len(), MAX_REFUSED_KEPT as usize);
    assert_eq!(kept[0].last_at, time(copies), "the newest stay");
    assert_eq!(chain_of(store, &link.id).await.forks, copies);

    // As many at once as are kept push out all others, and what floods beyond them changes nothing.
    let flood: Vec<_> = (0..3 * u64::from(MAX_REFUSED_KEPT)).map(|n| report(1, 1, None, counts(5000 + n))).collect();
    let answers = admit(store, &link.id, flood.clone(), at(1000)).await;
    assert!(answers.iter().all(|answer| *answer == Admitted::Refused(RefusalCode::Fork)), "{answers:?}");
    assert_eq!(chain_of(store, &link.id).await.forks, copies + u64::from(MAX_REFUSED_KEPT));
    let kept = store.refused_reports(&link.id).await.expect("read");
    let first: Vec<_> = flood[..MAX_REFUSED_KEPT as usize].iter().map(|report| &report.digest).collect();
    assert!(kept.len() == first.len() && kept.iter().all(|kept| first.contains(&&kept.digest)), "{kept:?}");
}

/// A clock that is wrong by a day hides nothing, and loses nothing.
pub async fn a_report_from_the_future_is_kept_aside_until_its_time(store: &dyn Store) {
    let link = linked(store, 1).await;
    let day = 86_400;
    let early = report_at(1, 1, None, counts(5), at(day + 1));
    let answers = admit(store, &link.id, vec![early.clone()], at(0)).await;
    assert_eq!(answers, [Admitted::Refused(RefusalCode::FutureReport)]);
    assert_eq!(store.refused_reports(&link.id).await.expect("read")[0].code, "future-report");
    assert_eq!(chain_of(store, &link.id).await, Chain::default(), "it is no fork");
    let answers = admit(store, &link.id, vec![early], at(1)).await;
    assert_eq!(verdicts(&answers), ["chained"]);
}

/// The state of a link is asked in the commit itself.
pub async fn only_an_approved_link_reports(store: &dyn Store) {
    store.add_invite(&act(), &invite(1, None)).await.expect("kept");
    let redeemed = store.redeem(&redemption(1, &key(1), 1, at(0))).await.expect("redeemed");
    let Redeemed::Link(link) = redeemed else { panic!("a link: {redeemed:?}") };
    let one = || chain(1, 1);
    let refused = |code| vec![Admitted::Refused(code)];
    let answers = admit(store, &link.id, one(), at(1)).await;
    assert_eq!(answers, refused(RefusalCode::LinkPending));
    store.add_application(&act(), &application(1)).await.expect("added");
    store.approve_link(&act_at(2), &link.id, &application(1).id).await.expect("approved");
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    let answers = admit(store, &link.id, one(), at(3)).await;
    assert_eq!(answers, refused(RefusalCode::LinkSuspended));
    let answers = admit(store, &LinkId::from_random([9; 24]), one(), at(4)).await;
    assert_eq!(answers, refused(RefusalCode::LinkUnknown));
    assert_eq!(chain_of(store, &link.id).await, Chain::default());
    assert_eq!(store.refused_reports(&link.id).await.expect("read"), [], "a link that is closed fills nothing");
    store.approve_link(&act_at(5), &link.id, &application(1).id).await.expect("approved");
    assert_eq!(verdicts(&admit(store, &link.id, one(), at(6)).await), ["chained"]);
}

/// What a product is told is what holds in the commit that stores its reports.
pub async fn w6_reports_are_answered_with_the_settings_of_the_moment(store: &dyn Store) {
    let link = linked(store, 1).await;
    let first = store.admit(&link.id, chain(1, 1), at(1)).await.expect("admitted").settings;
    assert_eq!(first.as_ref(), Some(&link.settings));
    let changed = SettingsChange { interval: Some(60), ..SettingsChange::default() }.apply(&link.settings, at(2));
    store.set_link_settings(&act(), &link.id, &changed).await.expect("changed");
    assert_eq!(store.admit(&link.id, chain(1, 1), at(3)).await.expect("admitted").settings, Some(changed));
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    assert_eq!(store.admit(&link.id, chain(1, 1), at(4)).await.expect("admitted").settings, None);
}

/// `w5`, `g3`: the last good counts stay, with their time, beside the reason why there are no newer ones.
pub async fn w5_counts_stay_visible_while_the_product_cannot_count(store: &dyn Store) {
    let link = linked(store, 1).await;
    let first = report(1, 1, None, counts(40));
    let second = report(1, 2, Some(&first.digest), failure());
    let third = report(1, 3, Some(&second.digest), failure());
    let fourth = report(1, 4, Some(&third.digest), counts(44));
    for (n, report) in [&first, &second, &third].into_iter().enumerate() {
        admit(store, &link.id, vec![report.clone()], at(i64::try_from(n).expect("small"))).await;
    }
    let latest = store.latest(&link.id).await.expect("read").expect("there");
    assert_eq!((latest.newest.digest.clone(), latest.newest.received_at), (third.digest, at(2)));
    let counted = latest.collected.clone().expect("the last good one");
    assert_eq!((&counted.digest, counted.received_at), (&first.digest, at(0)));
    assert_eq!(Some(&counted.report), first.entry.full());
    let row = store.applications(None, PageSize::default()).await.expect("read").items.remove(0);
    assert_eq!(row.latest, Some(latest.summary()), "the list says the same");
    assert_eq!(row.latest.expect("there").failure.as_deref(), Some("the database is locked"));
    admit(store, &link.id, vec![fourth.clone()], at(3)).await;
    let latest = store.latest(&link.id).await.expect("read").expect("there");
    assert_eq!(latest.collected.as_ref(), Some(&latest.newest));
    assert_eq!((latest.summary().users, latest.summary().failure), (Some(44), None));
}

/// `w5`: a report that fills a gap does not take the place of a newer one.
pub async fn w5_the_latest_report_is_the_newest_of_the_chain_and_not_the_last_to_arrive(store: &dyn Store) {
    let link = linked(store, 1).await;
    let mut reports = chain(1, 2);
    reports.push(report(1, 3, Some(&reports[1].digest), failure()));
    for place in [0, 2, 1] {
        admit(store, &link.id, vec![reports[place].clone()], at(5)).await;
    }
    let latest = store.latest(&link.id).await.expect("read").expect("there");
    assert_eq!(latest.newest.digest, reports[2].digest);
    assert_eq!(latest.collected.map(|at| at.digest), Some(reports[1].digest.clone()), "its counts are the newest");
    let row = store.applications(None, PageSize::default()).await.expect("read").items.remove(0);
    assert_eq!(row.latest.and_then(|latest| latest.users), Some(2));
}

/// `b1`: evidence is the bytes that arrived, to the last one.
pub async fn sealed_bytes_come_back_as_they_were(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain(1, 2);
    admit(store, &link.id, reports.clone(), at(1)).await;
    for report in &reports {
        let bytes = store.sealed_report(&link.id, report.entry.sequence()).await.expect("read");
        assert_eq!(bytes.as_deref(), Some(report.sealed.as_str()));
    }
    let rows = store.reports(&link.id, None, PageSize::default()).await.expect("read").items;
    assert_eq!(rows[0].bytes, reports[1].sealed.len() as u64);
    assert_eq!((&rows[0].digest, rows[0].previous.as_ref()), (&reports[1].digest, Some(&reports[0].digest)));
    assert_eq!(store.sealed_report(&link.id, sequence(3)).await.expect("read"), None);
}

/// A product may claim any number and any place: nothing overflows.
pub async fn counts_beyond_any_measure_are_stored(store: &dyn Store) {
    let link = linked(store, 1).await;
    let other = chain(2, 1);
    let last = report_at(1, Sequence::MAX, Some(&other[0].digest), counts(Sequence::MAX), at(0));
    let answers = admit(store, &link.id, vec![last.clone()], at(1)).await;
    assert_eq!(verdicts(&answers), ["after-gap"]);
    assert_eq!(chain_of(store, &link.id).await.missing(), Sequence::MAX - 1);
    let latest = store.latest(&link.id).await.expect("read").expect("there");
    assert_eq!(Some(&latest.newest.report), last.entry.full());
    assert_eq!(store.reports(&link.id, None, PageSize::default()).await.expect("read").items.len(), 1);
}

/// Many products report at once, and some writes of the group fail: what was answered is stored, and nothing else.
pub async fn writes_at_once_are_all_kept(store: &dyn Store) {
    let mut links = Vec::new();
    for n in 1..=20 {
        links.push((n, linked(store, n).await));
    }
    let mut writes = Vec::new();
    for (n, link) in &links {
        for report in chain(*n, 5).into_iter().rev() {
            writes.push(store.admit(&link.id, vec![report], at(1)));
        }
    }
    let taken = writes.len();
    let taken_names: Vec<_> = (1..=20).map(application).collect();
    let conflicts = taken_names.iter().map(async |application| store.add_application(&act(), application).await);
    let (answers, refused) = both(writes, conflicts.collect()).await;
    assert_eq!(answers.len(), taken);
    for answer in answers {
        assert!(matches!(answer.expect("admitted").answers[..], [Admitted::Stored { .. }]));
    }
    for refusal in refused {
        assert!(matches!(refusal, Err(StoreError::Conflict(_))));
    }
    for (_, link) in &links {
        assert!(chain_of(store, &link.id).await.is_whole());
    }
}

/// Products that have reported before report again, the later one first: what that has changed, the earlier one finds.
pub async fn b1_reports_at_once_follow_each_other(store: &dyn Store) {
    let (mut links, mut again) = (Vec::new(), Vec::new());
    for n in 1..=20 {
        let link = linked(store, n).await.id;
        let mut reports = chain(n, 3);
        store.admit(&link, vec![reports.remove(0)], at(1)).await.expect("admitted");
        links.push((link, reports));
    }
    for (link, reports) in &links {
        again.extend(reports.iter().rev().map(|report| store.admit(link, vec![report.clone()], at(2))));
    }
    for answer in all(again).await {
        assert!(matches!(answer.expect("admitted").answers[..], [Admitted::Stored { .. }]));
    }
    for (link, _) in &links {
        let chain = chain_of(store, link).await;
        assert_eq!((chain.head.map(Sequence::get), chain.stored, chain.gaps), (Some(3), 3, Vec::new()));
        assert_eq!(store.latest(link).await.expect("read").expect("there").newest.report.sequence.get(), 3);
    }
}

/// Runs both lists of futures at once, and gives what each came to.
async fn both<A: Future, B: Future>(first: Vec<A>, second: Vec<B>) -> (Vec<A::Output>, Vec<B::Output>) {
    tokio::join!(all(first), all(second))
}

pub(super) async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        match waiting.iter().all(|(_, output)| output.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}

/// `w5`: whatever comes while the Licenses tab is read, its parts say the same.
pub async fn w5_all_of_the_licenses_tab_is_of_one_commit(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let application = application(1).id;
    let (is_read, is_written) = (Notify::new(), AtomicBool::new(false));
    // The next report comes when a tab has been read, and so while the next one is: the reader meets all but a few.
    let written = async {
        for report in chain(1, 60) {
            is_read.notified().await;
            let now = report.entry.observed_at();
            admit(store, &link, vec![report], now).await;
        }
        is_written.store(true, Relaxed);
    };
    let read = async {
        let (mut changes, mut before) = (0, None);
        while !is_written.load(Relaxed) {
            let tab = store.tab(&application, Some(PageSize::new(10))).await.expect("read").expect("there");
            let chain = tab.link.expect("its link").chain;
            let head = chain.head.map(Sequence::get);
            assert_eq!(head.unwrap_or_default(), chain.stored);
            assert_eq!(tab.latest.map(|latest| latest.newest.report.sequence.get()), head);
            assert_eq!(tab.reports.first().map(|row| row.sequence.get()), head, "the list begins with the newest");
            changes += u32::from(before != head);
            before = head;
            is_read.notify_one();
        }
        changes
    };
    let (changes, ()) = tokio::join!(read, written);
    assert!(changes >= 15, "a tab lags by three reports at the most: {changes}");
}
