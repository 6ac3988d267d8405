//! The rules of a license.

use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::seal::Document as _;
use seatline_protocol::{License, Limit, ServerId};
use serde_json::{Value, json};

fn json_with(field: &str, value: Value) -> Value {
    let mut license = json!({
        "id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
        "issued": "2026-01-01T00:00:00Z",
    });
    license[field] = value;
    license
}

fn license_with(field: &str, value: Value) -> License {
    serde_json::from_value(json_with(field, value)).expect("a license")
}

#[test]
fn a_license_needs_very_little() {
    let license = license_with("kind", json!("community"));
    assert_eq!(license.check(), Ok(()));
    assert_eq!(license.begins(), license.issued);
    assert_eq!((license.grace_ends(), license.expires), (None, None), "it is perpetual");
}

#[test]
fn an_unknown_field_is_tolerated_unless_the_vendor_calls_it_critical() {
    let mut license = license_with("region", json!({"only": ["EU"]}));
    assert_eq!(license.check(), Ok(()));
    license.critical.push("region".to_owned());
    assert_eq!(
        license.check(),
        Err("it demands that `region` is understood, and this version does not know it: upgrade".to_owned())
    );
    license.critical = vec!["limits".to_owned()];
    assert_eq!(license.check(), Ok(()), "what is known may be called critical");
}

#[test]
fn a_license_that_breaks_a_rule_is_refused_with_it() {
    let limit = |max: u64, extra: u64| json!([{"dimension": "users", "max": max, "extra": extra}]);
    let limits = |count: usize| (0..count).map(|n| json!({"dimension": format!("d{n}")})).collect::<Value>();
    let names = |count: usize| (0..count).map(|n| json!(format!("n{n}"))).collect::<Value>();
    let servers = |count: u16| {
        let id = |n: u16| ServerId::from_random(std::array::from_fn(|at| n.to_le_bytes()[at % 2]));
        (0..count).map(|n| json!(id(n))).collect::<Value>()
    };
    let prerequisites = |count: usize| vec![json!({"name": "Acme Search", "cost": "paid"}); count].into();
    let broken = [
        ("licensee", json!("")),
        ("licensee", json!("two\nlines")),
        ("licensee", json!("\u{202e}evil")),
        ("licensee", json!("x".repeat(201))),
        ("edition", json!("")),
        ("features", json!([""])),
        ("features", json!(["föö"])),
        ("features", json!(["x".repeat(65)])),
        ("features", names(257)),
        ("limits", json!([{"dimension": "users"}, {"dimension": "users", "max": 1}])),
        ("limits", limit(MAX_COUNT + 1, 0)),
        ("limits", limit(0, MAX_COUNT + 1)),
        ("limits", limit(u64::MAX, u64::MAX)),
        ("limits", limits(65)),
        ("replaces", names(257)),
        ("critical", names(257)),
        ("servers", servers(257)),
        ("prerequisites", prerequisites(17)),
        ("grace_days", json!(3651)),
        ("expires", json!("2026-01-01T00:00:00Z")),
        ("expires", json!("2025-01-01T00:00:00Z")),
        ("add_on_of", json!("acme-wiki")),
    ];
    for (field, value) in broken {
        assert!(license_with(field, value.clone()).check().is_err(), "{field}: {value}");
    }
    let whole = [
        ("licensee", json!("x".repeat(200))),
        ("features", names(256)),
        ("features", json!(["Single sign-on"])),
        ("limits", limit(MAX_COUNT, MAX_COUNT)),
        ("limits", limits(64)),
        ("replaces", names(256)),
        ("servers", servers(256)),
        ("prerequisites", prerequisites(16)),
        ("grace_days", json!(3650)),
        ("expires", json!("2026-01-01T00:00:01Z")),
    ];
    for (field, value) in whole {
        assert_eq!(license_with(field, value.clone()).check(), Ok(()), "{field}: {value}");
    }
}

#[test]
fn a_field_of_a_wrong_form_is_no_license() {
    let wrong = [
        ("id", json!("")),
        ("id", json!("a b")),
        ("product", json!("Acme Wiki")),
        ("kind", json!("pirated")),
        ("issued", json!("yesterday")),
        ("issued", json!(1_767_225_600)),
        ("expires", json!("2026-13-01T00:00:00Z")),
        ("servers", json!(["AAAA"])),
        ("mode", json!("cluster")),
        ("grace_days", json!(-1)),
        ("limits", json!([{"dimension": "users", "max": -1}])),
        ("limits", json!([{"dimension": "users", "max": 1.5}])),
        ("limits", json!([{"dimension": "users", "max": 1e30}])),
        ("limits", json!([{"dimension": "users", "behaviour": "explode"}])),
    ];
    for (field, value) in wrong {
        assert!(serde_json::from_value::<License>(json_with(field, value.clone())).is_err(), "{field}: {value}");
    }
    let twice = r#"{"id": "L-1", "id": "L-2", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
                    "issued": "2026-01-01T00:00:00Z"}"#;
    assert!(serde_json::from_str::<License>(twice).is_err(), "a field that is there twice says two things");
}

#[test]
fn the_days_of_grace_follow_the_expiry_up_to_the_end_of_time() {
    let mut license = license_with("expires", json!("2026-12-31T00:00:00Z"));
    license.grace_days = 14;
    assert_eq!(license.grace_ends().map(|at| at.to_string()).as_deref(), Some("2027-01-14T00:00:00Z"));
    license.expires = Some(jiff::Timestamp::MAX);
    assert_eq!(license.grace_ends(), Some(jiff::Timestamp::MAX));
}

#[test]
fn a_limit_is_found_by_its_dimension() {
    let license = license_with("limits", json!([{"dimension": "users", "max": 5}, {"dimension": "nodes"}]));
    let max = |name: &str| license.limit(&name.parse().expect("a dimension")).map(|limit: &Limit| limit.max);
    assert_eq!((max("users"), max("nodes"), max("channels")), (Some(Some(5)), Some(None), None));
}
