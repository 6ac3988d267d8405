//! The largest documents that hold to their rules can be sealed, opened and sent.

use jiff::Timestamp;
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::{MAX_REPORTS, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};
use seatline_protocol::ids::{MAX_COUNT, Sequence};
use seatline_protocol::license::MAX_NAME;
use seatline_protocol::report::{
    Collected, MAX_GRANTED, MAX_LINE, MAX_MEASUREMENTS, MAX_NODES, MAX_REMARKS, MAX_SKETCH_BYTES, Measured, NodeFacts,
    Omission, PluginFacts, ProductFacts, Report, Reporter,
};
use seatline_protocol::seal::{Document, open, open_introduced, seal, seal_introducing};
use seatline_protocol::standing::{LicenseStanding, MAX_STANDING_BYTES};
use seatline_protocol::{
    AccountCounts, Continuity, Counting, Digest, Invite, Join, LinkId, Measurement, Outcome, Receipt, SecretKey,
    ServerId, Settings, Standing,
};

/// The longest text of `length` characters: four bytes each.
fn wide(length: usize) -> String {
    "\u{10FFFF}".repeat(length)
}

/// A late instant with all its digits.
fn late() -> Timestamp {
    Timestamp::MAX
}

fn product() -> ProductFacts {
    ProductFacts {
        id: "p".repeat(64).parse().expect("a product id"),
        name: wide(MAX_NAME),
        version: wide(64),
        edition: Some(wide(MAX_NAME)),
        server_id: ServerId::from_random([31; 20]),
        staging: true,
        nodes: vec![NodeFacts { id: wide(64), version: wide(64) }; MAX_NODES],
    }
}

/// A standing that fills its bound to the last byte that it can.
fn standing() -> Standing {
    let license = LicenseStanding {
        id: "L".parse().expect("a license id"),
        product: "acme-wiki".parse().expect("a product id"),
        add_on_of: None,
        edition: Some(wide(MAX_NAME)),
        kind: seatline_protocol::Kind::Commercial,
        licensee: wide(MAX_NAME),
        limits: Vec::new(),
        features: (0..100).map(|n| format!("{n:064}")).collect(),
        begins: late(),
        expires: Some(late()),
        grace_ends: Some(late()),
        maintenance_until: Some(late()),
        support: false,
        mode: seatline_protocol::Mode::Installation,
        set_for: Default::default(),
        prerequisites: Vec::new(),
        status: seatline_protocol::standing::Status::Expired,
        reason: Some("x".to_owned()),
    };
    let json = r#"{"verdict": "licensed", "reasons": [], "licenses": [], "limits": [], "features": []}"#;
    let mut standing: Standing = serde_json::from_str(json).expect("a standing");
    while standing.check().is_ok() {
        standing.licenses.push(license.clone());
    }
    standing.licenses.pop();
    let bytes = |standing: &Standing| serde_json::to_vec(standing).expect("JSON").len();
    assert!(bytes(&standing) + bytes(&standing) / standing.licenses.len() > MAX_STANDING_BYTES, "it is nearly full");
    standing
}

