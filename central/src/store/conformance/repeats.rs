//! Stories about reports that repeat an earlier one.

use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{LinkId, Outcome, ReceiptVerdict, Sequence};

use super::sample::{at, chain_of_hours, counts, failure, linked, repeat, repeat_at, report_at};
use crate::domain::history::SpanLength;
use crate::domain::{Admitted, Incoming, Retention};
use crate::store::{PageSize, Store};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn sequence(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a sequence number")
}

/// The n-th hour of a story.
fn hour(n: usize) -> Timestamp {
    at(HOUR * i64::try_from(n).expect("small"))
}

/// As [`chain_of_hours`], where each report that says what the one before says repeats it.
fn repeating_chain(n: u8, outcomes: &[Outcome]) -> Vec<Incoming> {
    let mut chain: Vec<Incoming> = Vec::new();
    let mut said = 0;
    for (place, outcome) in outcomes.iter().enumerate() {
        let before = chain.last();
        let next = match before {
            Some(before) if outcomes[place - 1] == *outcome => repeat_at(n, before, &chain[said], hour(place + 1)),
            _ => {
                said = place;
                let previous = before.map(|before| before.digest.clone());
                report_at(n, place as u64 + 1, previous.as_ref(), outcome.clone(), hour(place + 1))
            }
        };
        chain.push(next);
    }
    chain
}

async fn admit(store: &dyn Store, link: &LinkId, report: &Incoming, now: Timestamp) -> Admitted {
    store.admit(link, vec![report.clone()], now).await.expect("answered").answers.remove(0)
}

fn is_stored(answer: &Admitted) -> bool {
    matches!(answer, Admitted::Stored { .. })
}

/// Every stored report comes back to the byte.
async fn all_come_back(store: &dyn Store, link: &LinkId, reports: &[Incoming]) {
    for report in reports {
        let bytes = store.sealed_report(link, report.entry.sequence()).await.expect("read");
        assert_eq!(bytes.as_ref(), Some(&report.sealed), "{:?}", report.entry.sequence());
    }
    let exported = store.sealed_reports(link, Sequence::FIRST, sequence(reports.len() as u64)).await.expect("read");
    for (exported, report) in exported.iter().zip(reports) {
        let repeats = report.entry.repeats().map(|repeats| repeats.sequence);
        assert_eq!((&exported.sealed, &exported.digest), (&report.sealed, &report.digest));
        assert_eq!(exported.repeats, repeats);
        if let Some(repeats) = repeats {
            let place = usize::try_from(repeats.get()).expect("small") - 1;
            let kept = store.sealed_repeated(link, repeats).await.expect("read");
            assert_eq!(kept.as_ref(), Some(&reports[place].sealed));
        }
    }
}

/// `b1`: what a repeat says is what the report says that it names, at the repeat's own time.
pub async fn b1_a_repeat_says_what_the_report_before_said_and_comes_back_to_the_byte(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = repeating_chain(1, &[counts(40), counts(40), counts(40), counts(41), counts(41)]);
    for (n, report) in reports.iter().enumerate() {
        let answer = admit(store, &link, report, hour(n + 1)).await;
        let expected = Admitted::Stored { received_at: hour(n + 1), verdict: ReceiptVerdict::Chained };
        assert_eq!(answer, expected);
        let latest = store.latest(&link).await.expect("read").expect("there");
        assert_eq!((latest.newest.digest.clone(), latest.newest.received_at), (report.digest.clone(), hour(n + 1)));
        assert_eq!(
            (latest.newest.report.sequence, latest.newest.report.observed_at),
            (sequence(n as u64 + 1), hour(n + 1))
        );
        assert_eq!(latest.newest.repeats, report.entry.repeats().map(|repeats| repeats.sequence));
        assert_eq!(latest.summary().users, Some(if n < 3 { 40 } else { 41 }));
        assert_eq!(latest.collected.as_ref(), Some(&latest.newest), "the time of the count is the repeat's");
        assert_eq!(admit(store, &link, report, hour(100)).await, answer, "the same receipt again");
    }
    all_come_back(store, &link, &reports).await;
    let rows = store.reports(&link, None, PageSize::default()).await.expect("read").items;
    let listed: Vec<_> = rows.iter().rev().map(|row| (row.repeats.map(Sequence::get), row.bytes)).collect();
    let bytes = |n: usize| reports[n].sealed.len() as u64;
    let expected = [(None, bytes(0)), (Some(1), bytes(1)), (Some(1), bytes(2)), (None, bytes(3)), (Some(4), bytes(4))];
    assert_eq!(listed, expected);
    assert!(rows.iter().rev().zip(&reports).all(|(row, report)| row.digest == report.digest));
    let whole = store.link(&link).await.expect("read").expect("there").chain;
    assert!(whole.is_whole() && whole.stored == 5, "{whole:?}");
    assert_eq!(store.sealed_repeated(&link, sequence(2)).await.expect("read"), None, "a repeat is not repeated");
}

