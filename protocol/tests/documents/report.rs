//! The rules of a report and a join.

use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::report::{MAX_MEASUREMENTS, MAX_NODES, MAX_REMARKS, MAX_SKETCH_BYTES};
use seatline_protocol::seal::Document as _;
use seatline_protocol::{AccountCounts, Counting, Join, Report};
use serde_json::{Value, json};

/// A report in which one place is another, named by a JSON pointer.
fn report_with(place: &str, value: Value) -> Result<(), String> {
    let mut report = json!({
        "link": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "sequence": 1, "observed_at": "2026-01-01T00:00:00Z",
        "trigger": "interval",
        "reporter": {"host": "0.1.0", "plugin": {"name": "license-visibility", "version": "1.0.0",
                     "digest": format!("sha256:{}", "0".repeat(64))}},
        "product": {"id": "acme-wiki", "name": "Acme Wiki", "version": "7.1", "edition": "community",
                    "server_id": "AAAA-AAAA-AAAA-AAAA-AAAA", "nodes": [{"id": "n1", "version": "7.1"}]},
        "outcome": {"collected": {
            "accounts": {"total": 6, "counted": 2, "deactivated": 1, "no_access": 1, "never_signed_in": 1,
                         "service_accounts": 1, "dormant": 2, "dormancy_days": 90, "counting": "first-sign-in"},
            "measurements": [{"dimension": "channels", "value": 3}, {"dimension": "workers", "failed": "no answer"}],
            "people": "", "omissions": [{"subject": "usage", "reason": "locked"}], "notes": ["a note"],
            "standing": {"verdict": "unlicensed", "reasons": [], "licenses": [], "limits": [], "features": []},
        }},
    });
    let (parent, field) = place.rsplit_once('/').expect("a pointer");
    match report.pointer_mut(parent).expect("a place of a report") {
        Value::Array(items) => items[field.parse::<usize>().expect("an index")] = value,
        parent => parent[field] = value,
    }
    let report: Report = serde_json::from_value(report).map_err(|error| format!("no report: {error}"))?;
    report.check()
}

fn many(count: usize, item: impl Fn(usize) -> Value) -> Value {
    (0..count).map(item).collect()
}

#[test]
fn a_report_holds_to_its_rules_at_their_very_ends() {
    let collected = "/outcome/collected";
    let bytes = |count: usize| {
        use base64::Engine as _;
        json!(base64::engine::general_purpose::STANDARD.encode(vec![0; count]))
    };
    let node = |n: usize| json!({"id": format!("n{n}"), "version": ""});
    let measured = |n: usize| json!({"dimension": format!("d{n}"), "value": MAX_COUNT});
    let omission = |_| json!({"subject": "x".repeat(64), "reason": "x".repeat(200)});
    let capability = |n: usize| json!(format!("c{n}"));
    let failed = |length| json!({"failed": {"code": "plugin-trap", "message": "x".repeat(length)}});
    for (place, good, bad) in [
        ("/trigger".to_owned(), json!("demand"), json!("whim")),
        ("/reporter/host".to_owned(), json!("x".repeat(64)), json!("x".repeat(65))),
        ("/reporter/plugin/name".to_owned(), json!(""), json!("a\u{7}")),
        ("/reporter/plugin/version".to_owned(), json!("1"), json!("1\n2")),
        ("/reporter/plugin/granted".to_owned(), many(32, capability), many(33, capability)),
        ("/reporter/plugin/granted".to_owned(), json!(["x".repeat(64)]), json!(["x".repeat(65)])),
        ("/reporter/plugin/granted".to_owned(), json!([]), json!(["a\u{7}"])),
        ("/product/name".to_owned(), json!("x".repeat(200)), json!("x".repeat(201))),
        ("/product/version".to_owned(), json!("x".repeat(64)), json!("x".repeat(65))),
        ("/product/edition".to_owned(), Value::Null, json!("\u{200b}")),
        ("/product/nodes".to_owned(), many(MAX_NODES, node), many(MAX_NODES + 1, node)),
        ("/product/nodes/0/id".to_owned(), json!("x"), json!(" x")),
        ("/product/nodes/0/version".to_owned(), json!("x"), json!("x".repeat(65))),
        (format!("{collected}/measurements"), many(MAX_MEASUREMENTS, measured), many(MAX_MEASUREMENTS + 1, measured)),
        (format!("{collected}/measurements/0/dimension"), json!("user"), json!("users")),
        (format!("{collected}/measurements/0/dimension"), json!("nodes"), json!("workers")),
        (format!("{collected}/measurements/0/value"), json!(MAX_COUNT), json!(MAX_COUNT + 1)),
        (format!("{collected}/measurements/0/value"), json!(0), json!(u64::MAX)),
        (format!("{collected}/measurements/1/failed"), json!("x".repeat(200)), json!("x".repeat(201))),
        (format!("{collected}/people"), bytes(MAX_SKETCH_BYTES), bytes(MAX_SKETCH_BYTES + 1)),
        (format!("{collected}/people"), json!("AA=="), json!("A*")),
        (format!("{collected}/omissions"), many(MAX_REMARKS, omission), many(MAX_REMARKS + 1, omission)),
        (format!("{collected}/omissions/0/subject"), json!("x"), json!("x".repeat(65))),
        (format!("{collected}/notes"), many(MAX_REMARKS, |_| json!("")), many(MAX_REMARKS + 1, |_| json!(""))),
        (format!("{collected}/notes/0"), json!("x".repeat(200)), json!("\u{1b}[31m")),
        (format!("{collected}/accounts/dormant"), json!(0), json!(3)),
        (format!("{collected}/accounts/total"), json!(6), json!(7)),
        (format!("{collected}/standing/features"), json!(["sso"]), json!(["x".repeat(65)])),
        ("/outcome".to_owned(), failed(400), failed(401)),
    ] {
        assert_eq!(report_with(&place, good.clone()), Ok(()), "{place}");
        assert!(report_with(&place, bad).is_err(), "{place}");
    }
}

