use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The record of a new instance; each seed is another one.
fn record(seed: u8) -> Record {
    Record::new(Secret::from_bytes([seed; 32]), ServerId::from_random([seed; 20]), Some(NOW))
}

fn at_day(day: i64) -> Timestamp {
    NOW + SignedDuration::from_hours(24 * day)
}

fn server(host: &str, port: u16, database: &str, schema: &str, mark: &str) -> DatabaseIdentity {
    DatabaseIdentity {
        place: DatabasePlace::Server {
            hosts: vec![(host.to_owned(), port)],
            database: database.to_owned(),
            schema: Some(schema.to_owned()),
        },
        birth_mark: mark.to_owned(),
    }
}

fn file(path: &str, mark: &str) -> DatabaseIdentity {
    DatabaseIdentity { place: DatabasePlace::File(path.into()), birth_mark: mark.to_owned() }
}

fn makings(database: &DatabaseIdentity, staging: bool) -> Makings {
    Makings::of_database(database, staging).unwrap_or_else(|reason| panic!("it {reason}"))
}

fn id(record: &Record, database: &DatabaseIdentity) -> ServerId {
    record.made(&makings(database, false))
}

/// The record after a look; the same where nothing has changed.
fn looked(record: &Record, makings: &Makings, now: Timestamp) -> Record {
    match record.look(makings, now) {
        Look::Same | Look::ToAndFro => record.clone(),
        Look::Changed(record) => *record,
    }
}

fn changed(record: &Record) -> Vec<&'static str> {
    let last = record.history.last().expect("a change");
    last.changed.iter().map(|part| part.name()).collect()
}

/// Parts that are equal, differ in spelling or in one letter, or run into each other when they are put side by side.
fn any_database() -> impl Strategy<Value = DatabaseIdentity> {
    let text = || select(vec!["a", "b", "ab", "aa", "a\nb", "5432"]);
    let hosts = prop::collection::vec((text().prop_map(str::to_owned), select(vec![1u16, 5432])), 1..3);
    let place = prop_oneof![
        (hosts, text(), prop::option::of(text())).prop_map(|(hosts, database, schema)| DatabasePlace::Server {
            hosts,
            database: database.to_owned(),
            schema: schema.map(str::to_owned)
        }),
        text().prop_map(|path| DatabasePlace::File(path.into())),
    ];
    (place, text()).prop_map(|(place, mark)| DatabaseIdentity { place, birth_mark: mark.to_owned() })
}

proptest! {
    #[test]
    fn s2_two_databases_never_have_the_same_id_and_one_always_has_its_own(
        one in any_database(), other in any_database(), staging: bool, other_staging: bool, seed in 0u8..3, other_seed in 0u8..3,
    ) {
        let (one, other) = (makings(&one, staging), makings(&other, other_staging));
        let same = one == other && seed == other_seed;
        prop_assert_eq!(record(seed).made(&one) == record(other_seed).made(&other), same);
    }

    #[test]
    fn s2_a_look_changes_the_id_exactly_when_the_makings_are_others_and_names_the_parts(
        databases in prop::collection::vec((any_database(), any::<bool>()), 1..12),
    ) {
        let mut record = record(1);
        for (day, (database, staging)) in databases.iter().enumerate() {
            // A week apart, so that nothing counts as going to and fro.
            let now = at_day(7 * day as i64);
            let (makings, before) = (makings(database, *staging), record.clone());
            record = looked(&record, &makings, now);
            prop_assert_eq!(record.server_id(), &record.made(&makings));
            prop_assert_eq!(record.history.len() > before.history.len(), before.server_id() != record.server_id());
            prop_assert_eq!(&looked(&record, &makings, now), &record, "a second look finds the same");
            if let Some(change) = record.history.last() {
                prop_assert!(!change.changed.is_empty() && change.previous != change.present);
            }
            let kept = serde_json::to_string(&record).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Record>(&kept).expect("and back"), record.clone());
        }
    }

    #[test]
    fn b4_what_holds_on_is_of_the_same_data_for_a_fortnight_and_never_on_staging(
        databases in prop::collection::vec((any_database(), any::<bool>(), 0i64..9), 1..12),
    ) {
        let (mut record, mut now) = (record(1), NOW);
        for (database, staging, days) in &databases {
            now += SignedDuration::from_hours(24 * days);
            record = looked(&record, &makings(database, *staging), now);
            let previous = record.identity().previous;
            prop_assert!(previous.is_empty() || !record.present.staging);
            for had in &previous {
                prop_assert_ne!(&had.server_id, record.server_id());
                let left = record.history.iter().rposition(|change| change.previous == had.server_id).expect("it was had");
                let since = &record.history[left..];
                prop_assert_eq!(had.until, since[0].at + SignedDuration::from_hours(24 * 14));
                prop_assert!(since.iter().all(|change| !change.changed.contains(&IdentityPart::BirthMark)));
            }
        }
    }
}

