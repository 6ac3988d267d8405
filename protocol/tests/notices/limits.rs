//! Limits, their thresholds, and what swings around them.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::Dimension;
use seatline_protocol::notices::{Course, MAX_REMEMBERED, Memory, SETTLE_COUNT, Severity, Step, Topic};
use serde_json::json;

use crate::given::{Instance, at, days, license, state};

fn now() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn limited(limit: serde_json::Value) -> Instance {
    Instance::with(vec![license("L", json!({"limits": [limit]}))])
}

#[test]
fn s6_a_threshold_that_is_reached_is_told_once_with_the_numbers() {
    let mut instance = limited(json!({"dimension": "lines-of-code", "max": 100_000}));
    instance.reminders.thresholds.insert("lines-of-code".parse().expect("a dimension"), 75);
    instance.counts("lines-of-code", 74_999);
    assert_eq!(instance.told(now()), [""; 0]);
    instance.counts("lines-of-code", 75_000);
    let notices = instance.notices(now() + hours(1));
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!(notice.title, "The threshold of 75 % is reached: 75,000 of 100,000 lines-of-code");
    assert_eq!(
        notice.message,
        "75,000 lines-of-code are counted, and 100,000 are licensed: 25,000 are left. Free some, or ask the vendor for a \
         larger license in time."
    );
    assert_eq!(
        (notice.facts.used, notice.facts.max, notice.severity()),
        (Some(75_000), Some(100_000), Severity::Warning)
    );
    for hour in 2..200 {
        instance.counts("lines-of-code", 75_000 + hour as u64);
        assert_eq!(instance.told(now() + hours(hour)), [""; 0]);
    }
}

#[test]
fn s6_a_count_that_swings_around_its_threshold_is_told_once() {
    let mut instance = limited(json!({"dimension": "users", "max": 100}));
    let mut told = Vec::new();
    for hour in 0..24 * 30 {
        instance.counts("users", if hour % 20 < 10 { 91 } else { 40 });
        told.extend(instance.told(now() + hours(hour)));
    }
    assert_eq!(told, ["threshold-exceeded"]);
}

#[test]
fn s6_what_has_stayed_below_for_a_day_is_over_and_is_told_anew_when_it_comes_back() {
    let mut instance = limited(json!({"dimension": "users", "max": 100}));
    instance.counts("users", 95);
    assert_eq!(instance.told(now()), ["threshold-exceeded"]);
    instance.counts("users", 50);
    assert_eq!(instance.told(now() + hours(1)), [""; 0]);
    assert_eq!(instance.told(now() + hours(24)), [""; 0]);
    let over = instance.notices(now() + hours(25));
    assert_eq!(over[0].title, "In order again: 50 of 100 users");
    assert_eq!(over[0].severity(), Severity::Information);
    assert!(instance.memory.is_empty());
    instance.counts("users", 95);
    assert_eq!(instance.told(now() + hours(26)), ["threshold-exceeded"]);
}

#[test]
fn a4_each_graver_step_of_a_limit_is_told_at_once_and_what_is_mended_too() {
    let mut instance = limited(json!({"dimension": "users", "max": 100, "extra": 10, "behaviour": "restrict"}));
    let mut told = Vec::new();
    for (day, count) in [(0, 90), (1, 101), (2, 111), (3, 95), (4, 95), (5, 10), (6, 10)] {
        instance.counts("users", count);
        told.extend(instance.told(now() + days(day)).into_iter().map(|code| (day, code)));
    }
    let expected = [
        (0, "threshold-exceeded"),
        (1, "limit-passed"),
        (2, "restricted"),
        (4, "restricted over"),
        (6, "threshold-exceeded over"),
    ];
    assert_eq!(told, expected.map(|(day, code)| (day, code.to_owned())));
}

#[test]
fn a6_a_limit_that_refuses_more_is_told_when_it_is_reached() {
    let mut instance = limited(json!({"dimension": "channels", "max": 10, "behaviour": "refuse"}));
    instance.counts("channels", 10);
    assert_eq!(instance.told(now()), ["limit-reached"]);
    let mut instance = limited(json!({"dimension": "channels", "max": 10}));
    instance.counts("channels", 11);
    assert_eq!(instance.told(now()), ["limit-exceeded"]);
}

#[test]
fn a_larger_license_is_the_end_of_a_passed_limit_at_once() {
    let mut instance = limited(json!({"dimension": "users", "max": 100}));
    instance.counts("users", 120);
    assert_eq!(instance.told(now()), ["limit-exceeded"]);
    let larger = json!({"issued": "2026-06-02T00:00:00Z", "limits": [{"dimension": "users", "max": 200}]});
    instance.licenses.push(license("M", larger));
    assert_eq!(instance.told(now() + days(1)), ["limit-exceeded over"]);
}

