//! The floor under the clock.

use seatline_host::sandbox::Trigger;

use crate::given::{Central, Instance, at, key_of, license, unlink};

#[test]
fn b2_no_one_winds_the_clock_back_behind_a_receipt() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let mut ends = license("L-1");
    ends.expires = Some(at("2026-03-01T12:30:00Z"));
    host.set_license(&key_of(&ends)).expect("it holds");
    host.collect(Trigger::Demand).expect("a report of what failed");
    host.import_response(&central.receipts(host, "2026-03-01T13:00:00Z")).expect("a receipt");

    instance.set_time("2026-03-01T12:00:00Z");
    assert_eq!(host.now().expect("the time"), at("2026-03-01T13:00:00Z"));
    assert_eq!(host.standing().expect("a standing").verdict.name(), "unlicensed", "the license has ended");
    assert_eq!(host.status().expect("a status").clock_behind, Some(3600));
    assert_eq!(instance.again().now().expect("the time"), at("2026-03-01T13:00:00Z"), "also after a restart");

    // Linking anew takes nothing back.
    unlink(host);
    central.invites(host);
    assert_eq!(host.now().expect("the time"), at("2026-03-01T13:00:00Z"));
    instance.set_time("2026-03-01T14:00:00Z");
    assert_eq!(host.now().expect("the time"), at("2026-03-01T14:00:00Z"), "a clock that is right again holds");
}

#[test]
fn b2_a_central_server_whose_clock_is_far_ahead_costs_a_day_and_not_all_time() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    host.collect(Trigger::Demand).expect("a report");
    host.import_response(&central.receipts(host, "2099-01-01T00:00:00Z")).expect("a receipt");
    assert_eq!(host.now().expect("the time"), at("2026-03-02T12:00:00Z"));
    assert_eq!(host.status().expect("a status").outbox.pending, 0, "the receipt itself is taken");
}
