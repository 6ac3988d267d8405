//! Stories about what one link may take: room, keys, and time that has passed.

use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::notices::Reminders;
use seatline_protocol::report::{Collected, MAX_SKETCH_BYTES, Outcome};
use seatline_protocol::{Digest, ReceiptVerdict, Sequence};

use super::reports::all;
use super::sample::{act, act_at, application, at, chain, counts, key, linked, repeat_at, report, report_at};
use crate::domain::quota::{Bound, DAILY_KEYS, KEYS_EVER};
use crate::domain::{Admitted, Gravity, Incoming, KeyChange, KeyChanged, Link, SettingsChange};
use crate::store::{PageSize, Store};

const DAY: i64 = 86_400;

/// A report with the greatest sketch of people, of the link of the n-th key.
fn large(n: u8, sequence: u64, previous: Option<&Digest>) -> Incoming {
    let people = vec![u8::try_from(sequence % 251).expect("small"); MAX_SKETCH_BYTES];
    report(
        n,
        sequence,
        previous,
        Outcome::Collected(Box::new(Collected { people: Some(people), ..Collected::default() })),
    )
}

/// A chain of such reports.
fn large_chain(n: u8, length: u64) -> Vec<Incoming> {
    let mut chain: Vec<Incoming> = Vec::new();
    for sequence in 1..=length {
        chain.push(large(n, sequence, chain.last().map(|before| &before.digest)));
    }
    chain
}

/// How many of the reports with the greatest sketch fit into a MiB, with the one that may go beyond it.
const FIT: usize = 9;

/// Has a link bring so much within a day, and no more.
async fn give(store: &dyn Store, link: &Link, daily_mib: u32, second: i64) {
    let now = store.link(&link.id).await.expect("read").expect("there").settings;
    let change = SettingsChange { daily_mib: Some(daily_mib), ..SettingsChange::default() };
    store.set_link_settings(&act_at(second), &link.id, &change.apply(&now, at(second))).await.expect("set");
}

async fn admit(store: &dyn Store, link: &Link, reports: &[Incoming], second: i64) -> Vec<Admitted> {
    store.admit(&link.id, reports.to_vec(), at(second)).await.expect("answered").answers
}

fn stored(answers: &[Admitted]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Admitted::Stored { verdict: ReceiptVerdict::Chained, .. })).count()
}

/// The concern of a bound that the review tells of at a time, if it does: its gravity, and since when.
async fn told(store: &dyn Store, bound: Bound, now: Timestamp) -> Option<(Gravity, Option<Timestamp>)> {
    store.review(&Reminders::default(), now, 10).await.expect("reviewed");
    let item = store.fleet_item(&application(1).id).await.expect("read").expect("it was reviewed");
    let concerns = item.row.assessment.concerns;
    concerns.into_iter().find(|concern| concern.code == bound.code()).map(|concern| (concern.gravity, concern.since))
}

/// A link that floods stores what it may and no more, in the order of its chain; nothing is lost, and no other link
/// notices.
pub async fn b1_a_link_stores_no_more_within_a_day_than_it_may(store: &dyn Store) {
    let (link, other) = (linked(store, 1).await, linked(store, 2).await);
    give(store, &link, 1, 1).await;
    let reports = large_chain(1, 14);
    let answers = admit(store, &link, &reports[..12], 900).await;
    assert_eq!(stored(&answers), FIT, "{answers:?}");
    assert!(answers[FIT..].iter().all(|answer| *answer == Admitted::Refused(RefusalCode::OverQuota)), "{answers:?}");
    assert_eq!(admit(store, &link, &reports[FIT..], 901).await.len(), 5, "asked again and again");
    let small = repeat_at(1, &reports[FIT - 1], &reports[FIT - 1], at(900));
    assert_eq!(admit(store, &link, &[small], 902).await, [Admitted::Refused(RefusalCode::OverQuota)], "however small");
    assert_eq!(stored(&admit(store, &link, &reports[..FIT], 903).await), FIT, "but what is stored has its receipt");
    assert_eq!(stored(&admit(store, &other, &chain(2, 3), 904).await), 3, "and others go on");

    let now = store.link(&link.id).await.expect("read").expect("there");
    assert_eq!((now.chain.stored, now.chain.missing(), now.chain.forks), (FIT as u64, 0, 0));
    assert_eq!(store.refused_reports(&link.id).await.expect("read"), [], "what waits is no evidence of anything");
    assert_eq!(told(store, Bound::OverQuota, at(910)).await, Some((Gravity::Problem, Some(at(900)))));

    // Three hours later there is room for no more than has drained, a day later for all that waits.
    let later = admit(store, &link, &reports[FIT..], 910 + 3 * 3600).await;
    assert_eq!(stored(&later), 1, "an eighth of a MiB has drained: {later:?}");
    assert_eq!(told(store, Bound::OverQuota, at(900 + DAY)).await.map(|told| told.1), Some(Some(at(900))));
    let rest = admit(store, &link, &reports[FIT..], 2 * DAY).await;
    assert_eq!(stored(&rest), reports.len() - FIT, "{rest:?}");
    assert_eq!(told(store, Bound::OverQuota, at(2 * DAY)).await, None, "a day without a refusal, and it is over");
    assert!(store.link(&link.id).await.expect("read").expect("there").chain.is_whole(), "nothing was lost");
}

