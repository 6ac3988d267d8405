//! Stories about the sketches of people.

use seatline_protocol::Outcome;

use super::sample::{at, chain_of_hours, counts, failure, linked};
use crate::store::Store;

/// What a run came to that counted so many users, with a sketch.
fn with_sketch(users: u64, sketch: &[u8]) -> Outcome {
    match counts(users) {
        Outcome::Collected(mut collected) => {
            collected.people = Some(sketch.to_vec());
            Outcome::Collected(collected)
        }
        failed => failed,
    }
}

/// `b9`: the sketch of the newest report with counts is kept, whatever it holds, and goes with it.
pub async fn b9_the_latest_sketch_of_a_link_is_kept(store: &dyn Store) {
    let (link, other) = (linked(store, 1).await, linked(store, 2).await);
    let outcomes =
        [with_sketch(5, &[0, 255, 7]), with_sketch(5, &[0, 255, 8]), failure(), with_sketch(6, b""), counts(6)];
    let reports = chain_of_hours(1, &outcomes);
    let mut kept = Vec::new();
    for report in reports {
        store.admit(&link.id, vec![report], at(100_000)).await.expect("admitted");
        let found = store.sketches(&[other.id.clone(), link.id.clone()]).await.expect("read");
        assert_eq!((found.len(), &found[0]), (2, &None));
        kept.push(found[1].clone().map(|kept| (kept.observed_at, kept.counted, kept.bytes)));
    }
    let expected = [
        Some((at(3600), 5, vec![0, 255, 7])),
        Some((at(7200), 5, vec![0, 255, 8])),
        Some((at(7200), 5, vec![0, 255, 8])),
        Some((at(4 * 3600), 6, Vec::new())),
        None,
    ];
    assert_eq!(kept, expected);
}

/// `b9`: a report that comes late does not take the place of a newer one's sketch.
pub async fn b9_a_late_sketch_takes_no_newer_ones_place(store: &dyn Store) {
    let link = linked(store, 1).await;
    let reports = chain_of_hours(1, &[with_sketch(5, &[1]), with_sketch(5, &[2]), with_sketch(5, &[3])]);
    for place in [0, 2, 1] {
        store.admit(&link.id, vec![reports[place].clone()], at(100_000)).await.expect("admitted");
    }
    let kept = store.sketches(&[link.id]).await.expect("read").pop().flatten().expect("kept");
    assert_eq!(kept.bytes, [3]);
}