#[test]
fn s2_each_part_alone_makes_another_id_and_is_named() {
    let here = server("db.example.org", 5432, "wiki", "public", "7f3a");
    let table = [
        (server("db2.example.org", 5432, "wiki", "public", "7f3a"), vec!["host"]),
        (server("db.example.org", 5433, "wiki", "public", "7f3a"), vec!["port"]),
        (server("db.example.org", 5432, "wiki2", "public", "7f3a"), vec!["database"]),
        (server("db.example.org", 5432, "wiki", "wiki", "7f3a"), vec!["schema"]),
        (server("db.example.org", 5432, "wiki", "public", "7f3b"), vec!["birth-mark"]),
        (server("127.0.0.1", 5433, "wiki", "public", "7f3a"), vec!["host", "port"]),
        (file("/srv/wiki.db", "7f3a"), vec!["host", "port", "database", "schema", "path"]),
    ];
    let record = looked(&record(1), &makings(&here, false), NOW);
    assert_eq!(changed(&record), ["policy"], "of what the parts were before, nothing is known");
    for (there, parts) in table {
        let moved = looked(&record, &makings(&there, false), at_day(1));
        assert_eq!(changed(&moved), parts);
        assert_ne!(moved.server_id(), record.server_id());
    }
    assert_eq!(changed(&looked(&record, &makings(&here, true), at_day(1))), ["staging"]);
    assert_ne!(id(&record, &file("/srv/wiki.db", "7f3a")), id(&record, &file("/srv/wiki.db2", "7f3a")));
}

