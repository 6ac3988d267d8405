use seatline_protocol::pairing::Secret;

use super::*;
use crate::domain::Use;
use crate::domain::people::People;
use crate::domain::people::tests::{application, kept, kept_of, key};

fn keys(count: u8) -> Keys {
    let at = |n: u8| Timestamp::from_second(i64::from(n) * 100).expect("a time");
    let made: Vec<_> = (2..=count).rev().map(|n| (key(n), at(n))).collect();
    Keys::new(key(1), &made)
}

fn tally(members: Vec<Member>) -> Counted {
    tally_of(members, keys(1))
}

fn tally_of(members: Vec<Member>, keys: Keys) -> Counted {
    let mut tally = Tally::new(&Scope::all(Use::Production), keys);
    members.into_iter().for_each(|member| tally.add(member));
    tally.counted()
}

fn member(n: u16, product: &str, kept: Option<KeptSketch>) -> Member {
    let mut random = [0; 12];
    random[..2].copy_from_slice(&n.to_be_bytes());
    Member {
        id: ApplicationId::from_random(random),
        name: format!("Application {n}"),
        product: product.to_owned(),
        group: String::new(),
        is_overdue: false,
        kept: Ok(kept),
    }
}

fn of(key: PseudonymKeyId, kept: Option<KeptSketch>) -> Option<KeptSketch> {
    kept.map(|kept| KeptSketch { key: Some(key), ..kept })
}

#[test]
fn b9_people_of_many_applications_are_counted_once_and_with_the_numbers_of_few() {
    // Everybody is in two neighbours of a ring of 500 applications.
    let ring = |n: u16| u64::from(n) * 10..u64::from(n) * 10 + 20;
    let counted = tally((0..500).map(|n| member(n, "acme-wiki", kept(ring(n)))).collect());
    let together = counted.together.expect("people");
    assert_eq!((together.low, together.likely, together.high), (5010.0, 5010.0, 5010.0));
    assert_eq!((counted.applications, counted.counted, counted.seats), (500, 500, 10_000));
    assert_eq!(
        counted.seats_above_people.map(|seats| (seats.low, seats.likely, seats.high)),
        Some((4990.0, 4990.0, 4990.0))
    );
    // A few of them come to the same number as at once, in whichever order they are added.
    let some = || (0..12).map(|n| kept_of(if n == 7 { 10 } else { 12 }, n * 3_000..n * 3_000 + 9_000));
    let at_once = People::of((0..).map(application).zip(some()).collect(), Timestamp::UNIX_EPOCH);
    let mut members: Vec<Member> = some().zip(0..).map(|(kept, n)| member(n, "acme-wiki", kept)).collect();
    assert_eq!(tally(members.clone()).together, at_once.together);
    members.reverse();
    assert_eq!(tally(members).together, at_once.together);
}

#[test]
fn b9_the_bounds_of_very_many_people_hold_the_truth() {
    let (mut held, cases) = (0, 60);
    for case in 0..cases {
        let begin = case * 10_000_000;
        // 100 applications of 3,000 people each, of whom half are in the next one too; and one that is coarse.
        let mut members: Vec<Member> = (0..100)
            .map(|n| member(n, "a", kept(begin + u64::from(n) * 1_500..begin + u64::from(n) * 1_500 + 3_000)))
            .collect();
        members.push(member(100, "b", kept_of(10, begin..begin + 9_000)));
        let together = tally(members).together.expect("people");
        held += u32::from((together.low..=together.high).contains(&151_500.0));
        assert!(together.high - together.low < 0.15 * together.likely, "bounds that say something: {together:?}");
    }
    println!("{held} of {cases}");
    assert!(held >= 54, "of {cases} bounds {held} hold the truth");
}

