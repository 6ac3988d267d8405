//! The JSON of each document, and one sealed: a change of the wire format is seen here before it is published.

use seatline_protocol::seal::{Document, open, seal, seal_introducing};
use seatline_protocol::{
    Continuity, Digest, ExchangeRequest, ExchangeResponse, Invite, Join, License, Observed, PseudonymKey, Receipt,
    Refusal, Removal, Repeat, Report, Rotation, SecretKey, Sequence, Settings, Standing, Wait, Welcome, standing,
};
use serde_json::json;

/// Reads a document from the JSON in which every field is there, checks it, and gives the JSON that it becomes.
fn wire<T: Document + PartialEq + std::fmt::Debug>(full: serde_json::Value) -> String {
    let document: T = serde_json::from_value(full).expect("a document");
    assert_eq!(document.check(), Ok(()));
    let text = serde_json::to_string_pretty(&document).expect("JSON");
    assert_eq!(serde_json::from_str::<T>(&text).expect("it is read again"), document);
    text
}

fn product() -> serde_json::Value {
    json!({"id": "acme-wiki", "name": "Acme Wiki", "version": "7.1.2", "edition": "community",
           "server_id": "B7K2-9QXM-0000-0000-0000", "staging": true, "nodes": [{"id": "node-1", "version": "7.1.2"}]})
}

fn license() -> serde_json::Value {
    json!({
        "id": "L-1", "product": "acme-mail", "edition": "paid", "kind": "commercial", "licensee": "Example Ltd",
        "limits": [
            {"dimension": "users", "max": 500, "extra": 25, "counting": "first-sign-in", "behaviour": "restrict"},
            {"dimension": "channels"},
        ],
        "features": ["sso", "audit"], "issued": "2026-01-01T00:00:00Z", "not_before": "2026-01-02T00:00:00Z",
        "expires": "2027-01-01T00:00:00Z", "grace_days": 14, "maintenance_until": "2026-12-01T00:00:00Z",
        "servers": ["B7K2-9QXM-0000-0000-0000"], "mode": "node", "add_on_of": "acme-wiki", "replaces": ["L-0"],
        "critical": ["limits"], "a_field_of_the_future": {"kept": true},
    })
}

fn a_standing() -> Standing {
    let mail: License = serde_json::from_value(license()).expect("a license");
    let wiki = json!({"id": "W-1", "product": "acme-wiki", "kind": "evaluation", "licensee": "Example Ltd",
                      "issued": "2026-01-01T00:00:00Z", "limits": [{"dimension": "users", "max": 100}]});
    let server_id = "B7K2-9QXM-0000-0000-0000".parse().expect("a server ID");
    let observed = Observed {
        counts: [(seatline_protocol::Dimension::users(), 101)].into(),
        ..Observed::new("acme-wiki".parse().expect("a product id"), server_id)
    };
    let licenses = [mail, serde_json::from_value(wiki).expect("a license")];
    standing(&licenses, &observed, "2026-06-01T00:00:00Z".parse().expect("a time"))
}

#[test]
fn c1_the_json_of_a_license() {
    let json = wire::<License>(license());
    insta::assert_snapshot!(json);
}

