//! The standing in memory, and what is asked of it.

use std::fs;
use std::time::{Duration, Instant};

use seatline_host::Host;
use seatline_protocol::standing::LimitCode;
use seatline_protocol::{Behaviour, Dimension, License, Limit};

use crate::given::{Instance, key_of, license};

fn with_feature(id: &str, feature: &str) -> String {
    key_of(&License { features: [feature.to_owned()].into(), ..license(id) })
}

/// Waits until `host` sees it. What another process did may take a second.
fn sees(host: &Host, seen: impl Fn(&Host) -> bool) {
    let begun = Instant::now();
    while !seen(host) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never does");
        std::thread::yield_now();
    }
}

#[test]
fn s8_s9_a_license_switches_its_features_at_once_in_this_process_and_soon_in_another() {
    let instance = Instance::new();
    let other = instance.again();
    assert!(!instance.host.has_feature("sso") && !other.has_feature("sso"));
    instance.host.set_license(&with_feature("L-1", "sso")).expect("it is set");
    assert!(instance.host.has_feature("sso"));
    sees(&other, |other| other.has_feature("sso"));
    assert_eq!(other.live().expect("in memory").standing, other.standing().expect("read anew"));
}

#[test]
fn c10_the_next_license_takes_over_at_its_time_in_an_unchanged_process() {
    let instance = Instance::new();
    let host = &instance.host;
    host.set_license(&with_feature("L-1", "old")).expect("it is set");
    let next = License {
        features: ["new".to_owned()].into(),
        not_before: Some("2026-04-01T00:00:00Z".parse().expect("a time")),
        ..license("L-2")
    };
    host.set_license(&key_of(&next)).expect("it can be loaded early");
    assert!(host.has_feature("old") && !host.has_feature("new"));
    instance.set_time("2026-04-01T00:00:00Z");
    assert!(!host.has_feature("old") && host.has_feature("new"));
}

#[test]
fn g3_the_last_good_standing_holds_while_the_state_cannot_be_read_and_ends_in_its_time() {
    let instance = Instance::new();
    let host = &instance.host;
    let ends = License { expires: Some("2026-04-01T00:00:00Z".parse().expect("a time")), ..license("L-1") };
    let key = key_of(&License { features: ["sso".to_owned()].into(), ..ends });
    host.set_license(&key).expect("it is set");
    let file = instance.dir.path().join("state/licenses.json");
    let good = fs::read(&file).expect("the licenses");
    fs::write(&file, b"{").expect("somebody damages it");
    sees(host, |host| host.live().expect("the last one").problem.is_some());
    let live = host.live().expect("the last one");
    assert_eq!(live.problem.as_ref().map(|problem| problem.code), Some("store-damaged"));
    assert!(live.has_feature("sso"));
    instance.set_time("2026-04-01T00:00:00Z");
    assert!(!host.has_feature("sso"), "the license ends though nothing can be read");
    fs::write(&file, good).expect("somebody mends it");
    sees(host, |host| host.live().expect("a new one").problem.is_none());
    fs::write(&file, b"{").expect("somebody damages it");
    assert_eq!(instance.again().live().expect_err("there was never a standing").code(), "store-damaged");
    assert!(!instance.again().has_feature("sso"));
}

#[test]
fn a6_users_are_made_without_limit_and_anything_else_up_to_it() {
    let instance = Instance::new();
    let host = &instance.host;
    let limit = |name: &str, max, behaviour| Limit {
        dimension: name.parse().expect("a dimension"),
        max: Some(max),
        extra: 0,
        counting: None,
        behaviour,
    };
    let limits = vec![limit("users", 3, Behaviour::Restrict), limit("nodes", 1, Behaviour::Refuse)];
    let features = ["sso".to_owned()].into();
    host.set_license(&key_of(&License { limits, features, ..license("L-1") })).expect("it is set");
    instance.install(seatline_host::sandbox::Grants::all());
    host.collect(seatline_host::sandbox::Trigger::Demand).expect("three users on a node");
    let check = |dimension: Dimension, more| {
        let answer = host.check_limit(&dimension, more).expect("an answer");
        (answer.allowed, answer.code, answer.message.is_some())
    };
    assert_eq!(check(Dimension::users(), 0), (true, LimitCode::Near, true));
    assert_eq!(check(Dimension::users(), 1), (true, LimitCode::StopsFeatures, true));
    assert_eq!(check(Dimension::nodes(), 1), (false, LimitCode::Refused, true));
    assert_eq!(check("pages".parse().expect("a dimension"), 1), (true, LimitCode::NotLimited, false));
    assert_eq!(host.banners().expect("banners")[0].dimension, Some(Dimension::users()));
}