#[test]
fn b9_who_is_left_out_is_told_by_reason_and_some_by_name() {
    let mut damaged = kept(0..10).expect("a sketch");
    damaged.bytes.truncate(7);
    let mut members: Vec<Member> = (0..9).map(|n| member(n, "a", None)).collect();
    members.push(member(20, "a", Some(damaged)));
    members.push(Member { kept: Err(SketchTrouble::Damaged), ..member(21, "a", None) });
    members.push(Member { is_overdue: true, ..member(22, "a", kept(0..10)) });
    let counted = tally(members);
    let told: Vec<_> = counted.left_out.iter().map(|left| (left.why, left.applications, left.named.len())).collect();
    assert_eq!(told, [(SketchTrouble::None, 9, MOST_NAMED), (SketchTrouble::Damaged, 2, 2)]);
    assert_eq!((counted.applications, counted.counted, counted.overdue), (12, 1, 1));
    assert_eq!(counted.oldest_at, Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn b9_people_of_two_keys_are_never_joined_and_only_the_newest_keys_are_counted() {
    let all = u8::try_from(MOST_KEYS).expect("few") + 1;
    let members = (1..=all).map(|n| member(n.into(), "a", of(key(n), kept(0..100)))).collect();
    let counted = tally_of(members, keys(all));
    assert_eq!((counted.keys.len(), counted.together), (MOST_KEYS, None), "the oldest is too old");
    assert_eq!((counted.at_least, counted.at_most), (Some(100.0), Some(800.0)));
    assert_eq!(counted.seats_above_people, None, "nobody can tell");
    assert_eq!(counted.left_out[0].why, SketchTrouble::OtherKey);
    // A report may name any key: one that this server has not made costs nothing.
    let made_up = PseudonymKeyId::of(&Secret::from_bytes([200; 32]));
    let counted = tally(vec![member(1, "a", kept(0..100)), member(2, "a", of(made_up, kept(0..100)))]);
    assert_eq!((counted.counted, counted.left_out[0].why), (1, SketchTrouble::OtherKey));
}

#[test]
fn b9_the_overlap_of_products_is_counted_beside_the_whole() {
    let members = vec![
        member(1, "wiki", kept(0..100)),
        member(2, "wiki", kept(50..150)),
        member(3, "chat", kept(100..300)),
        member(4, "tracker", kept(300..310)),
    ];
    let counted = tally(members);
    let parts: Vec<_> = counted.parts.iter().map(|part| (part.name.as_str(), part.seats, part.people.likely)).collect();
    assert_eq!(parts, [("wiki", 200, 150.0), ("chat", 200, 200.0), ("tracker", 10, 10.0)]);
    let overlaps: Vec<_> = counted.overlaps.iter().map(|both| (both.one, both.other, both.people.likely)).collect();
    assert_eq!(overlaps, [(0, 1, 50.0), (0, 2, 0.0), (1, 2, 0.0)]);
    // Of one product, by group.
    let mut tally = Tally::new(&Scope::typed("wiki", "", "", "").expect("a set"), keys(1));
    tally.add(Member { group: "Sales".to_owned(), ..member(1, "wiki", kept(0..100)) });
    assert_eq!((tally.counted().parts_by, tally.counted().parts[0].name.as_str()), (PartsBy::Group, "Sales"));
}

#[test]
fn b9_parts_are_bounded() {
    let many = u16::try_from(MOST_PARTS).expect("few") + 6;
    let counted = tally((0..many).map(|n| member(n, &format!("product-{n:03}"), kept(0..10))).collect());
    assert_eq!(counted.parts.len(), MOST_PARTS);
    assert_eq!(counted.overlaps.len(), MOST_IN_MATRIX * (MOST_IN_MATRIX - 1) / 2);
    assert_eq!(counted.in_other_parts, 6);
    let others: Vec<_> = counted.other_parts.iter().map(|other| (other.name.as_str(), other.seats)).collect();
    assert_eq!((others.len(), others[0]), (6, ("product-032", 10)), "those that were met last are named");
    assert_eq!(counted.counted, u64::from(many), "they are in the whole all the same");
    let mut tally = Tally::new(&Scope::all(Use::Production), keys(1));
    (0..many).for_each(|n| tally.add(member(n, &format!("product-{n:03}"), kept(0..10))));
    assert_eq!(tally.parts.len(), MOST_PARTS);
    (0..400).for_each(|n| tally.add(member(n, &format!("other-{n:03}"), kept(0..10))));
    tally.add(member(500, "other-000", kept(0..10)));
    let counted = tally.counted();
    assert_eq!((counted.other_parts.len(), counted.in_other_parts), (MOST_OTHER_PARTS, 407));
    assert_eq!((counted.other_parts[0].name.as_str(), counted.other_parts[0].applications), ("other-000", 2));
}

#[test]
fn b9_where_applications_of_another_key_are_is_told() {
    let new = |n: u16, product: &str| member(n, product, of(key(2), kept(0..10)));
    let counted = tally_of(vec![new(1, "wiki"), new(2, "wiki"), member(3, "wiki", of(key(1), kept(0..30)))], keys(2));
    assert_eq!((counted.parts.len(), counted.parts[0].applications, counted.in_other_parts), (1, 2, 1));
    assert_eq!((counted.other_parts[0].name.as_str(), counted.other_parts[0].seats), ("wiki", 30));
}
