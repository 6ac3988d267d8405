//! A wiki of 5,000 accounts, its licenses and its link, in the states that the pages have to show.

use jiff::Timestamp;
use seatline_protocol::report::{Failure, Measured, NodeFacts, PluginFacts, ProductFacts, Reporter};
use seatline_protocol::{
    AccountCounts, Behaviour, Collected, Continuity, ContinuityAnswer, Counting, Digest, Dimension, IdentityPart, Kind,
    License, Limit, LinkId, Measurement, Mode, Observed, Outcome, ReceiptVerdict, Report, SecretKey, Sequence,
    ServerId, standing,
};

use crate::domain::{
    Application, ApplicationId, Chain, Latest, Licenses, Link, LinkSettings, LinkState, RefusedReport, ReportAt,
    ReportRow, Statement,
};

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn now() -> Timestamp {
    at("2026-11-22T01:30:00Z")
}

pub fn dimension(name: &str) -> Dimension {
    name.parse().expect("a dimension")
}

pub fn sequence(number: u64) -> Sequence {
    number.try_into().expect("a sequence number")
}

pub fn link_id(n: u8) -> LinkId {
    LinkId::from_random([n; 24])
}

pub fn application() -> Application {
    Application {
        id: ApplicationId::from_random([0xa1; 12]),
        name: "Company wiki".parse().expect("a name"),
        product: "acme-wiki".parse().expect("a product"),
        url: Some("https://wiki.example.org".to_owned()),
        created_at: at("2026-11-01T09:00:00Z"),
        link: Some(link_id(3)),
    }
}

pub fn product() -> ProductFacts {
    let node = |n: u8| NodeFacts { id: format!("wiki-{n}"), version: "8.4.1".to_owned() };
    ProductFacts {
        id: "acme-wiki".parse().expect("a product"),
        name: "Acme Wiki".to_owned(),
        version: "8.4.1".to_owned(),
        edition: Some("Data Center".to_owned()),
        server_id: ServerId::from_random([9, 4, 22, 31, 7, 16, 2, 25, 11, 0, 19, 28, 5, 13, 30, 8, 1, 21, 17, 6]),
        staging: false,
        nodes: (1..=3).map(node).collect(),
    }
}

pub fn link() -> Link {
    Link {
        id: link_id(3),
        application: Some(application().id),
        key: SecretKey::from_seed(&[7; 32]).public(),
        state: LinkState::Approved,
        product: product(),
        created_at: at("2026-11-01T09:05:00Z"),
        approved_at: Some(at("2026-11-01T09:05:00Z")),
        settings: LinkSettings::initial(at("2026-11-01T09:05:00Z")),
        chain: Chain { head: Some(sequence(128)), stored: 128, ..Chain::default() },
        met: Vec::new(),
    }
}

pub fn license() -> License {
    let limit =
        |name: &str, max, behaviour| Limit { dimension: dimension(name), max, extra: 0, counting: None, behaviour };
    License {
        id: "ACME-2026-0417".parse().expect("a license id"),
        product: "acme-wiki".parse().expect("a product"),
        edition: Some("Data Center".to_owned()),
        kind: Kind::Commercial,
        licensee: "Example Organisation Ltd".to_owned(),
        limits: vec![
            limit("users", Some(5000), Behaviour::Warn),
            limit("spaces", Some(400), Behaviour::Refuse),
            limit("nodes", Some(4), Behaviour::Restrict),
        ],
        features: ["audit-log", "clustering", "single-sign-on", "read-only-mode"].map(str::to_owned).into(),
        issued: at("2026-03-01T00:00:00Z"),
        not_before: None,
        expires: Some(at("2027-09-30T00:00:00Z")),
        grace_days: 14,
        maintenance_until: Some(at("2027-09-30T00:00:00Z")),
        support: true,
        servers: vec![product().server_id],
        mode: Mode::Installation,
        add_on_of: None,
        prerequisites: Vec::new(),
        replaces: vec!["ACME-2025-0032".parse().expect("a license id")],
        critical: Vec::new(),
        unknown: Default::default(),
    }
}

/// The license before, which the present one replaces.
pub fn replaced_license() -> License {
    License {
        id: "ACME-2025-0032".parse().expect("a license id"),
        issued: at("2025-03-01T00:00:00Z"),
        expires: Some(at("2026-04-01T00:00:00Z")),
        replaces: Vec::new(),
        ..license()
    }
}