/// `b1`: a central server that was restored has lost what is repeated. It says so, and goes on once it has come again.
pub async fn b1_a_repeat_of_what_is_not_known_here_is_refused_until_it_comes(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = repeating_chain(1, &[counts(1), counts(2), counts(2), counts(2)]);
    admit(store, &link, &reports[0], hour(1)).await;
    for late in [&reports[3], &reports[2], &reports[3]] {
        assert_eq!(admit(store, &link, late, hour(9)).await, Admitted::Refused(RefusalCode::RepeatUnknown));
    }
    let chain = store.link(&link).await.expect("read").expect("there").chain;
    assert_eq!((chain.head, chain.forks), (Some(sequence(1)), 0), "it is no sign of a copy");
    assert_eq!(store.refused_reports(&link).await.expect("read"), [], "nor kept as one");
    for place in [1, 3, 2] {
        assert!(is_stored(&admit(store, &link, &reports[place], hour(10)).await), "report {}", place + 1);
    }
    all_come_back(store, &link, &reports).await;
    let latest = store.latest(&link).await.expect("read").expect("there");
    assert_eq!((latest.newest.digest.clone(), latest.summary().users), (reports[3].digest.clone(), Some(2)));
    assert!(store.link(&link).await.expect("read").expect("there").chain.is_whole());
}

/// `b1`: only what the same link has said in full can be repeated.
pub async fn b1_a_repeat_of_another_links_report_or_of_a_repeat_is_refused(store: &dyn Store) {
    let (link, other) = (linked(store, 1).await.id, linked(store, 2).await.id);
    let reports = repeating_chain(1, &[counts(5), counts(5), counts(5)]);
    let foreign = repeating_chain(2, &[counts(6)]).remove(0);
    admit(store, &other, &foreign, hour(1)).await;
    for report in &reports[..2] {
        admit(store, &link, report, hour(2)).await;
    }
    let before = &reports[1];
    for (what, named) in [
        ("another link's report", (sequence(1), &foreign.digest)),
        ("a repeat", (sequence(2), &before.digest)),
        ("a report that there is not", (sequence(1), &before.digest)),
    ] {
        let claimed = repeat(1, sequence(3), &before.digest, named, hour(3));
        assert_eq!(
            admit(store, &link, &claimed, hour(3)).await,
            Admitted::Refused(RefusalCode::RepeatUnknown),
            "{what}"
        );
    }
    let first = linked(store, 3).await.id;
    let begins = repeat(3, sequence(2), &foreign.digest, (sequence(1), &foreign.digest), hour(3));
    let answer = admit(store, &first, &begins, hour(3)).await;
    assert_eq!(answer, Admitted::Refused(RefusalCode::RepeatUnknown), "no chain begins with a repeat");
    assert!(is_stored(&admit(store, &link, &reports[2], hour(3)).await));
}

/// `b1`: whoever says that nothing has changed cannot say later that something had.
pub async fn b1_no_report_comes_between_a_repeat_and_what_it_repeats(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let first = report_at(1, 1, None, counts(5), hour(1));
    let second = report_at(1, 2, Some(&first.digest), counts(9), hour(2));
    let third = repeat_at(1, &second, &first, hour(3));
    admit(store, &link, &first, hour(1)).await;
    assert!(is_stored(&admit(store, &link, &third, hour(3)).await), "the one between may be a repeat");
    assert_eq!(admit(store, &link, &second, hour(4)).await, Admitted::Refused(RefusalCode::Fork));

    let link = linked(store, 2).await.id;
    let first = report_at(2, 1, None, counts(5), hour(1));
    let second = report_at(2, 2, Some(&first.digest), counts(9), hour(2));
    for report in [&first, &second] {
        admit(store, &link, report, hour(2)).await;
    }
    let back = repeat_at(2, &second, &first, hour(3));
    assert_eq!(admit(store, &link, &back, hour(3)).await, Admitted::Refused(RefusalCode::BrokenChain));
    assert_eq!(store.latest(&link).await.expect("read").expect("there").summary().users, Some(9));
    assert_eq!(store.refused_reports(&link).await.expect("read").len(), 1, "both are sealed: it is kept");
    let sealed = store.sealed_refused_report(&link, &back.digest).await.expect("read");
    assert_eq!(sealed, Some(back.sealed));
}