#[test]
fn b1_every_report_but_the_first_names_the_one_before() {
    let digest = json!(format!("sha256:{}", "0".repeat(64)));
    assert!(report_with("/previous", digest).is_err(), "the first has none before it");
    assert!(report_with("/sequence", json!(2)).is_err(), "the second has one");
    for outside in [json!(0), json!(MAX_COUNT + 1), json!(-1), json!(1.5)] {
        assert!(report_with("/sequence", outside.clone()).is_err(), "{outside}");
    }
}

#[test]
fn b7_the_classes_of_accounts_add_up() {
    let counts = |total, counted, deactivated, dormant| AccountCounts {
        total,
        counted,
        deactivated,
        no_access: 0,
        never_signed_in: 0,
        service_accounts: 0,
        dormant,
        dormancy_days: 90,
        counting: Counting::Account,
    };
    assert!(counts(0, 0, 0, 0).adds_up() && counts(3, 2, 1, 2).adds_up());
    assert!(!counts(3, 2, 2, 0).adds_up() && !counts(3, 2, 1, 3).adds_up());
    assert!(!counts(1, u64::MAX, 2, 0).adds_up(), "a sum that overflows adds up to nothing");

    let beyond = json!({"total": MAX_COUNT + 1, "counted": MAX_COUNT + 1, "deactivated": 0, "no_access": 0,
                        "never_signed_in": 0, "service_accounts": 0, "dormant": 0, "dormancy_days": 90,
                        "counting": "account"});
    assert!(report_with("/outcome/collected/accounts", beyond).is_err(), "SQL's bigint has an end");
}

