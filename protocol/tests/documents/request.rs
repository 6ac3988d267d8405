//! The request for a license (`s10`): what a vendor's tool opens from strangers.

use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::request::{MAX_BYTES, MAX_COUNTS, MAX_PREVIOUS};
use seatline_protocol::{License, LicenseRequest, Observed, standing};
use serde_json::{Value, json};

fn many(count: usize, of: impl Fn(usize) -> Value) -> Value {
    Value::Array((0..count).map(of).collect())
}

fn request() -> Value {
    json!({
        "format": "seatline-license-request", "version": 1, "made_at": "2026-06-01T12:00:00Z",
        "product": {"id": "acme-wiki", "name": "Acme Wiki", "version": "4.2.0", "edition": "enterprise",
                    "server_id": "AAAA-AAAA-AAAA-AAAA-AAAA",
                    "nodes": [{"id": "node-1", "version": "4.2.0"}, {"id": "node-2", "version": "4.1.0"}]},
        "previous_servers": ["BBBB-BBBB-BBBB-BBBB-BBBB"],
        "counts": {"users": 1512, "nodes": 2}, "counted_at": "2026-06-01T06:00:00Z",
        "peaks": {"users": {"count": 1620, "at": "2026-04-01T06:00:00Z"}}, "peaks_since": "2026-01-01T00:00:00Z",
        "verdict": "attention",
        "replaces": {"id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
                     "limits": [{"dimension": "users", "max": 1500}, {"dimension": "pages"}], "features": ["sso"],
                     "begins": "2026-01-01T00:00:00Z", "expires": "2026-06-15T00:00:00Z",
                     "maintenance_until": "2026-06-15T00:00:00Z", "status": "active"},
        "wish": "2,000 users, please"
    })
}

fn read(request: &Value) -> Result<LicenseRequest, String> {
    LicenseRequest::read(request.to_string().as_bytes()).map_err(|error| format!("{}: {error}", error.code()))
}

#[test]
fn s10_a_request_reads_as_a_mail() {
    let text = read(&request()).expect("a request").to_text();
    insta::assert_snapshot!(text);
    let first = json!({
        "format": "seatline-license-request", "version": 1, "made_at": "2026-06-01T12:00:00Z", "verdict": "unlicensed",
        "product": {"id": "acme-wiki", "name": "Acme Wiki", "version": "4.2.0", "staging": true,
                    "server_id": "AAAA-AAAA-AAAA-AAAA-AAAA",
                    "nodes": many(22, |n| json!({"id": format!("n{n}"), "version": ""}))},
        "add_on": "acme-mail"
    });
    insta::assert_snapshot!(read(&first).expect("a request").to_text());
}

#[test]
fn s10_what_is_no_request_is_refused_with_its_reason() {
    let newer = json!({"format": "seatline-license-request", "version": 2, "product": []});
    assert_eq!(
        read(&newer),
        Err("newer-request: the request has the format version 2, and this version of Seatline reads up to 1: upgrade"
            .to_owned())
    );
    for other in [json!({"format": "something-else", "version": 1}), json!([]), json!("x"), json!({"version": 1})] {
        assert!(read(&other).expect_err("no request").starts_with("not-a-request: "), "{other}");
    }
    let code = |bytes: &[u8]| LicenseRequest::read(bytes).expect_err("no request").code();
    assert_eq!(code(b""), "not-a-request");
    assert_eq!(code(&[0xff; 100]), "not-a-request");
    assert_eq!(code("[".repeat(MAX_BYTES).as_bytes()), "not-a-request", "as deep as it is long");
    assert_eq!(code(" ".repeat(MAX_BYTES + 1).as_bytes()), "too-large");
}

