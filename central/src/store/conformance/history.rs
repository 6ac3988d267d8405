//! Stories about the history of use.

use jiff::Timestamp;
use seatline_protocol::{Dimension, LinkId, Sequence};

use super::sample::{at, chain_of_hours, counts, failure, linked, report_at};
use crate::domain::Incoming;
use crate::domain::history::{Series, Span, SpanLength};
use crate::store::Store;

const HOUR: i64 = 3600;

/// What is kept of a link: its days, its months, and ever.
type Kept = [Vec<(Timestamp, Span)>; 3];

async fn kept(store: &dyn Store, link: &LinkId) -> Kept {
    let of = async |length| {
        let mut spans = store.spans(link, length, Timestamp::UNIX_EPOCH).await.expect("read");
        // In which report of a run its last count is seen may differ; what it is may not.
        for (begin, span) in &mut spans {
            span.classes.iter_mut().for_each(|last| last.0 = 0);
            span.series.values_mut().for_each(|series| series.last_at = *begin);
        }
        spans
    };
    [of(SpanLength::Day).await, of(SpanLength::Month).await, of(SpanLength::Ever).await]
}

/// Folds all that is not folded yet; gives how many runs there were.
async fn fold(store: &dyn Store) -> u32 {
    let mut folded = 0;
    loop {
        match store.fold_history(3, at(0)).await.expect("folded") {
            0 => return folded,
            some => folded += some,
        }
    }
}

async fn admit(store: &dyn Store, link: &LinkId, reports: &[Incoming]) {
    for reports in reports.chunks(8) {
        let answers = store.admit(link, reports.to_vec(), at(10_000 * HOUR)).await.expect("admitted").answers;
        assert!(answers.iter().all(|answer| matches!(answer, crate::domain::Admitted::Stored { .. })), "{answers:?}");
    }
}

/// Users by day: lowest, highest and last.
fn users(days: &[(Timestamp, Span)]) -> Vec<[u64; 3]> {
    let of = |(_, span): &(Timestamp, Span)| {
        let Series { low, high, last, .. } = span.series[&Dimension::users()];
        [low, high, last]
    };
    days.iter().map(of).collect()
}

/// `g8`: a week of equal reports costs one run, and what is asked is the same before and after it is folded.
pub async fn g8_reports_that_say_the_same_are_one_run(store: &dyn Store) {
    let link = linked(store, 1).await;
    let mut outcomes = vec![counts(40); 7 * 24];
    outcomes.push(counts(41));
    outcomes.push(counts(39));
    admit(store, &link.id, &chain_of_hours(1, &outcomes)).await;
    let before = kept(store, &link.id).await;
    // It began at eight in the morning, so that the last two reports are of the eighth day.
    assert_eq!(users(&before[0]), [[40, 40, 40], [39, 41, 39]]);
    assert_eq!(users(&before[2]), [[39, 41, 39]]);
    assert_eq!(fold(store).await, 3, "the runs of 40, 41 and 39");
    assert_eq!(kept(store, &link.id).await, before);
    assert_eq!(fold(store).await, 0);
    let since = store.spans(&link.id, SpanLength::Day, at(3 * 24 * HOUR)).await.expect("read");
    assert_eq!(users(&since), users(&before[0]), "it begins with the day that was in force");
}

/// `g8`: files and gaps that are filled give the same history as reports that came one after the other.
pub async fn g8_reports_in_any_order_make_the_same_history(store: &dyn Store) {
    let outcomes: Vec<_> = [30, 30, 30, 31, 31, 0, 0, 31, 31, 32, 30, 30, 30, 30, 33, 33, 0, 34, 34, 34]
        .map(|users| if users == 0 { failure() } else { counts(users) })
        .to_vec();
    let straight = linked(store, 1).await;
    admit(store, &straight.id, &chain_of_hours(1, &outcomes)).await;
    let expected = kept(store, &straight.id).await;
    let orders: [fn(usize) -> usize; 4] =
        [|n| 19 - n, |n| (n * 7) % 20, |n| (n * 3 + 11) % 20, |n| if n < 10 { 2 * n } else { 2 * (n - 10) + 1 }];
    for (which, order) in (2..).zip(orders) {
        let link = linked(store, which).await;
        let reports = chain_of_hours(which, &outcomes);
        for n in 0..reports.len() {
            admit(store, &link.id, &reports[order(n)..=order(n)]).await;
            if which % 2 == 0 && n % 5 == 0 {
                fold(store).await;
            }
        }
        assert_eq!(kept(store, &link.id).await, expected, "order {which}");
        fold(store).await;
        assert_eq!(kept(store, &link.id).await, expected, "order {which}, folded");
        for (n, outcome) in outcomes.iter().enumerate() {
            let side = store.report_side(&link.id, sequence(n as u64 + 1)).await.expect("read").expect("stored");
            let expected = crate::domain::history::Facts::of(outcome);
            assert_eq!(side.facts, expected, "order {which}, report {}", n + 1);
        }
    }
}

/// `g8`: where nothing was reported is a hole, until the reports arrive by file.
pub async fn g8_a_hole_closes_when_its_reports_arrive(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain_of_hours(1, &vec![counts(40); 72]);
    admit(store, &link.id, &reports[..10]).await;
    admit(store, &link.id, &reports[60..]).await;
    let silences = |days: &[(Timestamp, Span)]| days.iter().filter_map(|(_, span)| span.silence).collect::<Vec<_>>();
    let holey = kept(store, &link.id).await;
    let hole = silences(&holey[0]);
    assert_eq!(hole.len(), 1);
    assert_eq!((hole[0].from, hole[0].until), (reports[9].entry.observed_at(), reports[60].entry.observed_at()));
    fold(store).await;
    assert_eq!(kept(store, &link.id).await, holey);
    admit(store, &link.id, &reports[10..60]).await;
    assert_eq!(silences(&kept(store, &link.id).await[0]), [], "it is filled");
    fold(store).await;
    assert_eq!(silences(&kept(store, &link.id).await[0]), []);
}

/// `b7`: what a report said is known as long as it is stored, also where it said what the one before did.
pub async fn b7_every_stored_report_can_be_held_against_another(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain_of_hours(1, &[counts(5), counts(5), failure(), counts(7)]);
    admit(store, &link.id, &reports).await;
    let said = async |n| {
        let side = store.report_side(&link.id, sequence(n)).await.expect("read")?;
        Some((side.observed_at, side.facts.and_then(|facts| facts.classes).map(|classes| classes.counted)))
    };
    let expected = |n: usize, counted| Some((reports[n].entry.observed_at(), counted));
    assert_eq!(said(1).await, expected(0, Some(5)));
    assert_eq!(said(2).await, expected(1, Some(5)));
    assert_eq!(said(3).await, expected(2, None));
    assert_eq!(said(4).await, expected(3, Some(7)));
    assert_eq!(said(5).await, None);
    let other = report_at(1, 5, Some(&reports[3].digest), failure(), at(0));
    admit(store, &link.id, &[other]).await;
    assert_eq!(said(5).await, Some((at(0), None)), "a clock that was set back changes nothing");
}

fn sequence(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a sequence number")
}
