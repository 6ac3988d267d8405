//! Stories about the sketches of people.

use seatline_protocol::pairing::Secret;
use seatline_protocol::{KeyId, Outcome, PseudonymKeyId, SecretKey};

use super::sample::{act, act_at, at, chain_of_hours, counts, failure, linked};
use crate::domain::pseudonyms::MadeKey;
use crate::store::{Store, StoreError};

/// What a run came to that counted so many users, with a sketch.
pub(super) fn with_sketch(users: u64, sketch: &[u8]) -> Outcome {
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
    let mut dormant = with_sketch(5, &[0, 255, 8]);
    if let Outcome::Collected(collected) = &mut dormant {
        collected.accounts.iter_mut().for_each(|accounts| accounts.dormant = 2);
    }
    let outcomes = [
        with_sketch(5, &[0, 255, 7]),
        with_sketch(5, &[0, 255, 8]),
        dormant,
        failure(),
        with_sketch(6, b""),
        with_sketch(7, b""),
        failure(),
        counts(6),
    ];
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
        Some((at(7200), 5, vec![0, 255, 8])),
        Some((at(5 * 3600), 6, Vec::new())),
        Some((at(6 * 3600), 7, Vec::new())),
        Some((at(6 * 3600), 7, Vec::new())),
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

fn key(n: u8) -> PseudonymKeyId {
    PseudonymKeyId::of(&Secret::from_bytes([n; 32]))
}

fn made(n: u8, second: i64) -> MadeKey {
    let salt = Secret::from_bytes([n; 32]);
    MadeKey { id: key(n), salt, made_at: at(second), made_by: "ada".to_owned() }
}

/// `b9`: servers over one store have one first key, and a key takes the place of the one in force alone.
pub async fn b9_a_pseudonym_key_takes_the_place_of_the_one_in_force(store: &dyn Store) {
    let central: KeyId = SecretKey::from_seed(&[1; 32]).public().id();
    store.bind(&central).await.expect("bound");
    assert_eq!(store.bind_pseudonyms(&key(1)).await.expect("bound"), key(1));
    assert_eq!(store.bind_pseudonyms(&key(2)).await.expect("bound"), key(1), "another server has another one");
    assert_eq!(store.pseudonym_keys().await.expect("read"), []);
    let wrong = store.add_pseudonym_key(&act(), &made(3, 10), &key(2)).await;
    assert!(matches!(wrong, Err(StoreError::Conflict(_))));
    store.add_pseudonym_key(&act(), &made(3, 10), &key(1)).await.expect("made");
    let late = store.add_pseudonym_key(&act_at(11), &made(4, 11), &key(1)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "somebody was faster");
    store.add_pseudonym_key(&act_at(20), &made(5, 20), &key(3)).await.expect("made");
    assert_eq!(store.pseudonym_keys().await.expect("read"), [made(5, 20), made(3, 10)]);
}

/// `b9`: it is known which products have turned to the key in force, and which have not.
pub async fn b9_it_is_told_who_has_turned_to_the_key_in_force(store: &dyn Store) {
    let central: KeyId = SecretKey::from_seed(&[1; 32]).public().id();
    store.bind(&central).await.expect("bound");
    store.bind_pseudonyms(&key(1)).await.expect("bound");
    let named = |n: Option<u8>, sketch: u8| match with_sketch(5, &[sketch]) {
        Outcome::Collected(mut collected) => {
            collected.people_key = n.map(key);
            Outcome::Collected(collected)
        }
        failed => failed,
    };
    for (n, outcomes) in [(1, vec![named(Some(1), 1)]), (2, vec![named(Some(1), 1)]), (3, vec![named(None, 1)])] {
        let link = linked(store, n).await;
        for report in chain_of_hours(n, &outcomes) {
            store.admit(&link.id, vec![report], at(100_000)).await.expect("admitted");
        }
    }
    store.add_pseudonym_key(&act(), &made(9, 10), &key(1)).await.expect("made");
    let used = async || {
        let uses = store.key_uses(&key(1)).await.expect("read");
        assert_eq!(uses.present, key(9));
        let shown = uses.keys.iter().map(|of| (of.id.clone(), of.is_present, of.links, of.applications.len()));
        (shown.collect::<Vec<_>>(), uses.to_turn())
    };
    let expected = vec![(Some(key(9)), true, 0, 0), (Some(key(1)), false, 2, 2), (None, false, 1, 1)];
    assert_eq!(used().await, (expected, 3));
    // The second turns: the same people, and the same bytes by chance; the key alone is another one.
    let turning = chain_of_hours(2, &[named(Some(1), 1), named(Some(9), 1)]).remove(1);
    let link = turning.entry.link().clone();
    assert_eq!(store.people_key(&link).await.expect("read"), Some(key(1)));
    store.admit(&link, vec![turning], at(100_000)).await.expect("admitted");
    assert_eq!(store.people_key(&link).await.expect("read"), Some(key(9)));
    let expected = vec![(Some(key(9)), true, 1, 0), (Some(key(1)), false, 1, 1), (None, false, 1, 1)];
    assert_eq!(used().await, (expected, 2));
    let kept = store.sketches(&[link]).await.expect("read").pop().flatten().expect("kept");
    assert_eq!(kept.key, Some(key(9)));
}
