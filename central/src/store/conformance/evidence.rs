//! Stories about what is exported of a link.

use seatline_protocol::Sequence;

use super::sample::{at, chain, counts, linked, report};
use super::statements::stated;
use crate::domain::Incoming;
use crate::evidence::Period;
use crate::store::Store;

fn number(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a sequence number")
}

/// The period between two seconds of the story.
fn between(from: i64, until: i64) -> Period {
    Period { from: Some(at(from)), until: Some(at(until)) }
}

/// `b12`: a period takes what was observed in it, in batches, with the exact bytes.
pub async fn b12_a_period_is_exported_in_batches_by_number(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = chain(1, 100);
    store.admit(&link, reports.clone(), at(9000)).await.expect("admitted");
    assert_eq!(store.stretch(&link, Period::default()).await.expect("read"), Some((number(1), number(100))));
    // The n-th report is observed in the n-th minute.
    assert_eq!(store.stretch(&link, between(120, 300)).await.expect("read"), Some((number(2), number(4))));
    assert_eq!(store.stretch(&link, between(9000, 9999)).await.expect("read"), None);
    let (mut read, mut next) = (Vec::new(), number(3));
    loop {
        let batch = store.sealed_reports(&link, next, number(90)).await.expect("read");
        let Some(last) = batch.last() else { break };
        assert!(batch.len() < 88, "a batch is not everything");
        next = last.sequence.next().expect("a next one");
        read.extend(batch);
    }
    let expected: Vec<_> = reports[2..90].iter().map(|Incoming { sealed, digest, .. }| (sealed, digest)).collect();
    assert_eq!(read.iter().map(|report| (&report.sealed, &report.digest)).collect::<Vec<_>>(), expected);
}

/// `b1`: what conflicts with the chain is given with the report that it cannot stand beside.
pub async fn b1_a_conflict_is_given_with_the_report_that_it_cannot_stand_beside(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = chain(1, 4);
    store.admit(&link, reports.clone(), at(10)).await.expect("admitted");
    let fork = report(1, 2, Some(&reports[0].digest), counts(99));
    let broken = report(1, 5, Some(&fork.digest), counts(98));
    store.admit(&link, vec![fork.clone()], at(30)).await.expect("answered");
    store.admit(&link, vec![broken.clone(), fork.clone()], at(40)).await.expect("answered");
    let conflicts = store.conflicts(&link).await.expect("read");
    let told: Vec<_> = conflicts
        .iter()
        .map(|found| (&found.refused.digest, found.refused.code.as_str(), found.beside, found.beside_digest.as_ref()))
        .collect();
    let expected = [
        (&fork.digest, "fork", Some(number(2)), Some(&reports[1].digest)),
        (&broken.digest, "broken-chain", Some(number(4)), Some(&reports[3].digest)),
    ];
    assert_eq!(told, expected);
    let whole = linked(store, 2).await.id;
    assert_eq!(store.conflicts(&whole).await.expect("read"), []);
}

/// `b12`: of a period, or of the stretch of the chain, come the refused reports; the statements by their time alone.
pub async fn b12_refused_reports_and_statements_are_exported_with_their_period(store: &dyn Store) {
    let link = linked(store, 1).await.id;
    let reports = chain(1, 4);
    store.admit(&link, reports.clone(), at(10)).await.expect("admitted");
    let fork = report(1, 2, Some(&reports[0].digest), counts(99));
    store.admit(&link, vec![fork.clone()], at(100)).await.expect("answered");
    let stretch = |first, last| Some((number(first), number(last)));
    for (period, stretch, expected) in [
        (between(100, 101), None, 1),
        (between(50, 100), None, 0),
        (between(101, 200), None, 0),
        (between(101, 200), stretch(1, 1), 1),
        (between(101, 200), stretch(3, 4), 0),
        (Period::default(), None, 1),
    ] {
        let refused = store.sealed_refused(&link, period, stretch).await.expect("read");
        assert_eq!(refused.len(), expected, "{period:?} {stretch:?}");
        assert!(refused.iter().all(|refused| refused.sealed == fork.sealed && refused.report.digest == fork.digest));
    }
    store.note(&link, vec![stated(1, 1), stated(1, 2)], at(50)).await.expect("noted").expect("taken");
    assert_eq!(store.sealed_statements(&link, between(51, 60)).await.expect("read"), []);
    let kept = store.sealed_statements(&link, between(50, 51)).await.expect("read");
    let sealed: Vec<_> = kept.iter().map(|(sealed, _)| sealed.clone()).collect();
    assert_eq!(sealed, [stated(1, 1).sealed, stated(1, 2).sealed]);
}