#[test]
fn w3_the_json_of_an_invite() {
    let json = wire::<Invite>(json!({
        "central_url": "https://licenses.example.org", "central_name": "Licenses", "secret": "A".repeat(43),
        "issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:30:00Z", "application": "Wiki",
        "return_url": "https://licenses.example.org/applications/AAAA",
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn w3_the_json_of_a_join() {
    let json = wire::<Join>(json!({
        "secret": "A".repeat(43), "issued_at": "2026-01-01T00:00:00Z", "product": product(),
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn w3_the_json_of_a_welcome() {
    for (name, state) in
        [("pending", json!("pending")), ("approved", json!({"approved": {"pseudonym_key": "A".repeat(43)}}))]
    {
        let welcome = json!({"key": SecretKey::from_seed(&[7; 32]).public().id(), "link": "B7K2-9QXM-0000-0000-0000-0000", "application": "Wiki",
                             "issued_at": "2026-01-01T00:00:00Z", "state": state});
        let json = wire::<Welcome>(welcome);
        insta::assert_snapshot!(format!("w3_the_json_of_a_welcome_{name}"), json);
    }
}

#[test]
fn w4_the_json_of_settings() {
    let json = wire::<Settings>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "revision": 3, "issued_at": "2026-01-01T00:00:00Z",
        "interval": 3600, "dormancy_days": 90, "counting": "account", "demanded_at": "2026-01-01T00:00:00Z",
        "replace_key": SecretKey::from_seed(&[7; 32]).public().id(), "takes_repeats": true,
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b1_the_json_of_a_report() {
    let json = wire::<Report>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "sequence": 2, "previous": format!("sha256:{}", "0".repeat(64)),
        "observed_at": "2026-01-01T00:00:00Z", "trigger": "interval",
        "reporter": {"host": "0.1.0", "plugin": {"name": "license-visibility", "version": "1.0.0",
                     "digest": format!("sha256:{}", "1".repeat(64)), "granted": ["accounts", "usage"]}},
        "product": product(),
        "outcome": {"collected": {
            "accounts": {"total": 6, "counted": 2, "deactivated": 1, "no_access": 1, "never_signed_in": 1,
                         "service_accounts": 1, "dormant": 2, "dormancy_days": 90, "counting": "first-sign-in"},
            "measurements": [{"dimension": "channels", "value": 3}, {"dimension": "workers", "failed": "no answer"}],
            "standing": a_standing(), "people": "AQID", "people_key": "0".repeat(32),
            "omissions": [{"subject": "usage", "reason": "not granted"}], "notes": ["a note"],
        }},
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b1_the_json_of_a_report_of_a_failure() {
    let json = wire::<Report>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "sequence": 1, "observed_at": "2026-01-01T00:00:00Z",
        "trigger": "start", "reporter": {"host": "0.1.0"}, "product": product(),
        "outcome": {"failed": {"code": "plugin-deadline", "message": "The plugin took longer than 30 seconds."}},
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b9_the_json_of_a_pseudonym_key() {
    let json = wire::<PseudonymKey>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "key": "A".repeat(43), "made_at": "2026-01-01T00:00:00Z",
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b1_the_json_of_a_repeat() {
    let json = wire::<Repeat>(json!({
        "repeats": {"sequence": 2, "digest": format!("sha256:{}", "0".repeat(64))},
        "link": "B7K2-9QXM-0000-0000-0000-0000", "sequence": 4, "previous": format!("sha256:{}", "1".repeat(64)),
        "observed_at": "2026-01-01T00:00:00Z", "trigger": "interval",
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b2_the_json_of_a_receipt() {
    let json = wire::<Receipt>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "sequence": 2, "report": format!("sha256:{}", "0".repeat(64)),
        "received_at": "2026-01-01T00:00:00Z", "verdict": "after-gap",
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn b4_the_json_of_a_statement_of_continuity() {
    let json = wire::<Continuity>(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "previous": "B7K2-9QXM-0000-0000-0000",
        "present": "C7K2-9QXM-0000-0000-0000", "changed_at": "2026-01-01T00:00:00Z",
        "changed": ["policy", "staging", "host", "port", "database", "schema", "path", "birth-mark"],
        "staging": true, "answer": "moved",
    }));
    insta::assert_snapshot!(json);
}

#[test]
fn g4_the_json_of_an_exchange() {
    let request = ExchangeRequest {
        join: Some("v4.public.…".to_owned()),
        reports: vec!["v4.public.…".to_owned()],
        continuity: vec!["v4.public.…".to_owned()],
        rotation: Some("v4.public.…".to_owned()),
    };
    let response = ExchangeResponse {
        welcome: Some("v4.public.…".to_owned()),
        settings: Some("v4.public.…".to_owned()),
        pseudonym_key: Some("v4.public.…".to_owned()),
        receipts: vec!["v4.public.…".to_owned()],
        noted: vec![Digest::of(b"")],
        removal: Some("v4.public.…".to_owned()),
        refusals: vec![Refusal::new("report", Some(1), "fork", "Another report has its place.")],
    };
    let json = serde_json::to_string_pretty(&(request, response)).expect("JSON");
    insta::assert_snapshot!(json);
    let nothing: (ExchangeRequest, ExchangeResponse) = serde_json::from_str("[{}, {}]").expect("empty objects");
    assert_eq!(serde_json::to_string(&nothing).expect("JSON"), "[{},{}]");
}

#[test]
fn the_bytes_of_a_sealed_document() {
    let key = SecretKey::from_seed(&[7; 32]);
    let settings: Settings = serde_json::from_value(json!({
        "link": "B7K2-9QXM-0000-0000-0000-0000", "revision": 3, "issued_at": "2026-01-01T00:00:00Z",
        "interval": 3600, "dormancy_days": 90, "counting": "account",
    }))
    .expect("settings");
    let sealed = seal(&settings, &key).expect("sealed");
    let introducing = seal_introducing(&settings, &key).expect("sealed");
    let tokens = format!("{sealed}\n\n{introducing}");
    insta::assert_snapshot!(tokens);
}

#[test]
fn the_json_of_a_rotation_a_wait_and_a_removal() {
    let (old, new) = (SecretKey::from_seed(&[7; 32]), SecretKey::from_seed(&[8; 32]));
    let link = "B7K2-9QXM-0000-0000-0000-0000".parse().expect("a link id");
    let at = "2026-01-01T00:00:00Z".parse().expect("a time");
    let sealed = Rotation::sealed(&link, Sequence::FIRST, &old, &new, at).expect("sealed");
    let rotation: Rotation = open(&sealed, &[old.public()]).expect("opened");
    let wait = wire::<Wait>(json!({"link": link, "revision": 3, "seconds": 50, "issued_at": at}));
    let removal = wire::<Removal>(json!({"link": link, "removed_at": at}));
    let rotation = wire::<Rotation>(serde_json::to_value(rotation).expect("JSON"));
    insta::assert_snapshot!(format!("{rotation}\n{wait}\n{removal}"));
}