#[test]
fn s2_another_spelling_of_one_place_makes_the_same_id() {
    let record = record(1);
    let of = |host: &str| id(&record, &server(host, 5432, "wiki", "public", "7f3a"));
    for (one, other) in [
        ("db.example.org", " DB.Example.org. "),
        ("::1", "[0:0:0:0:0:0:0:1]"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("/run/postgresql", "/run/postgresql/"),
    ] {
        assert_eq!(of(one), of(other), "{one} and {other}");
    }
    for (one, other) in [("localhost", "127.0.0.1"), ("/run/postgresql", "/run/PostgreSQL"), ("db", "db.example.org")] {
        assert_ne!(of(one), of(other), "{one} and {other}");
    }
    let cluster = |hosts: &[(&str, u16)]| {
        let hosts = hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect();
        let place = DatabasePlace::Server { hosts, database: "wiki".to_owned(), schema: None };
        id(&record, &DatabaseIdentity { place, birth_mark: "7f3a".to_owned() })
    };
    assert_eq!(cluster(&[("a", 1), ("b", 2)]), cluster(&[("b", 2), ("a", 1)]), "the order is that of a failover");
    assert_ne!(cluster(&[("a", 1), ("b", 2)]), cluster(&[("a", 2), ("b", 1)]));
}

#[test]
fn s2_an_id_reveals_nothing_without_the_key_of_its_state() {
    let database = file("/srv/wiki.db", "7f3a");
    assert_ne!(id(&record(1), &database), id(&record(2), &database));
    let record = looked(&record(1), &makings(&database, false), NOW);
    let kept = serde_json::to_string(&record).expect("JSON");
    assert!(!kept.contains("wiki") && !kept.contains("7f3a"), "{kept}");
}

#[test]
fn s2_a_database_without_a_birth_mark_is_told_and_makes_no_id() {
    for mark in ["", " \n", &"x".repeat(1025)] {
        let reason = Makings::of_database(&file("/srv/wiki.db", mark), false).err();
        assert_eq!(reason, Some("gave no birth mark of 1 to 1024 bytes"));
    }
    assert!(Makings::of_database(&file("/srv/wiki.db", &"x".repeat(1024)), false).is_ok());
    let place = DatabasePlace::Server { hosts: vec![], database: "wiki".to_owned(), schema: None };
    let nowhere = DatabaseIdentity { place, birth_mark: "7f3a".to_owned() };
    assert_eq!(Makings::of_database(&nowhere, false).err(), Some("has no host"));
}

#[test]
fn s3_a_staging_copy_of_the_state_has_an_id_of_its_own_each_time_the_same() {
    let production = record(1);
    let staging = Makings::of_instance(true);
    let (once, again) = (looked(&production, &staging, at_day(1)), looked(&production, &staging, at_day(9)));
    assert_ne!(once.server_id(), production.server_id());
    assert_eq!(once.server_id(), again.server_id());
    assert!(once.identity().staging && once.identity().previous.is_empty());
    assert_eq!(looked(&once, &Makings::of_instance(false), at_day(10)).server_id(), production.server_id());
}

#[test]
fn a_server_id_goes_back_twice_a_day_and_then_stays_until_the_day_is_over() {
    let (one, other) = (makings(&file("/a", "7f3a"), false), makings(&file("/b", "7f3a"), false));
    let hour = |hour: i64| NOW + SignedDuration::from_hours(hour);
    let mut record = looked(&record(1), &one, hour(0));
    // There, back, there again: the last two are returns.
    for (looked_at, makings) in [(1, &other), (2, &one), (3, &other)] {
        let Look::Changed(next) = record.look(makings, hour(looked_at)) else { panic!("a change at {looked_at}") };
        record = *next;
    }
    assert!(matches!(record.look(&one, hour(4)), Look::ToAndFro));
    assert!(matches!(record.look(&other, hour(4)), Look::Same));
    let elsewhere = makings(&file("/c", "7f3a"), false);
    assert!(matches!(record.look(&elsewhere, hour(4)), Look::Changed(_)), "a place that is new is no return");
    assert!(matches!(record.look(&one, hour(30)), Look::Changed(_)));
    assert!(matches!(record.look(&one, Timestamp::MIN), Look::ToAndFro), "a clock that was set back changes nothing");
}

#[test]
fn b4_a_word_is_taken_on_what_nobody_has_spoken_of_and_a_copy_takes_over_nothing() {
    let databases = ["/a", "/b", "/c"].map(|path| makings(&file(path, "7f3a"), false));
    let first = looked(&record(1), &databases[0], at_day(0));
    assert!(!first.has_question(), "the policy alone has changed");
    let mut moved = looked(&first, &databases[1], at_day(2));
    assert!(moved.has_question());
    moved.tell_of_last();
    assert_eq!((moved.told(|_| true), moved.untold().count()), (1, 0));
    moved.answer(ContinuityAnswer::Moved, true);
    assert!(!moved.has_question());
    let answers = |record: &Record| record.history.iter().map(|change| change.answer).collect::<Vec<_>>();
    assert_eq!(answers(&moved), [None, Some(ContinuityAnswer::Moved)]);
    assert_eq!(moved.untold().count(), 1, "the central server is told what was said");

    let mut copied = looked(&moved, &databases[2], at_day(4));
    assert_eq!(copied.identity().previous.len(), 3);
    copied.answer(ContinuityAnswer::Copy, false);
    assert_eq!(copied.untold().count(), 1, "without a link there is nobody to tell");
    assert_eq!(answers(&copied)[1..], [Some(ContinuityAnswer::Moved), Some(ContinuityAnswer::Copy)]);
    assert!(copied.identity().previous.is_empty());
}

#[test]
fn the_history_and_the_statements_are_bounded_and_the_newest_stay() {
    let mut record = record(1);
    for n in 0..=MAX_HISTORY as i64 {
        record = looked(&record, &makings(&file(&format!("/{n}"), "7f3a"), false), at_day(n));
        record.tell_of_last();
    }
    assert_eq!(record.history.len(), MAX_HISTORY);
    assert_eq!(record.history[0].at, at_day(1));
    let stated: Vec<Timestamp> = record.untold().map(|change| change.at).collect();
    assert_eq!((stated.len(), stated.last()), (MAX_STATEMENTS, Some(&at_day(MAX_HISTORY as i64))));
}

#[test]
fn s2_other_data_are_never_taken_for_these_however_often_they_come_and_go() {
    let (one, other) = (makings(&file("/a", "7f3a"), false), makings(&file("/a", "aaaa"), false));
    let mut record = looked(&record(1), &one, NOW);
    let (first, mut shared) = (record.server_id().clone(), Vec::new());
    for hour in 1..=5 {
        let now = NOW + SignedDuration::from_hours(hour);
        record = looked(&record, if hour % 2 == 1 { &other } else { &one }, now);
        assert_eq!(record.server_id() == &first, hour % 2 == 0);
        assert!(record.identity().previous.is_empty(), "no license of the one holds for the other");
        shared.push(record.is_shared(now));
    }
    assert_eq!(shared, [false, false, false, true, true]);
    assert!(!record.is_shared(NOW + SignedDuration::from_hours(48)));
}

#[test]
fn s2_other_data_are_found_also_by_the_way_of_another_policy() {
    let own = record(1);
    let bound = looked(&own, &makings(&file("/a", "7f3a"), false), at_day(1));
    assert_eq!(changed(&bound), ["policy"]);
    let unbound = looked(&bound, &Makings::of_instance(false), at_day(2));
    assert_eq!(changed(&unbound), ["policy"]);
    let same = looked(&unbound, &makings(&file("/b", "7f3a"), false), at_day(3));
    assert_eq!(changed(&same), ["policy"], "the same data, moved");
    let others = looked(&unbound, &makings(&file("/b", "aaaa"), false), at_day(3));
    assert_eq!(changed(&others), ["policy", "birth-mark"]);
    assert!(others.identity().previous.is_empty(), "no license goes along");
    // Where it is kept, it is no mark to read: neither in the record nor as it is stored.
    let stored = serde_json::to_string(&unbound).expect("JSON");
    assert!(stored.contains("last_mark") && !stored.contains("7f3a\""), "{stored}");
}