/// Whoever gives a link more room lets in what waits, at once.
pub async fn w4_a_link_that_is_given_more_room_brings_what_waits(store: &dyn Store) {
    let link = linked(store, 1).await;
    give(store, &link, 1, 1).await;
    let reports = large_chain(1, 12);
    assert_eq!(stored(&admit(store, &link, &reports, 900).await), FIT);
    assert!(told(store, Bound::OverQuota, at(901)).await.is_some());
    give(store, &link, 2, 902).await;
    assert_eq!(told(store, Bound::OverQuota, at(903)).await, None);
    assert_eq!(stored(&admit(store, &link, &reports[FIT..], 903).await), 3);
    give(store, &link, 1, 904).await;
    let more = large(1, 13, Some(&reports[11].digest));
    assert_eq!(
        admit(store, &link, &[more], 905).await,
        [Admitted::Refused(RefusalCode::OverQuota)],
        "nor does less forget"
    );
    assert_eq!(told(store, Bound::OverQuota, at(906)).await.map(|told| told.1), Some(Some(at(905))));
}

/// What comes at once is counted as what comes one after the other.
pub async fn b1_reports_at_once_get_no_more_room_than_in_a_row(store: &dyn Store) {
    let link = linked(store, 1).await;
    give(store, &link, 1, 1).await;
    let reports = large_chain(1, 16);
    let at_once = reports.iter().map(|report| store.admit(&link.id, vec![report.clone()], at(1000)));
    let answers = all(at_once.collect()).await;
    let taken = answers
        .iter()
        .filter(|answer| matches!(answer.as_ref().expect("answered").answers[..], [Admitted::Stored { .. }]));
    assert_eq!(taken.count(), FIT);
}

/// What is refused before the store is asked is noted all the same, and told for a day.
pub async fn w5_a_product_that_was_held_up_is_told_of(store: &dyn Store) {
    let link = linked(store, 1).await;
    for second in [10, 20, 400] {
        store.note_met(&link.id, Bound::TooManyDocuments, at(second)).await.expect("noted");
    }
    let met = store.link(&link.id).await.expect("read").expect("there").met;
    assert_eq!((met.len(), met[0].since, met[0].last_at), (1, at(10), at(400)));
    let warned = Some((Gravity::Warning, Some(at(10))));
    assert_eq!(told(store, Bound::TooManyDocuments, at(401)).await, warned);
    assert_eq!(told(store, Bound::TooManyDocuments, at(401 + DAY)).await, None);
    let nobody = seatline_protocol::LinkId::from_random([9; 24]);
    store.note_met(&nobody, Bound::TooManyDocuments, at(10)).await.expect("of nobody, nothing");
}

/// A key is replaced so often within a day and no more; a day later the same wish is granted.
pub async fn a_key_that_is_replaced_again_and_again_has_to_wait(store: &dyn Store) {
    let link = linked(store, 1).await;
    let change = |old: u8, second: i64| {
        let (old, new) = (key(old).public(), key(old + 1).public());
        (KeyChange { link: link.id.clone(), old, new, from: Sequence::FIRST }, at(second))
    };
    let daily = u8::try_from(DAILY_KEYS).expect("few");
    for n in 1..=daily {
        let (change, now) = change(n, i64::from(n));
        assert!(matches!(store.change_key(&change, now).await.expect("asked"), KeyChanged::Link(_)), "{n}");
    }
    for second in [20, 21, DAY] {
        let (change, now) = change(daily + 1, second);
        assert_eq!(store.change_key(&change, now).await.expect("asked"), KeyChanged::TooMany);
    }
    let (again, now) = change(daily, 22);
    assert!(
        matches!(store.change_key(&again, now).await.expect("asked"), KeyChanged::Link(_)),
        "what was granted is told"
    );
    assert_eq!(told(store, Bound::TooManyKeys, at(23)).await, Some((Gravity::Problem, Some(at(20)))));
    let (change, now) = change(daily + 1, DAY + 2);
    let KeyChanged::Link(after) = store.change_key(&change, now).await.expect("asked") else { panic!("it is granted") };
    assert_eq!(after.key, key(daily + 2).public());
    assert_eq!(after.chain.forks, 0, "and it is no fork");
    assert_eq!(told(store, Bound::TooManyKeys, at(2 * DAY + 2)).await, None);
}

