//! Setting license keys.

use jiff::{SignedDuration, Timestamp};
use seatline_host::licenses::MAX_KEYS;
use seatline_protocol::{License, SecretKey, ServerId, seal};

use crate::given::{Central, Instance, at, key_of, license, vendor};

fn changed(change: impl FnOnce(&mut License)) -> String {
    let mut license = license("L-2");
    change(&mut license);
    key_of(&license)
}

#[test]
fn c1_a_bad_key_is_refused_with_its_reason_and_the_old_one_stays() {
    let instance = Instance::new();
    let host = &instance.host;
    host.set_license(&key_of(&license("L-1"))).expect("a good key");
    let good = key_of(&license("L-2"));
    let stranger = seal::seal(&license("L-2"), &SecretKey::from_seed(&[1; 32])).expect("a key");
    let (head, footer) = good.rsplit_once('.').expect("a footer");
    let garbled = format!("{}A{}.{footer}", &head[..20], &head[21..]);
    let table = [
        (String::new(), "empty"),
        ("my license".to_owned(), "not-a-document"),
        (good[..good.len() / 2].to_owned(), "truncated"),
        (garbled, "bad-signature"),
        (stranger, "unknown-key"),
        (Central::new().invite(), "unknown-key"),
        ("v4.public.".repeat(100_000), "too-large"),
        (changed(|license| license.product = "acme-chat".parse().expect("a product id")), "wrong-product"),
        (changed(|license| license.edition = Some("community".to_owned())), "wrong-edition"),
        (changed(|license| license.servers = vec![ServerId::from_random([1; 20])]), "wrong-server"),
        (changed(|license| license.expires = Some(at("2026-03-01T12:00:00Z"))), "expired"),
        (key_of(&License { licensee: "Another Ltd".to_owned(), ..license("L-1") }), "same-id"),
    ];
    for (key, code) in table {
        let error = host.set_license(&key).expect_err(code);
        assert_eq!(error.code(), code, "{error}");
        let ids: Vec<_> =
            host.licenses().expect("licenses").into_iter().map(|key| key.license.expect("open").id).collect();
        assert_eq!(ids, ["L-1".parse().expect("an id")], "{code}");
    }
    assert_eq!(host.standing().expect("a standing").governed_by, Some("L-1".parse().expect("an id")));
    let error = Instance::trusting(&[]).host.set_license(&good).expect_err("no vendor is trusted");
    assert_eq!(error.code(), "no-vendor-keys");
}

#[test]
fn c1_a_key_is_taken_as_mail_wraps_it() {
    let instance = Instance::new();
    let key = changed(|license| license.edition = Some("enterprise".to_owned()));
    let lines: Vec<&str> = key.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let pasted = format!("-----BEGIN LICENSE-----\n> {}\n-----END LICENSE-----\n", lines.join("\r\n> "));
    let change = instance.host.set_license(&pasted).expect("the edition is the same in any case");
    assert!(!change.was_set);
    assert!(instance.host.set_license(&key).expect("the same key").was_set);
    assert_eq!(instance.host.licenses().expect("licenses").len(), 1);
}

#[test]
fn c10_a_renewal_takes_over_and_the_old_key_stays_as_history() {
    let instance = Instance::new();
    let host = &instance.host;
    host.set_license(&key_of(&license("L-1"))).expect("it is set");
    let renewal = changed(|license| {
        license.issued = at("2026-02-01T00:00:00Z");
        license.not_before = Some(at("2026-04-01T00:00:00Z"));
        license.replaces = vec!["L-1".parse().expect("an id")];
    });
    host.set_license(&renewal).expect("the next one can be loaded before");
    let governs = || host.standing().expect("a standing").governed_by.expect("a license").to_string();
    assert_eq!(governs(), "L-1");
    instance.set_time("2026-04-01T00:00:00Z");
    assert_eq!(governs(), "L-2");
    assert_eq!(host.licenses().expect("licenses").len(), 2);
}

#[test]
fn g1_keys_of_several_vendors_are_trusted_and_a_key_that_is_not_any_more_says_so() {
    let other = SecretKey::from_seed(&[1; 32]);
    let both = [vendor().public(), other.public()];
    let instance = Instance::trusting(&both);
    instance.host.set_license(&key_of(&license("L-1"))).expect("one vendor");
    let key = seal::seal(&license("L-2"), &other).expect("a key");
    instance.host.set_license(&key).expect("the other vendor");

    let opened = instance.again_trusting(&both[..1]).licenses().expect("licenses").into_iter();
    let opened: Vec<_> = opened.map(|key| key.license.map_err(|error| error.code())).collect();
    assert_eq!(opened, [Ok(license("L-1")), Err("unknown-key")]);
}

#[test]
fn the_oldest_key_that_has_ended_makes_room_and_no_other() {
    let instance = Instance::new();
    let host = &instance.host;
    let ends = |id: usize, expires: Option<Timestamp>| {
        let mut license = license(&format!("L-{id}"));
        license.expires = expires;
        key_of(&license)
    };
    let soon = at("2026-03-01T12:00:00Z") + SignedDuration::from_hours(1);
    for id in 0..MAX_KEYS {
        let expires = (id == 7 || id == 9).then_some(soon);
        host.set_license(&ends(id, expires)).expect("there is room");
    }
    let full = host.set_license(&ends(100, None)).expect_err("all of them hold");
    assert_eq!(full.code(), "too-many-licenses");
    instance.set_time("2026-03-01T13:00:00Z");
    host.set_license(&ends(100, None)).expect("L-7 has ended");
    let licenses = host.licenses().expect("licenses");
    let ids: Vec<String> = licenses.into_iter().map(|key| key.license.expect("open").id.to_string()).collect();
    assert_eq!(ids.len(), MAX_KEYS);
    assert!(!ids.contains(&"L-7".to_owned()) && ids.contains(&"L-9".to_owned()), "the oldest leaves first");
}