#[test]
fn a_standing_from_outside_is_bounded_in_every_part() {
    let place = "/outcome/collected/standing";
    let license = json!({"id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
                         "limits": [], "features": [], "begins": "2026-01-01T00:00:00Z", "status": "active"});
    let reason = json!({"code": "expired", "message": "It expired."});
    let limit = json!({"dimension": "users", "extra": 0, "state": "within", "behaviour": "warn"});
    let node = json!({"id": "node-1"});
    let add_on = json!({"product": "acme-mail", "verdict": "licensed"});
    let needed = json!({"name": "Example Base", "cost": "paid"});
    let standing = |field: &str, value: Value| {
        let mut standing = json!({"verdict": "licensed", "reasons": [], "licenses": [], "limits": [], "features": []});
        standing[field] = value;
        standing
    };
    let with = |item: &Value, field: &str, value: Value| {
        let mut item = item.clone();
        item[field] = value;
        json!([item])
    };
    let facts = |max: u64| json!([{"dimension": "users", "max": max}]);
    let names = |count: usize| many(count, |n| json!(format!("f{n}")));
    for (field, good, bad) in [
        ("reasons", many(64, |_| reason.clone()), many(65, |_| reason.clone())),
        ("reasons", with(&reason, "message", json!("x".repeat(400))), with(&reason, "message", json!("x".repeat(401)))),
        ("licenses", many(64, |_| license.clone()), many(65, |_| license.clone())),
        ("licenses", with(&license, "licensee", json!("x")), with(&license, "licensee", json!("x".repeat(201)))),
        ("licenses", with(&license, "edition", json!("x")), with(&license, "edition", json!("\u{202e}x"))),
        ("licenses", with(&license, "reason", json!("x")), with(&license, "reason", json!("x".repeat(401)))),
        ("licenses", with(&license, "features", names(256)), with(&license, "features", names(1025))),
        ("licenses", with(&license, "features", json!(["x"])), with(&license, "features", json!(["x".repeat(65)]))),
        ("licenses", with(&license, "limits", facts(MAX_COUNT)), with(&license, "limits", facts(MAX_COUNT + 1))),
        (
            "licenses",
            with(&license, "limits", json!([])),
            with(&license, "limits", many(65, |_| json!({"dimension": "a"}))),
        ),
        ("limits", many(65, |_| limit.clone()), many(66, |_| limit.clone())),
        ("limits", with(&limit, "max", json!(MAX_COUNT)), with(&limit, "max", json!(MAX_COUNT + 1))),
        ("limits", with(&limit, "extra", json!(MAX_COUNT)), with(&limit, "extra", json!(u64::MAX))),
        ("limits", with(&limit, "used", json!(MAX_COUNT)), with(&limit, "used", json!(MAX_COUNT + 1))),
        ("features", names(1024), names(1025)),
        ("nodes", many(256, |_| node.clone()), many(257, |_| node.clone())),
        ("nodes", with(&node, "id", json!("x".repeat(64))), with(&node, "id", json!("x".repeat(65)))),
        ("add_ons", many(64, |_| add_on.clone()), many(65, |_| add_on.clone())),
        (
            "add_ons",
            with(&add_on, "limits", many(65, |_| limit.clone())),
            with(&add_on, "limits", many(66, |_| limit.clone())),
        ),
        ("add_ons", with(&add_on, "nodes", json!([])), with(&add_on, "nodes", many(257, |_| node.clone()))),
        ("licenses", with(&license, "set_for", names(256)), with(&license, "set_for", names(257))),
        ("licenses", with(&license, "set_for", json!(["x"])), with(&license, "set_for", json!(["\n"]))),
        (
            "licenses",
            with(&license, "prerequisites", many(16, |_| needed.clone())),
            with(&license, "prerequisites", many(17, |_| needed.clone())),
        ),
        (
            "licenses",
            with(&license, "prerequisites", json!([needed])),
            with(&license, "prerequisites", with(&needed, "edition", json!("x".repeat(201)))),
        ),
    ] {
        assert_eq!(report_with(place, standing(field, good)), Ok(()), "{field}");
        assert!(report_with(place, standing(field, bad.clone())).is_err(), "{field}: {:.200}", bad.to_string());
    }
    let mut heavy = license.clone();
    heavy["licensee"] = json!("\u{10ffff}".repeat(200));
    heavy["edition"] = heavy["licensee"].clone();
    heavy["features"] = names(1024);
    let whole = report_with(place, standing("licenses", many(64, |_| heavy.clone())));
    assert_eq!(
        whole,
        Err("standing: at most 327680 bytes".to_owned()),
        "each part is in order, and all together are not"
    );
}

#[test]
fn a_join_says_no_more_of_a_product_than_a_report_may() {
    let join = |field: &str, value: Value| {
        let mut product = json!({"id": "acme-wiki", "name": "Acme Wiki", "version": "7.1",
                                 "server_id": "AAAA-AAAA-AAAA-AAAA-AAAA", "nodes": []});
        product[field] = value;
        let join = json!({"secret": "A".repeat(43), "issued_at": "2026-01-01T00:00:00Z", "product": product});
        serde_json::from_value::<Join>(join).expect("a join").check()
    };
    assert_eq!(join("name", json!("Acme Wiki")), Ok(()));
    assert!(join("name", json!("")).is_err(), "somebody must recognise it");
    assert!(join("version", json!("\u{1b}[2J")).is_err());
    assert!(join("edition", json!("x".repeat(201))).is_err());
    assert!(join("nodes", many(MAX_NODES + 1, |n| json!({"id": n.to_string(), "version": ""}))).is_err());
}
