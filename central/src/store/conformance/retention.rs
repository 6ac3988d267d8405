//! Stories of keeping and forgetting.

use jiff::SignedDuration;
use seatline_protocol::Sequence;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::receipt::Verdict;

use super::sample::{act, at, chain, counts, linked, report_at};
use crate::domain::{Admitted, Retention};
use crate::store::Store;

/// A day, in seconds.
const DAY: i64 = 86_400;

/// Everything is kept until somebody says otherwise, and what he says holds.
pub async fn everything_is_kept_until_a_retention_is_set(store: &dyn Store) {
    assert_eq!(store.retention().await.expect("read"), Retention::default());
    let link = linked(store, 1).await;
    store.admit(&link.id, chain(1, 3), at(200)).await.expect("answered");
    let later = at(10_000 * DAY);
    store.keep_months(&Retention::default(), at(200)).await.expect("kept");
    assert_eq!(store.forget(&Retention::default(), later, None).await.expect("done"), None);
    assert!(store.sealed_report(&link.id, Sequence::FIRST).await.expect("read").is_some());
    for retention in [
        Retention { reports_days: Some(400), history_days: None },
        Retention { reports_days: None, history_days: Some(45) },
    ] {
        store.set_retention(&act(), &retention).await.expect("set");
        assert_eq!(store.retention().await.expect("read"), retention);
    }
}

/// Old reports go, from the first on; the newest stays, the chain goes on, and nobody slips an old one in again.
pub async fn b1_reports_that_are_too_old_are_forgotten_and_the_chain_goes_on(store: &dyn Store) {
    let retention = Retention { reports_days: Some(100), history_days: Some(100) };
    let (link, other) = (linked(store, 1).await, linked(store, 2).await);
    store.keep_months(&retention, at(0)).await.expect("kept");
    let reports = chain(1, 5);
    store.admit(&link.id, reports[..2].to_vec(), at(1000)).await.expect("answered");
    store.admit(&link.id, vec![reports[3].clone()], at(90 * DAY)).await.expect("answered");
    store.admit(&other.id, chain(2, 1), at(1000)).await.expect("answered");

    let now = at(101 * DAY);
    let would = store.would_forget(&retention, now).await.expect("looked");
    let told = (would.links, would.is_all, would.reports, would.reports_before);
    assert_eq!(told, (2, true, 2, retention.reports_before(now)));
    let nothing = store.would_forget(&Retention::default(), now).await.expect("looked");
    assert_eq!((nothing.reports, nothing.days, nothing.reports_before), (0, 0, None));
    assert_eq!(store.let_go(&link.id).await.expect("read"), None);
    assert_eq!(store.forget(&retention, now, None).await.expect("done"), None, "both links were looked at");
    let kept = |sequence: u64| store.sealed_report(&link.id, Sequence::try_from(sequence).expect("a number"));
    assert_eq!(kept(1).await.expect("read"), None);
    assert_eq!(kept(2).await.expect("read"), None);
    let gone = store.let_go(&link.id).await.expect("read").expect("two reports went");
    assert_eq!((gone.up_to.get(), gone.reports), (3, 2), "the third never came: it is missing");
    assert_eq!(kept(4).await.expect("read").as_ref(), Some(&reports[3].sealed));
    let others = store.sealed_report(&other.id, Sequence::FIRST).await.expect("read");
    assert!(others.is_some(), "the newest of a link stays, however old it is");
    let shown = store.link(&link.id).await.expect("read").expect("a link").chain;
    assert_eq!((shown.stored, shown.missing(), shown.gaps.len()), (3, 1, 1), "what was received stays counted");

    // The gap can still be filled, and the chain goes on; what was forgotten is no gap.
    let late = store.admit(&link.id, vec![reports[2].clone()], now).await.expect("answered");
    assert!(matches!(late.answers[..], [Admitted::Stored { .. }]), "{late:?}");
    let next = store.admit(&link.id, vec![reports[4].clone()], now).await.expect("answered");
    assert!(matches!(next.answers[..], [Admitted::Stored { verdict: Verdict::Chained, .. }]), "{next:?}");
    let again = store.admit(&link.id, vec![reports[0].clone()], now).await.expect("answered");
    assert!(matches!(again.answers[..], [Admitted::Refused(RefusalCode::Fork)]), "{again:?}");
    let whole = store.link(&link.id).await.expect("read").expect("a link").chain;
    assert_eq!((whole.stored, whole.missing()), (5, 0));
    assert!(store.latest(&link.id).await.expect("read").is_some());
}