/// What a run collected that counted `counted` users against `licenses`.
pub fn collected(counted: u64, licenses: &[License]) -> Collected {
    let accounts = AccountCounts {
        total: counted + 820,
        counted,
        deactivated: 420,
        no_access: 240,
        never_signed_in: 120,
        service_accounts: 40,
        dormant: 310,
        dormancy_days: 90,
        counting: Counting::FirstSignIn,
    };
    let counts = [("users", counted), ("spaces", 212), ("nodes", 3)].map(|(name, count)| (dimension(name), count));
    let observed = Observed {
        edition: product().edition,
        counts: counts.into(),
        ..Observed::new(product().id, product().server_id)
    };
    Collected {
        accounts: Some(accounts),
        measurements: vec![
            Measurement { dimension: dimension("spaces"), value: Measured::Value(212) },
            Measurement { dimension: dimension("pages"), value: Measured::Value(184_203) },
            Measurement {
                dimension: dimension("attachments"),
                value: Measured::Failed("the attachment store did not answer".to_owned()),
            },
        ],
        standing: Some(standing(licenses, &observed, now())),
        ..Collected::default()
    }
}

pub fn report(number: u64, outcome: Outcome) -> ReportAt {
    let digest = Digest::of(&number.to_be_bytes());
    let report = Report {
        link: link_id(3),
        sequence: sequence(number),
        previous: (number > 1).then(|| Digest::of(&(number - 1).to_be_bytes())),
        observed_at: at("2026-11-22T01:04:00Z"),
        trigger: "interval".to_owned(),
        reporter: Reporter {
            host: "0.1.0".to_owned(),
            plugin: Some(PluginFacts {
                name: "license-visibility".to_owned(),
                version: "0.1.0".to_owned(),
                digest: Digest::of(b"plugin"),
                granted: Some(["accounts", "licensing"].map(str::to_owned).into()),
            }),
        },
        product: product(),
        outcome,
    };
    ReportAt { received_at: at("2026-11-22T01:04:02Z"), digest, report, repeats: None }
}

/// A report that holds what was collected.
pub fn counted(number: u64, collected: Collected) -> ReportAt {
    report(number, Outcome::Collected(Box::new(collected)))
}

/// A report that holds why nothing was.
pub fn failed(number: u64) -> ReportAt {
    let message = "the database of the product is locked: database is locked".to_owned();
    report(number, Outcome::Failed(Failure { code: "product-unavailable".to_owned(), message }))
}

/// The view of the application with `link`, whose newest report is `newest` and whose newest counts are in `collected`.
pub fn view(link: &Link, newest: ReportAt, collected: Option<ReportAt>) -> Licenses {
    Licenses::of(application(), Some(link), Some(&Latest { newest, collected }), Vec::new(), now())
}

/// The view where the newest report counted `users`.
pub fn view_of(users: u64, licenses: &[License]) -> Licenses {
    let newest = counted(128, collected(users, licenses));
    view(&link(), newest.clone(), Some(newest))
}

/// The view of a staging instance with the same database, which was once moved, and is to have been moved again.
pub fn moved() -> Licenses {
    let newest = counted(128, collected(4180, &[license()]));
    let mut newest_of_staging = newest.clone();
    newest_of_staging.report.product.staging = true;
    let latest = Latest { newest: newest_of_staging, collected: Some(newest) };
    let said = |from: u8, hour: &str, answer| Statement {
        digest: Digest::of(hour.as_bytes()),
        received_at: at(hour),
        content: Continuity {
            link: link_id(3),
            previous: ServerId::from_random([from; 20]),
            present: ServerId::from_random([from + 1; 20]),
            changed_at: at(hour),
            changed: [IdentityPart::Host, IdentityPart::BirthMark].into(),
            staging: false,
            answer,
        },
    };
    let statements =
        vec![said(2, "2026-11-22T01:02:00Z", None), said(1, "2026-11-20T09:00:00Z", Some(ContinuityAnswer::Moved))];
    Licenses::of(application(), Some(&link()), Some(&latest), statements, now())
}

/// The last stored reports, `after_gap` the one that came after a gap.
pub fn rows(after_gap: Option<u64>) -> Vec<ReportRow> {
    let row = |number: u64| ReportRow {
        sequence: sequence(number),
        digest: Digest::of(&number.to_be_bytes()),
        previous: None,
        observed_at: at("2026-11-22T01:04:00Z") - jiff::SignedDuration::from_hours(128 - number as i64),
        received_at: at("2026-11-22T01:04:02Z") - jiff::SignedDuration::from_hours(128 - number as i64),
        verdict: if after_gap == Some(number) { ReceiptVerdict::AfterGap } else { ReceiptVerdict::Chained },
        bytes: 2873,
        repeats: None,
    };
    (124..=128).rev().map(row).collect()
}

pub fn refused() -> Vec<RefusedReport> {
    vec![RefusedReport {
        digest: Digest::of(b"the other copy"),
        sequence: sequence(128),
        code: "fork".to_owned(),
        observed_at: at("2026-11-22T01:03:00Z"),
        first_at: at("2026-11-22T01:10:00Z"),
        last_at: at("2026-11-22T01:25:00Z"),
        times: 3,
    }]
}