/// `b1`, `g8`: a chain of repeats is the chain of the reports that they stand for, whatever order it comes in.
pub async fn b1_repeats_in_any_order_make_the_same_chain_and_the_same_history(store: &dyn Store) {
    let outcomes: Vec<_> = [30, 30, 30, 31, 31, 0, 0, 31, 31, 31, 30, 30, 30, 30, 33, 33, 0, 34, 34, 34]
        .map(|users| if users == 0 { failure() } else { counts(users) })
        .to_vec();
    let kept = async |link: &LinkId| {
        let mut all = Vec::new();
        for length in SpanLength::ALL {
            all.push(store.spans(link, length, Timestamp::UNIX_EPOCH).await.expect("read"));
        }
        all
    };
    let straight = linked(store, 1).await.id;
    for report in chain_of_hours(1, &outcomes) {
        admit(store, &straight, &report, hour(50)).await;
    }
    let expected = kept(&straight).await;
    let summary = async |link: &LinkId| store.latest(link).await.expect("read").expect("there").summary();
    let orders: [fn(usize) -> usize; 4] = [|n| n, |n| 19 - n, |n| (n * 7) % 20, |n| (n * 3 + 11) % 20];
    for (which, order) in (2..).zip(orders) {
        let link = linked(store, which).await.id;
        let reports = repeating_chain(which, &outcomes);
        assert!(reports.iter().filter(|report| report.entry.repeats().is_some()).count() > 9, "most are repeats");
        let mut waiting: Vec<usize> = (0..reports.len()).map(order).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut left = Vec::new();
            for place in waiting {
                if !is_stored(&admit(store, &link, &reports[place], hour(50)).await) {
                    left.push(place);
                }
            }
            assert!(left.len() < before, "order {which}: {left:?} are never taken");
            waiting = left;
        }
        all_come_back(store, &link, &reports).await;
        assert_eq!(kept(&link).await, expected, "order {which}");
        assert_eq!(summary(&link).await, summary(&straight).await, "order {which}");
        let chain = store.link(&link).await.expect("read").expect("there").chain;
        assert!(chain.is_whole() && chain.stored == 20, "{chain:?}");
    }
}

/// `b8`: two live copies of an instance that both repeat are told apart.
pub async fn b8_a_copy_that_repeats_is_a_fork(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = repeating_chain(1, &[counts(5), counts(5)]);
    let copy = repeat_at(1, &reports[0], &reports[0], hour(7));
    for report in &reports {
        admit(store, &link, report, hour(2)).await;
    }
    assert_eq!(admit(store, &link, &copy, hour(7)).await, Admitted::Refused(RefusalCode::Fork));
    let on = repeat_at(1, &copy, &reports[0], hour(8));
    assert_eq!(admit(store, &link, &on, hour(8)).await, Admitted::Refused(RefusalCode::BrokenChain));
    let conflicts = store.conflicts(&link).await.expect("read");
    assert_eq!(conflicts[0].beside_digest.as_ref(), Some(&reports[1].digest));
    assert_eq!(store.link(&link).await.expect("read").expect("there").chain.forks, 2);
}