fn report() -> Report {
    let dimension = |n: usize| format!("d{n:063}").parse().expect("a dimension");
    let failed = |n| Measurement { dimension: dimension(n), value: Measured::Failed(wide(MAX_LINE)) };
    Report {
        link: LinkId::from_random([31; 24]),
        sequence: Sequence::try_from(Sequence::MAX).expect("a sequence number"),
        previous: Some(Digest::of(b"")),
        observed_at: late(),
        trigger: "interval".to_owned(),
        reporter: Reporter {
            host: wide(64),
            plugin: Some(PluginFacts {
                name: wide(64),
                version: wide(64),
                digest: Digest::of(b""),
                granted: Some((10..10 + MAX_GRANTED).map(|n| format!("{n}{}", wide(62))).collect()),
            }),
        },
        product: product(),
        outcome: Outcome::Collected(Box::new(Collected {
            accounts: Some(AccountCounts {
                total: MAX_COUNT,
                counted: MAX_COUNT,
                deactivated: 0,
                no_access: 0,
                never_signed_in: 0,
                service_accounts: 0,
                dormant: MAX_COUNT,
                dormancy_days: u32::MAX,
                counting: Counting::FirstSignIn,
            }),
            measurements: (0..MAX_MEASUREMENTS).map(failed).collect(),
            standing: Some(standing()),
            people: Some(vec![255; MAX_SKETCH_BYTES]),
            people_key: Some("f".repeat(32).parse().expect("a key id")),
            omissions: vec![Omission { subject: wide(64), reason: wide(MAX_LINE) }; MAX_REMARKS],
            notes: vec![wide(MAX_LINE); MAX_REMARKS],
        })),
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

fn sealed<T: Document + PartialEq + std::fmt::Debug>(document: &T) -> usize {
    let token = seal(document, &key()).expect("the largest document can be sealed");
    assert_eq!(open::<T>(&token, &[key().public()]).as_ref(), Ok(document));
    token.len()
}

#[test]
fn the_largest_report_can_be_sealed_opened_and_sent() {
    let length = sealed(&report());
    assert!(length > Report::MAX_BYTES * 2 / 3, "the bound is no more generous than it must be: {length}");
    let envelope = "{\"reports\":[\"\"]}".len();
    assert!(Join::MAX_BYTES + Report::MAX_BYTES + envelope < MAX_REQUEST_BYTES);
}

#[test]
fn the_most_statements_of_continuity_fit_into_a_request_beside_a_join_and_a_report() {
    use seatline_protocol::IdentityPart::*;
    let statement = Continuity {
        link: LinkId::from_random([31; 24]),
        previous: ServerId::from_random([31; 20]),
        present: ServerId::from_random([30; 20]),
        changed_at: late(),
        changed: [Policy, Staging, Host, Port, Database, Schema, Path, BirthMark].into(),
        staging: true,
        answer: Some(seatline_protocol::ContinuityAnswer::Restored),
    };
    let most = MAX_STATEMENTS * (sealed(&statement) + 3);
    assert!(Join::MAX_BYTES + Report::MAX_BYTES + most + 100 < MAX_REQUEST_BYTES, "{most} bytes");
    assert!(Continuity { changed: [].into(), ..statement.clone() }.check().is_err());
    assert!(Continuity { present: statement.previous.clone(), ..statement }.check().is_err());
}

#[test]
fn the_largest_join_and_invite_can_be_sealed_and_opened() {
    let secret: seatline_protocol::pairing::Secret = seatline_protocol::pairing::Secret::from_bytes([255; 32]);
    let join = Join { secret: secret.clone(), issued_at: late(), product: product() };
    let token = seal_introducing(&join, &key()).expect("the largest join can be sealed");
    assert_eq!(open_introduced::<Join>(&token), Ok((join, key().public())));

    let invite = Invite {
        central_url: format!("https://a/{}", "a".repeat(480)),
        central_name: wide(MAX_NAME),
        secret,
        issued_at: late(),
        expires_at: late(),
        application: Some(wide(MAX_NAME)),
        return_url: Some(format!("https://a/{}/{}", "a".repeat(480), "a".repeat(9))),
    };
    let token = seal_introducing(&invite, &key()).expect("the largest invite can be sealed");
    assert_eq!(open_introduced::<Invite>(&token), Ok((invite, key().public())));
}

#[test]
fn the_answer_to_the_largest_request_can_be_sent() {
    let receipt = Receipt {
        link: LinkId::from_random([31; 24]),
        sequence: Sequence::try_from(Sequence::MAX).expect("a sequence number"),
        report: Digest::of(b""),
        received_at: late(),
        verdict: seatline_protocol::ReceiptVerdict::AfterGap,
    };
    let settings = Settings {
        link: receipt.link.clone(),
        revision: MAX_COUNT,
        issued_at: late(),
        interval: seatline_protocol::settings::MAX_INTERVAL,
        dormancy_days: seatline_protocol::settings::MAX_DORMANCY_DAYS,
        counting: Counting::FirstSignIn,
        demanded_at: Some(late()),
        replace_key: Some(key().public().id()),
        takes_repeats: true,
    };
    let refusal = seatline_protocol::Refusal::new("report", Some(63), &wide(64), &wide(400));
    let refusal = serde_json::to_vec(&refusal).expect("JSON").len();
    let welcome = seatline_protocol::Welcome::MAX_BYTES;
    let noted = MAX_STATEMENTS * refusal.max(Digest::of(b"").as_str().len() + 3);
    let answers = MAX_REPORTS * (sealed(&receipt).max(refusal) + 3);
    let removal = seatline_protocol::Removal::MAX_BYTES + seatline_protocol::PseudonymKey::MAX_BYTES;
    let most = welcome + removal + sealed(&settings) + answers + noted + 2 * refusal + 100;
    assert!(most < MAX_RESPONSE_BYTES, "{most} bytes");
}
