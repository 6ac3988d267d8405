use datasketches::theta::ThetaSketchBuilder;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::ApplicationId;

/// The sketch of the people with these numbers, as the stock plugin makes it.
fn sketch(people: impl Iterator<Item = u64>) -> Vec<u8> {
    sketch_of(12, people)
}

fn sketch_of(lg_k: u8, people: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut sketch = ThetaSketchBuilder::default().lg_k(lg_k).build().expect("a sketch");
    people.for_each(|person| sketch.update(person));
    sketch.trim();
    sketch.compact(true).serialize()
}

pub(super) fn kept(people: std::ops::Range<u64>) -> Option<KeptSketch> {
    kept_of(12, people)
}

pub(super) fn kept_of(lg_k: u8, people: std::ops::Range<u64>) -> Option<KeptSketch> {
    let counted = people.end - people.start;
    Some(KeptSketch {
        key: Some(key(1)),
        linked_at: Timestamp::UNIX_EPOCH,
        observed_at: Timestamp::UNIX_EPOCH,
        counted,
        bytes: sketch_of(lg_k, people),
    })
}

pub(super) fn key(n: u8) -> PseudonymKeyId {
    PseudonymKeyId::of(&seatline_protocol::pairing::Secret::from_bytes([n; 32]))
}

pub(super) fn application(n: u8) -> Application {
    Application {
        id: ApplicationId::from_random([n; 12]),
        name: format!("Application {n}").parse().expect("a name"),
        product: "acme-wiki".parse().expect("a product"),
        url: None,
        created_at: Timestamp::UNIX_EPOCH,
        link: None,
    }
}

fn people(kept: Vec<Option<KeptSketch>>) -> People {
    let applications = (1..).zip(kept).map(|(n, kept)| (application(n), kept)).collect();
    People::of(applications, Timestamp::UNIX_EPOCH)
}

#[test]
fn b9_people_in_several_applications_are_counted_once() {
    let people = people(vec![kept(0..3000), kept(2000..5000), None]);
    let together = people.together.expect("two sketches");
    assert_eq!(
        (together.low, together.likely, together.high),
        (5000.0, 5000.0, 5000.0),
        "few people are known exactly"
    );
    assert_eq!((people.seats, people.overlaps.len()), (6000, 1));
    let Overlap { one, other, people: both } = people.overlaps[0];
    assert_eq!((one, other, both.likely), (0, 1, 1000.0));
    assert_eq!(people.applications[2].left_out, Some(SketchTrouble::None));
}

#[test]
fn b9_the_bounds_of_many_people_hold_the_truth() {
    // The second sketch is as fine as the first, or the coarsest that is taken.
    for lg_k in [12, 10] {
        let (mut together, mut in_both, cases) = (0, 0, 100);
        for n in 0..cases {
            let (begin, end) = (n * 10_000_000, n * 10_000_000 + 55_000);
            let people = people(vec![kept(begin..begin + 30_000), kept_of(lg_k, begin + 15_000..end)]);
            let holds = |estimate: Estimate, truth: f64| (estimate.low..=estimate.high).contains(&truth);
            together += u32::from(people.together.is_some_and(|people| holds(people, 55_000.0)));
            in_both += u32::from(holds(people.overlaps[0].people, 15_000.0));
        }
        println!("lg_k {lg_k}: {together} and {in_both} of {cases}");
        assert!(together >= 90 && in_both >= 90, "of {cases} bounds {together} and {in_both} hold the truth");
    }
}

#[test]
fn b9_a_sketch_that_contradicts_its_count_is_told_and_left_out() {
    let mut many = kept(0..5000).expect("a sketch");
    many.counted = 4000;
    let people = people(vec![kept(0..3000), Some(many)]);
    assert_eq!(people.applications[1].left_out, Some(SketchTrouble::MoreThanCounted));
    assert_eq!(people.together.map(|together| together.likely), Some(3000.0));
    assert_eq!(people.seats, 3000, "its seats are left out too");
}