#[test]
fn while_no_license_governs_a_passed_limit_is_neither_over_nor_told_again() {
    let limits = json!([{"dimension": "users", "max": 100}]);
    let mut instance = Instance::with(vec![license("L", json!({"limits": limits, "expires": "2026-06-03T00:00:00Z"}))]);
    instance.reminders.expiry_days = Vec::new();
    instance.counts("users", 120);
    assert_eq!(instance.told(now()), ["limit-exceeded"]);
    assert_eq!(instance.told(now() + days(5)), ["expired"]);
    assert_eq!(instance.told(now() + days(6)), [""; 0]);
}

#[test]
fn s4_a_threshold_that_is_moved_over_the_count_is_no_end_and_one_that_comes_nearer_is_told() {
    let mut instance = limited(json!({"dimension": "users", "max": 100}));
    instance.counts("users", 85);
    instance.reminders.thresholds.insert(Dimension::users(), 80);
    assert_eq!(instance.told(now()), ["threshold-exceeded"]);
    instance.reminders.thresholds.insert(Dimension::users(), 95);
    assert_eq!(instance.told(now() + days(1)), [""; 0]);
    assert_eq!(instance.told(now() + days(2)), [""; 0], "it is forgotten, and not told to be over");
    instance.reminders.thresholds.insert(Dimension::users(), 80);
    assert_eq!(instance.told(now() + days(3)), ["threshold-exceeded"]);
}

#[test]
fn a_cluster_that_runs_all_its_licensed_nodes_is_in_order() {
    let mut instance = limited(json!({"dimension": "nodes", "max": 4}));
    instance.counts("nodes", 4);
    assert_eq!(instance.told(now()), [""; 0]);
    instance.reminders.thresholds.insert(Dimension::nodes(), 100);
    assert_eq!(instance.told(now()), ["threshold-exceeded"]);
}

#[test]
fn what_may_pass_by_itself_is_told_when_it_has_lasted() {
    let (mut memory, minutes) = (Memory::default(), SignedDuration::from_mins);
    let failing = state(Topic::Reporting, Course::At(Step::Holds), 1800);
    let well = state(Topic::Reporting, Course::Well, 0);
    let mut tell = |state, minute| memory.take(std::slice::from_ref(state), now() + minutes(minute)).len();
    assert_eq!([0, 20, 29].map(|minute| tell(&failing, minute)), [0; 3]);
    assert_eq!(tell(&well, 29), 0, "it has passed by itself");
    assert_eq!([30, 59].map(|minute| tell(&failing, minute)), [0; 2]);
    assert_eq!([60, 61].map(|minute| tell(&failing, minute)), [1, 0]);
    assert_eq!([100, 159, 160, 161].map(|minute| tell(&well, minute)), [0, 0, 1, 0]);
}

#[test]
fn a_clock_that_went_back_ends_no_wait_early_and_none_never() {
    let mut memory = Memory::default();
    let passed = [state(Topic::Limit, Course::At(Step::Passed), 0)];
    let well = [state(Topic::Limit, Course::Well, 0)];
    assert_eq!(memory.take(&passed, now()).len(), 1);
    assert_eq!(memory.take(&well, now() + days(400)).len(), 0);
    assert_eq!(memory.take(&well, now()).len(), 0);
    assert_eq!(memory.take(&well, now() + SETTLE_COUNT).len(), 1);
}

#[test]
fn the_memory_is_bounded() {
    let mut memory = Memory::default();
    for index in 0..2 * MAX_REMEMBERED {
        let mut state = state(Topic::Limit, Course::At(Step::Passed), 0);
        state.subject.of = format!("dimension-{index}");
        assert_eq!(memory.take(&[state], now()).len(), 1);
    }
    assert_eq!(memory.len(), MAX_REMEMBERED);
}

#[test]
fn a_step_has_one_name_in_documents() {
    let names = ["days-30", "in-grace", "ended", "not-covered", "threshold-75", "passed", "full", "over", "restricted"];
    for name in names.iter().chain(&["holds", "stopped"]) {
        let step: Step = serde_json::from_value(json!(name)).expect("a step");
        assert_eq!(serde_json::to_value(step).expect("JSON"), json!(name));
    }
    for bad in ["", "days-", "days-x", "threshold-256", "Ended"] {
        assert!(serde_json::from_value::<Step>(json!(bad)).is_err(), "{bad}");
    }
}
