//! The ends of licenses, of maintenance and of evaluations.

use serde_json::json;

use crate::given::{Instance, at, days, license};

const END: &str = "2027-01-01T00:00:00Z";

#[test]
fn s5_a_reminder_comes_two_months_and_again_one_month_before_a_license_expires_once_each() {
    let mut instance = Instance::with(vec![license("L", json!({"expires": END, "grace_days": 14}))]);
    let end = at(END);
    let mut told = Vec::new();
    for day in -90..30 {
        for hour in [0, 12] {
            let now = end + days(day) + jiff::SignedDuration::from_hours(hour);
            told.extend(instance.told(now).into_iter().map(|code| (day, hour, code)));
        }
    }
    let expected = [(-60, 0, "expires-soon"), (-30, 0, "expires-soon"), (0, 0, "in-grace"), (14, 0, "expired")];
    assert_eq!(told, expected.map(|(day, hour, code)| (day, hour, code.to_owned())));
}

#[test]
fn s5_after_a_month_without_a_look_one_notice_comes_the_gravest() {
    for (day, expected) in [(-29, "expires-soon"), (3, "in-grace"), (20, "expired")] {
        let mut instance = Instance::with(vec![license("L", json!({"expires": END, "grace_days": 14}))]);
        let now = at(END) + days(day);
        assert_eq!(instance.told(now), [expected], "{day}");
        assert_eq!(instance.told(now), [""; 0], "{day}");
    }
}

#[test]
fn s5_a_renewed_license_is_over_and_reminds_anew() {
    let mut instance = Instance::with(vec![license("L", json!({"expires": END}))]);
    assert_eq!(instance.told(at(END) - days(40)), ["expires-soon"]);
    let renewed = json!({"expires": "2028-01-01T00:00:00Z", "issued": "2026-11-25T00:00:00Z"});
    instance.licenses.push(license("L", renewed));
    assert_eq!(instance.told(at(END) - days(35)), ["expires-soon over"]);
    assert_eq!(instance.told(at(END) - days(20)), [""; 0]);
    assert_eq!(instance.told(at("2027-11-20T00:00:00Z")), ["expires-soon"]);
}

#[test]
fn c10_what_is_renewed_before_its_time_reminds_of_nothing() {
    let next = json!({"not_before": "2026-12-20T00:00:00Z", "expires": "2028-01-01T00:00:00Z"});
    let mut instance = Instance::with(vec![license("L", json!({"expires": END})), license("N", next)]);
    for day in -90..90 {
        assert_eq!(instance.told(at(END) + days(day)), [""; 0], "{day}");
    }
}

#[test]
fn s5_the_days_are_as_an_administrator_sets_them_also_earlier_than_a_page_warns() {
    let mut instance = Instance::with(vec![license("L", json!({"expires": END}))]);
    instance.reminders.expiry_days = vec![180, 7];
    let mut told = Vec::new();
    for day in -200..0 {
        told.extend(instance.told(at(END) + days(day)).into_iter().map(|code| (day, code)));
    }
    assert_eq!(told, [(-180, "expires-soon".to_owned()), (-7, "expires-soon".to_owned())]);
}

#[test]
fn s5_fewer_days_are_no_news_of_what_was_told_already() {
    let mut instance = Instance::with(vec![license("L", json!({"expires": END}))]);
    assert_eq!(instance.told(at(END) - days(50)), ["expires-soon"]);
    for expiry_days in [vec![30], vec![], vec![90]] {
        instance.reminders.expiry_days = expiry_days;
        assert_eq!(instance.told(at(END) - days(49)), [""; 0]);
    }
}