#[test]
fn b9_a_poisoned_sketch_spoils_no_union() {
    // A theta that is next to nothing: a union takes the least theta of all, and would know nothing any more.
    let mut tiny = vec![3, 3, 3, 0, 0, 0x1A];
    let good = sketch(0..100_000);
    tiny[5] = good[5];
    tiny.extend(&good[6..8]);
    tiny.extend(1u32.to_le_bytes());
    tiny.extend([0; 4]);
    tiny.extend(1000u64.to_le_bytes());
    tiny.extend(7u64.to_le_bytes());
    assert_eq!(Sketch::read(&tiny, u64::MAX).err(), Some(SketchTrouble::Coarse));
    let mut twice = sketch(0..10);
    let (first, second) = (twice[16..24].to_vec(), 24..32);
    twice.splice(second, first);
    assert_eq!(Sketch::read(&twice, 100).err(), Some(SketchTrouble::Damaged), "a person who is there twice");
    let mut other_seed = sketch(0..10);
    other_seed[6] ^= 1;
    assert_eq!(Sketch::read(&other_seed, 100).err(), Some(SketchTrouble::Damaged));
    assert_eq!(Sketch::read(&vec![3; 70_000], u64::MAX).err(), Some(SketchTrouble::Damaged));
}

#[test]
fn b9_the_matrix_and_the_question_are_bounded() {
    let all = people((0..140).map(|n| kept(n * 10..n * 10 + 20)).collect());
    assert_eq!((all.applications.len(), all.overlaps.len()), (MOST_APPLICATIONS, 0));
    let some = people((0..12).map(|n| kept(n * 10..n * 10 + 20)).collect());
    assert_eq!(some.overlaps.len(), 12 * 11 / 2);
}

proptest! {
    #[test]
    fn b9_bytes_of_any_kind_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), counted in any::<u64>()) {
        let _ = Sketch::read(&bytes, counted);
    }

    #[test]
    fn b9_a_sketch_that_was_damaged_on_the_way_panics_nowhere(
        place in 0usize..400, with in any::<u8>(), length in 0usize..400,
    ) {
        let mut bytes = sketch(0..40);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = with;
        }
        bytes.truncate(length);
        let kept = KeptSketch { key: Some(key(1)), linked_at: Timestamp::UNIX_EPOCH, observed_at: Timestamp::UNIX_EPOCH, counted: 40, bytes };
        let people = people(vec![Some(kept), kept_ok()]);
        prop_assert!(people.together.is_some());
    }
}

fn kept_ok() -> Option<KeptSketch> {
    kept(0..40)
}

#[test]
fn b9_people_of_different_keys_are_never_put_together() {
    let of = |key: Option<PseudonymKeyId>, kept: Option<KeptSketch>| kept.map(|kept| KeptSketch { key, ..kept });
    let (old, new) = (Some(key(1)), Some(key(2)));
    let found = people(vec![
        of(new.clone(), kept(0..100)),
        of(old.clone(), kept(0..60)),
        of(new.clone(), kept(50..150)),
        of(None, kept(0..10)),
    ]);
    assert_eq!(found.together, None, "nobody knows who of the one key is whom of the other");
    let of_key: Vec<_> =
        found.keys.iter().map(|of| (Some(of.key.clone()), of.applications.clone(), of.together.likely)).collect();
    assert_eq!(of_key, [(new, vec![0, 2], 150.0), (old, vec![1], 60.0)]);
    assert_eq!((found.at_least, found.at_most), (Some(150.0), Some(210.0)), "all of the sixty are among them, or none");
    let overlaps: Vec<_> = found.overlaps.iter().map(|both| (both.one, both.other, both.people.likely)).collect();
    assert_eq!(overlaps, [(0, 2, 50.0)]);
    assert_eq!(found.applications[3].left_out, Some(SketchTrouble::UnknownKey));
    let one = people(vec![kept(0..100), kept(50..150)]);
    let bounds = (one.together.map(|all| all.likely), one.at_least, one.at_most);
    assert_eq!(bounds, (Some(150.0), Some(150.0), Some(150.0)));
}