#[test]
fn s10_a_request_from_a_stranger_is_bounded_in_every_part() {
    let with = |place: &str, value: Value| {
        let mut request = request();
        let (parent, field) = place.rsplit_once('/').expect("a place");
        request.pointer_mut(parent).expect("the parent")[field] = value;
        read(&request).map(drop)
    };
    let dimensions =
        |count: usize, value: Value| Value::Object((0..count).map(|n| (format!("d{n}"), value.clone())).collect());
    let peak = |count: u64| json!({"count": count, "at": "2026-04-01T06:00:00Z"});
    for (place, good, bad) in [
        ("/version", json!(1), json!(0)),
        ("/made_at", json!("2026-06-01T12:00:00Z"), json!("yesterday")),
        ("/product/name", json!("x"), json!("\u{1b}[2J")),
        ("/product/nodes", json!([]), many(257, |n| json!({"id": n.to_string(), "version": ""}))),
        ("/add_on", Value::Null, json!("acme-wiki")),
        (
            "/previous_servers",
            many(MAX_PREVIOUS, |_| json!("AAAA-AAAA-AAAA-AAAA-AAAA")),
            many(MAX_PREVIOUS + 1, |_| json!("AAAA-AAAA-AAAA-AAAA-AAAA")),
        ),
        ("/counts", dimensions(MAX_COUNTS, json!(1)), dimensions(MAX_COUNTS + 1, json!(1))),
        ("/counts", dimensions(1, json!(MAX_COUNT)), dimensions(1, json!(MAX_COUNT + 1))),
        ("/peaks", dimensions(MAX_COUNTS, peak(1)), dimensions(MAX_COUNTS + 1, peak(1))),
        ("/peaks", dimensions(1, peak(MAX_COUNT)), dimensions(1, peak(MAX_COUNT + 1))),
        ("/verdict", json!("licensed"), json!("fine")),
        ("/replaces", Value::Null, json!({})),
        ("/replaces/licensee", json!("x"), json!("x".repeat(201))),
        ("/replaces/product", json!("acme-wiki"), json!("acme-mail")),
        ("/wish", json!("x".repeat(400)), json!("x".repeat(401))),
        ("/wish", Value::Null, json!("two\nlines")),
        ("/wish", Value::Null, json!("")),
    ] {
        assert_eq!(with(place, good), Ok(()), "{place}");
        let error = with(place, bad.clone()).expect_err(place);
        assert!(error.starts_with("invalid-request: "), "{place}: {error}");
    }
    let mut later = request();
    later["hint"] = json!("of a later version that changes nothing else");
    assert_eq!(read(&later).map(|request| request.version), Ok(1));
}

#[test]
fn s10_a_request_names_the_license_that_it_replaces_with_its_state() {
    let license = |id: &str, extra: Value| {
        let mut license = json!({"id": id, "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
                                 "issued": "2026-01-01T00:00:00Z"});
        license.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        serde_json::from_value::<License>(license).expect("a license")
    };
    let mail = json!({"product": "acme-mail", "add_on_of": "acme-wiki", "expires": "2026-02-01T00:00:00Z"});
    let licenses = [
        license("L-1", json!({"expires": "2026-05-01T00:00:00Z"})),
        license("L-2", json!({"issued": "2026-03-01T00:00:00Z", "servers": ["BBBB-BBBB-BBBB-BBBB-BBBB"]})),
        license("L-3", json!({"not_before": "2026-12-01T00:00:00Z"})),
        license("A-1", mail),
    ];
    let product = read(&request()).expect("a request").product;
    let now = "2026-06-01T12:00:00Z".parse().expect("a time");
    let ask = |licenses: &[License], add_on: Option<&str>| {
        let observed = Observed::new(product.id.clone(), product.server_id.clone());
        let add_on = add_on.map(|id| id.parse().expect("a product"));
        let request = LicenseRequest::new(product.clone(), add_on, &standing(licenses, &observed, now), now);
        let json = serde_json::to_vec(&request).expect("JSON");
        assert_eq!(LicenseRequest::read(&json).as_ref(), Ok(&request), "it can be read back");
        let replaces = request.replaces.map(|license| format!("{} {}", license.id, license.status.name()));
        (replaces, request.verdict.name())
    };
    let in_force = [&licenses[..], &[license("L-0", json!({}))]].concat();
    assert_eq!(ask(&in_force, None), (Some("L-0 active".to_owned()), "attention"));
    assert_eq!(ask(&licenses, None), (Some("L-2 not-applicable".to_owned()), "unlicensed"), "the latest that was");
    assert_eq!(ask(&licenses, Some("acme-mail")), (Some("A-1 expired".to_owned()), "unlicensed"));
    assert_eq!(ask(&licenses, Some("acme-chat")), (None, "unlicensed"));
    assert_eq!(ask(&licenses[2..3], None), (None, "unlicensed"), "what comes is no reason to ask");
}