#[test]
fn c6_an_evaluation_and_maintenance_have_reminders_of_their_own() {
    let mut instance = Instance::with(vec![license("E", json!({"kind": "evaluation", "expires": END}))]);
    assert_eq!(instance.told(at(END) - days(20)), [""; 0]);
    assert_eq!(instance.told(at(END) - days(7)), ["evaluation-ends-soon"]);
    assert_eq!(instance.told(at(END)), ["expired"]);

    let mut instance = Instance::with(vec![license("M", json!({"maintenance_until": END}))]);
    let told: Vec<_> = (-70..9).flat_map(|day| instance.told(at(END) + days(day))).collect();
    assert_eq!(told, ["maintenance-ends-soon", "maintenance-ends-soon", "maintenance-ended"]);
    instance.observed.released = Some(at("2027-01-05T00:00:00Z"));
    assert_eq!(instance.told(at(END) + days(10)), ["release-not-covered"]);
    instance.licenses = vec![license("M", json!({"maintenance_until": "2028-01-01T00:00:00Z"}))];
    assert_eq!(instance.told(at(END) + days(11)), ["release-not-covered over"]);
}

#[test]
fn of_several_licenses_that_ended_one_after_the_other_the_last_is_told() {
    let second = json!({"issued": "2026-06-01T00:00:00Z", "expires": END});
    let first = json!({"expires": "2026-07-01T00:00:00Z"});
    let mut instance = Instance::with(vec![license("OLD", first), license("L", second)]);
    let notices = instance.notices(at(END) + days(1));
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].title, "License L has expired");
    instance.licenses.push(license("NEW", json!({"issued": "2027-01-03T00:00:00Z"})));
    let notices = instance.notices(at(END) + days(3));
    assert_eq!(notices[0].title, "The license of acme-wiki is in order again");
    assert_eq!(notices.len(), 1, "{notices:?}");
}

#[test]
fn s2_a_license_that_is_bound_to_another_server_is_told_and_is_over_with_the_next() {
    let mut instance = Instance::with(vec![license("L", json!({"servers": ["ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ"]}))]);
    let notices = instance.notices(at("2026-06-01T00:00:00Z"));
    assert_eq!(notices[0].code, "unlicensed");
    assert!(notices[0].message.contains("bound to the server ID ZZZZ"), "{}", notices[0].message);
    instance.licenses.push(license("N", json!({})));
    assert_eq!(instance.told(at("2026-06-02T00:00:00Z")), ["unlicensed over"]);
}

#[test]
fn b4_a_license_of_the_server_id_before_a_move_is_told_and_again_when_it_holds_no_more() {
    let mut instance = Instance::with(vec![license("L", json!({"servers": ["ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ"]}))]);
    let (server_id, until) = ("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ".parse().expect("a server ID"), at("2026-06-15T00:00:00Z"));
    instance.observed.previous = vec![seatline_protocol::standing::PreviousServer { server_id, until }];
    assert_eq!(instance.told(at("2026-06-01T00:00:00Z")), ["server-changed"]);
    assert_eq!(instance.told(until), ["unlicensed"]);
    instance.licenses.push(license("N", json!({})));
    assert_eq!(instance.told(at("2026-06-20T00:00:00Z")), ["unlicensed over"]);
}

#[test]
fn of_a_product_that_never_had_a_license_nothing_is_told() {
    assert_eq!(Instance::with(Vec::new()).told(at(END)), [""; 0]);
}

#[test]
fn p3_the_end_of_a_license_by_node_is_not_made_good_by_those_of_the_other_nodes() {
    let by_node = |id: &str, expires| license(id, json!({"mode": "node", "expires": expires}));
    let mut instance = Instance::with(vec![by_node("A", END), by_node("B", "2030-01-01T00:00:00Z")]);
    instance.counts("nodes", 2);
    assert_eq!(instance.told(at(END) - days(30)), ["expires-soon"]);
    assert_eq!(instance.told(at(END)), ["limit-exceeded"], "a node runs without a license");
    instance.licenses.push(by_node("C", "2030-01-01T00:00:00Z"));
    assert_eq!(instance.told(at(END) + days(1)), ["expires-soon over", "limit-exceeded over"]);
}
