//! A product turns to another pseudonym key with its next report (`b9`).

use seatline_host::sandbox::{Grants, Trigger};
use seatline_protocol::pairing::Secret;
use seatline_protocol::{ExchangeResponse, LinkId, Outcome, PseudonymKey, PseudonymKeyId};

use crate::given::{Central, Instance, at};

fn secret(n: u8) -> Secret {
    Secret::from_bytes([n; 32])
}

fn id(n: u8) -> Option<PseudonymKeyId> {
    Some(PseudonymKeyId::of(&secret(n)))
}

/// The key and the sketch of the next report.
fn reported(instance: &Instance) -> (Option<PseudonymKeyId>, Vec<u8>) {
    instance.host.collect(Trigger::Interval).expect("a run").report.expect("a report");
    match instance.waiting().pop().expect("it waits").outcome {
        Outcome::Collected(collected) => (collected.people_key, collected.people.expect("a sketch")),
        failed => panic!("{failed:?}"),
    }
}

#[test]
fn b9_a_new_pseudonym_key_is_used_by_the_next_report_which_names_it() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    instance.install(Grants::all());
    central.links(host);
    let (key, before) = reported(&instance);
    assert_eq!(key, id(central.fleet), "the key of the welcome");
    let hand_over = |link: &LinkId, n: u8, time: &str| {
        let key = PseudonymKey { link: link.clone(), key: secret(n), made_at: at(time) };
        let answer = ExchangeResponse { pseudonym_key: Some(central.seal(&key)), ..Default::default() };
        host.import_response(&answer).expect("taken").pseudonym_key_replaced
    };
    assert!(!hand_over(&LinkId::from_random([9; 24]), 20, "2026-03-02T00:00:00Z"), "it is for another link");
    assert!(hand_over(&central.link, 21, "2026-03-02T00:00:00Z"), "by file as well as online");
    assert!(!hand_over(&central.link, 21, "2026-03-02T00:00:00Z"), "once");
    assert!(
        !hand_over(&central.link, 22, "2026-03-01T00:00:00Z"),
        "an older one, sent again by somebody, is left alone"
    );
    let shown = host.link().expect("the state").expect("a link");
    assert_eq!(shown.pseudonym_key, id(21));
    let (key, after) = reported(&instance);
    assert_eq!(key, id(21));
    assert_ne!(before, after, "the same people have other pseudonyms");
    for kept in ["link.json", "last-report.json", "last-run.json", "past-runs.json", "full-reports.json", "outbox.log"]
    {
        let text = std::fs::read_to_string(instance.dir.path().join("state").join(kept)).unwrap_or_default();
        let json = serde_json::to_string(&secret(21)).expect("JSON");
        assert_eq!(text.contains(json.trim_matches('"')), kept == "link.json", "{kept}");
    }
    assert!(!format!("{:?}", host.status().expect("a status")).contains("FRUVFRUV"), "nor is it shown");
}

#[test]
fn b9_a_key_of_anybody_else_is_refused() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    let key = PseudonymKey { link: central.link.clone(), key: secret(5), made_at: at("2026-03-02T00:00:00Z") };
    let other = Central { key: seatline_protocol::SecretKey::from_seed(&[99; 32]), ..Central::new() };
    let answer = ExchangeResponse { pseudonym_key: Some(other.seal(&key)), ..Default::default() };
    assert_eq!(instance.host.import_response(&answer).expect_err("not ours").code(), "unknown-key");
}
