//! Things to tell stories of: what the stories of the domain and of every store begin with.

use jiff::Timestamp;
use seatline_protocol::report::{Outcome, ProductFacts, Reporter};
use seatline_protocol::{
    AccountCounts, Behaviour, Collected, Counting, Digest, Dimension, Kind, License, Limit, LinkId, Mode, Observed,
    Report, Sequence, ServerId, standing,
};

use super::{Application, ApplicationId};

/// The product of all stories.
pub(crate) fn product() -> ProductFacts {
    ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "9.2.1".to_owned(),
        edition: None,
        server_id: ServerId::from_random([7; 20]),
        staging: false,
        nodes: Vec::new(),
    }
}

/// The n-th application.
pub(crate) fn application(n: u8, created_at: Timestamp) -> Application {
    Application {
        id: ApplicationId::from_random([n; 12]),
        name: format!("Application {n:03}").parse().expect("a name"),
        product: product().id,
        url: None,
        created_at,
        link: None,
    }
}

/// So many counted accounts, and no others.
pub(crate) fn accounts(users: u64) -> AccountCounts {
    AccountCounts {
        total: users,
        counted: users,
        deactivated: 0,
        no_access: 0,
        never_signed_in: 0,
        service_accounts: 0,
        dormant: 0,
        dormancy_days: 90,
        counting: Counting::Account,
    }
}

/// A license for so many users, from its issue to its end.
pub(crate) fn license(id: &str, max: u64, issued: Timestamp, expires: Option<Timestamp>) -> License {
    License {
        id: id.parse().expect("a license id"),
        product: product().id,
        edition: None,
        kind: Kind::Commercial,
        licensee: "Example Ltd".to_owned(),
        limits: vec![Limit {
            dimension: Dimension::users(),
            max: Some(max),
            extra: 0,
            counting: None,
            behaviour: Behaviour::Warn,
        }],
        features: Default::default(),
        issued,
        not_before: None,
        expires,
        grace_days: 0,
        maintenance_until: None,
        support: false,
        servers: Vec::new(),
        mode: Mode::Installation,
        add_on_of: None,
        prerequisites: Vec::new(),
        replaces: Vec::new(),
        critical: Vec::new(),
        unknown: Default::default(),
    }
}

/// What a run came to that counted so many users.
pub(crate) fn counts(users: u64) -> Outcome {
    Outcome::Collected(Box::new(Collected { accounts: Some(accounts(users)), ..Collected::default() }))
}

/// The same, held against licenses at a time.
pub(crate) fn licensed(users: u64, licenses: &[License], now: Timestamp) -> Outcome {
    let counts = [(Dimension::users(), users)].into();
    let observed = Observed { counts, ..Observed::new(product().id, product().server_id) };
    let standing = Some(standing(licenses, &observed, now));
    Outcome::Collected(Box::new(Collected { accounts: Some(accounts(users)), standing, ..Collected::default() }))
}

/// A report.
pub(crate) fn report(
    link: LinkId,
    sequence: Sequence,
    previous: Option<Digest>,
    observed_at: Timestamp,
    outcome: Outcome,
) -> Report {
    Report {
        link,
        sequence,
        previous,
        observed_at,
        trigger: "interval".to_owned(),
        reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
        product: product(),
        outcome,
    }
}

/// An approved link of the first application that has reported once.
#[cfg(test)]
pub(crate) fn link(created_at: Timestamp) -> super::Link {
    super::Link {
        id: LinkId::from_random([1; 24]),
        application: Some(application(1, created_at).id),
        key: seatline_protocol::SecretKey::from_seed(&[1; 32]).public(),
        state: super::LinkState::Approved,
        product: product(),
        created_at,
        approved_at: Some(created_at),
        settings: super::LinkSettings::initial(created_at),
        chain: super::Chain { head: Some(Sequence::FIRST), stored: 1, ..super::Chain::default() },
        met: Vec::new(),
    }
}