/// However many reports of a link are too old, one walk along the links forgets all of them.
pub async fn b1_all_that_is_too_old_goes_in_one_walk(store: &dyn Store) {
    let retention = Retention { reports_days: Some(100), history_days: None };
    let (link, other) = (linked(store, 1).await, linked(store, 2).await);
    for reports in chain(1, 1203).chunks(64) {
        store.admit(&link.id, reports.to_vec(), at(100_000)).await.expect("answered");
    }
    store.admit(&other.id, chain(2, 3), at(100_000)).await.expect("answered");
    let (mut from, mut steps) = (None, 0);
    loop {
        from = store.forget(&retention, at(102 * DAY), from.as_ref()).await.expect("done");
        steps += 1;
        if from.is_none() {
            break;
        }
        assert!(steps < 10, "the walk ends");
    }
    assert_eq!(steps, 3, "in batches");
    for (link, newest) in [(link, 1203), (other, 3)] {
        let page = store.reports(&link.id, None, crate::store::PageSize::new(50)).await.expect("read");
        let kept: Vec<u64> = page.items.iter().map(|row| row.sequence.get()).collect();
        assert_eq!(kept, [newest]);
    }
}

/// The newest report of a link that is silent stays, however its month goes: what is sent again of it has its old
/// receipt.
pub async fn b2_the_newest_report_of_a_silent_link_stays(store: &dyn Store) {
    let retention = Retention { reports_days: Some(45), history_days: None };
    let link = linked(store, 1).await;
    store.keep_months(&retention, at(0)).await.expect("kept");
    let reports = chain(1, 3);
    store.admit(&link.id, reports.clone(), at(1000)).await.expect("answered");
    let later = at(200 * DAY);
    store.keep_months(&retention, later).await.expect("kept");
    store.forget(&retention, later, None).await.expect("done");
    let page = store.reports(&link.id, None, crate::store::PageSize::new(50)).await.expect("read");
    assert_eq!(page.items.iter().map(|row| row.sequence.get()).collect::<Vec<_>>(), [3]);
    let again = store.admit(&link.id, vec![reports[2].clone()], later).await.expect("answered");
    assert_eq!(again.answers, [Admitted::Stored { received_at: at(1000), verdict: Verdict::Chained }]);
}

/// A month that is too old is forgotten with whatever it holds, also where the database keeps months apart.
pub async fn months_come_and_go(store: &dyn Store) {
    let retention = Retention { reports_days: Some(45), history_days: None };
    let link = linked(store, 1).await;
    let (mut previous, mut now) = (None, at(0));
    for sequence in 1..=8 {
        store.keep_months(&retention, now).await.expect("kept");
        store.keep_months(&retention, now).await.expect("a second time changes nothing");
        let report = report_at(1, sequence, previous.as_ref(), counts(sequence), now);
        previous = Some(report.digest.clone());
        let answer = store.admit(&link.id, vec![report], now).await.expect("answered");
        assert!(matches!(answer.answers[..], [Admitted::Stored { verdict: Verdict::Chained, .. }]), "{answer:?}");
        store.forget(&retention, now, None).await.expect("done");
        now += SignedDuration::from_hours(24 * 30);
    }
    let page = store.reports(&link.id, None, crate::store::PageSize::new(50)).await.expect("read");
    let kept: Vec<u64> = page.items.iter().map(|row| row.sequence.get()).collect();
    assert_eq!(kept, [8, 7], "of 45 days, and no older");
    assert_eq!(store.link(&link.id).await.expect("read").expect("a link").chain.stored, 8);
}