/// A link has no more keys than its evidence can name.
pub async fn b12_a_link_has_no_more_keys_than_evidence_can_name(store: &dyn Store) {
    let link = linked(store, 1).await;
    let secret = |n: u64| {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&n.to_be_bytes());
        if n == 0 { key(1) } else { seatline_protocol::SecretKey::from_seed(&seed) }
    };
    for n in 0..=KEYS_EVER {
        let (old, new) = (secret(n).public(), secret(n + 1).public());
        let change = KeyChange { link: link.id.clone(), old, new, from: Sequence::FIRST };
        let now = at(DAY * i64::try_from(n / (DAILY_KEYS - 1)).expect("small") * 2);
        match store.change_key(&change, now).await.expect("asked") {
            KeyChanged::Link(_) => assert!(n < KEYS_EVER),
            other => assert_eq!((n, other), (KEYS_EVER, KeyChanged::TooMany)),
        }
    }
    assert_eq!(store.former_keys(&link.id).await.expect("read").len() as u64, KEYS_EVER, "all of them are known");
}

/// A report says that it was made since its link is in force, or it is refused, kept aside, and no part of any history.
pub async fn g8_no_report_is_from_before_its_link(store: &dyn Store) {
    let link = linked(store, 1).await;
    let old = report_at(1, 1, None, counts(5), at(-DAY - 1));
    let ancient = report_at(1, 1, None, counts(6), Timestamp::from_second(0).expect("a time"));
    for (report, second) in [(&old, 60), (&ancient, 61)] {
        assert_eq!(
            admit(store, &link, std::slice::from_ref(report), second).await,
            [Admitted::Refused(RefusalCode::PastReport)]
        );
    }
    let aside = store.refused_reports(&link.id).await.expect("read");
    assert_eq!(aside.iter().map(|report| report.code.as_str()).collect::<Vec<_>>(), ["past-report", "past-report"]);
    let now = store.link(&link.id).await.expect("read").expect("there");
    assert_eq!((now.chain.stored, now.chain.forks), (0, 0), "it is no fork");
    let spans = store.spans(&link.id, crate::domain::history::SpanLength::Month, Timestamp::MIN).await.expect("read");
    assert!(spans.is_empty(), "{spans:?}");
    assert_eq!(told(store, Bound::PastReport, at(62)).await, Some((Gravity::Warning, Some(at(60)))));

    // A clock that is a day behind is a clock; and what has waited for weeks is taken.
    let slow = report_at(1, 1, None, counts(5), at(-DAY));
    let waited = report_at(1, 2, Some(&slow.digest), counts(6), at(3600));
    let answers = admit(store, &link, &[slow, waited], 60 * DAY).await;
    assert_eq!(stored(&answers), 2, "{answers:?}");
    assert_eq!(told(store, Bound::PastReport, at(60 * DAY)).await, None);
    assert_eq!(store.reports(&link.id, None, PageSize::default()).await.expect("read").items.len(), 2);
}

/// A link that was pending for long may report from its approval on, not from when its product joined.
pub async fn g8_the_time_of_a_link_begins_with_its_approval(store: &dyn Store) {
    store.add_invite(&act(), &super::sample::invite(1, None)).await.expect("kept");
    let redeemed = store.redeem(&super::sample::redemption(1, &key(1), 1, at(0))).await.expect("redeemed");
    let crate::domain::Redeemed::Link(link) = redeemed else { panic!("a link: {redeemed:?}") };
    store.add_application(&act(), &application(1)).await.expect("added");
    store.approve_link(&act_at(30 * DAY), &link.id, &application(1).id).await.expect("approved");
    let early = report_at(1, 1, None, counts(5), at(20 * DAY));
    assert_eq!(admit(store, &link, &[early], 31 * DAY).await, [Admitted::Refused(RefusalCode::PastReport)]);
    store.approve_link(&act_at(90 * DAY), &link.id, &application(1).id).await.expect("approved again");
    let waited = report_at(1, 1, None, counts(5), at(40 * DAY));
    assert_eq!(stored(&admit(store, &link, &[waited], 91 * DAY).await), 1, "the first approval counts");
}