/// `b12`: what is repeated is evidence for as long as a repeat of it is, and no longer.
pub async fn b12_what_is_repeated_is_kept_for_as_long_as_its_repeats(store: &dyn Store) {
    let retention = Retention { reports_days: Some(45), history_days: None };
    let link = linked(store, 1).await.id;
    let reports = repeating_chain(1, &[counts(5), counts(5), counts(5), counts(6), counts(6)]);
    for (report, day) in reports.iter().zip([0, 1, 40, 41, 42]) {
        store.keep_months(&Retention::default(), at(day * DAY)).await.expect("kept");
        admit(store, &link, report, at(day * DAY)).await;
    }
    let forget = async |day| {
        let now = at(day * DAY);
        let done = store.forget(&retention, now, None).await.expect("done");
        assert_eq!(store.forget(&retention, now, done.as_ref()).await.expect("done"), None);
    };
    let listed = async || {
        let rows = store.reports(&link, None, PageSize::default()).await.expect("read").items;
        rows.iter().rev().map(|row| row.sequence.get()).collect::<Vec<_>>()
    };
    forget(60).await;
    assert_eq!(listed().await, [3, 4, 5]);
    let repeated = async |n| store.sealed_repeated(&link, sequence(n)).await.expect("read");
    assert_eq!(repeated(1).await.as_ref(), Some(&reports[0].sealed), "the third report says what it says");
    assert_eq!(store.sealed_report(&link, sequence(3)).await.expect("read").as_ref(), Some(&reports[2].sealed));
    let bytes = store.sealed_report(&link, sequence(1)).await.expect("read");
    assert_eq!(bytes.as_ref(), Some(&reports[0].sealed), "whoever reads the third report finds it");
    forget(86).await;
    assert_eq!((repeated(1).await, listed().await), (None, vec![4, 5]), "now nothing repeats it");
    assert_eq!(repeated(4).await.as_ref(), Some(&reports[3].sealed));

    // The chain goes on, and the first report has no way back in.
    let next = repeat_at(1, &reports[4], &reports[3], at(88 * DAY));
    assert!(is_stored(&admit(store, &link, &next, at(88 * DAY)).await));
    assert_eq!(admit(store, &link, &reports[0], at(88 * DAY)).await, Admitted::Refused(RefusalCode::Fork));
    let sealed = store.sealed_report(&link, sequence(6)).await.expect("read");
    assert_eq!(sealed, Some(next.sealed));
}

/// `b12`: where a month goes at once, what it says goes on being evidence of the repeats that stay: of a link that goes
/// on, and of one that is silent since.
pub async fn b12_what_is_repeated_outlives_its_month(store: &dyn Store) {
    let retention = Retention { reports_days: Some(45), history_days: None };
    let (lively, silent) = (linked(store, 1).await.id, linked(store, 2).await.id);
    let goes_on = repeating_chain(1, &[counts(5), counts(5), counts(5), counts(5)]);
    let ends = repeating_chain(2, &[counts(7), counts(7)]);
    for (link, reports, days) in [(&lively, &goes_on, [1, 2, 60, 61].as_slice()), (&silent, &ends, &[1, 2])] {
        for (report, day) in reports.iter().zip(days) {
            store.keep_months(&Retention::default(), at(day * DAY)).await.expect("kept");
            admit(store, link, report, at(day * DAY)).await;
        }
    }
    store.keep_months(&retention, at(100 * DAY)).await.expect("kept");
    store.forget(&retention, at(100 * DAY), None).await.expect("done");
    for (link, reports, stays) in [(&lively, &goes_on, [3, 4].as_slice()), (&silent, &ends, &[2])] {
        let rows = store.reports(link, None, PageSize::default()).await.expect("read").items;
        assert_eq!(rows.iter().rev().map(|row| row.sequence.get()).collect::<Vec<_>>(), stays);
        for n in stays.iter().chain(&[1]) {
            let sealed = store.sealed_report(link, sequence(*n)).await.expect("read");
            assert_eq!(sealed.as_ref(), Some(&reports[*n as usize - 1].sealed), "report {n}, to the byte");
        }
    }
}

/// `g3`: a product that still cannot count says so in a few bytes, and what was counted last stays, with its time.
pub async fn a_failure_is_repeated_and_the_counts_of_before_stay(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let outcomes = [counts(40), counts(40), failure(), failure(), failure(), counts(41)];
    let reports = repeating_chain(1, &outcomes);
    for (n, report) in reports[..5].iter().enumerate() {
        assert!(is_stored(&admit(store, &link, report, hour(n + 1)).await));
    }
    let latest = store.latest(&link).await.expect("read").expect("there");
    assert_eq!((latest.newest.report.observed_at, latest.summary().failure.is_some()), (hour(5), true));
    let counted = latest.collected.expect("what was counted");
    assert_eq!((counted.report.observed_at, counted.digest), (hour(2), reports[1].digest.clone()));
    admit(store, &link, &reports[5], hour(6)).await;
    let latest = store.latest(&link).await.expect("read").expect("there");
    assert_eq!((latest.summary().failure, latest.summary().users, latest.newest.repeats), (None, Some(41), None));
}
