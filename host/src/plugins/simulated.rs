//! A small simulated product, on which a plugin must run well before it is made the current one.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use seatline_protocol::license::{Counting, Kind};
use seatline_protocol::pairing::Secret;
use seatline_protocol::report::{NodeFacts, ProductFacts};
use seatline_protocol::standing::{LicenseStanding, LimitFacts, Status};
use seatline_protocol::{Dimension, LicenseId, ProductId, ServerId, Settings};

use crate::ports::{Account, AccountSink, Description, LastSeen, Node, PortError, Product};
use crate::sandbox::{Grants, LinkSettings, LoadedPlugin, Occasion, RunRecord, Trigger};

/// The day on which the simulated product is looked at.
const TODAY: Date = date(2026, 1, 1);

/// Runs `plugin` once on the simulated product, with what it is to be granted.
pub(super) fn test_run(plugin: &LoadedPlugin, grants: Grants) -> RunRecord {
    let link = LinkSettings {
        linked: true,
        interval: Settings::DEFAULT_INTERVAL,
        dormancy_days: Settings::DEFAULT_DORMANCY_DAYS,
        counting: Counting::FirstSignIn,
    };
    plugin.run(Occasion {
        product: Arc::new(SimulatedProduct),
        facts: &facts(),
        licenses: &[license()],
        link,
        // Nothing of a simulated product is anybody's secret.
        pseudonym_key: &Secret::from_bytes([0; 32]),
        grants,
        trigger: Trigger::Demand,
        today: TODAY,
    })
}

/// A product with two accounts of every class, and two counted ones that are dormant.
struct SimulatedProduct;

impl Product for SimulatedProduct {
    fn describe(&self) -> Result<Description, PortError> {
        Ok(Description {
            id: product_id(),
            name: "Simulated product".to_owned(),
            version: "1.0".to_owned(),
            edition: None,
            released: None,
            nodes: vec![Node { id: "node-1".to_owned(), version: "1.0".to_owned() }],
        })
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        let counted = Account {
            identity: "",
            active: true,
            licensed_access: true,
            last_seen: LastSeen::On(TODAY),
            service_account: false,
        };
        let classes = [
            counted,
            Account { active: false, ..counted },
            Account { licensed_access: false, ..counted },
            Account { last_seen: LastSeen::Never, ..counted },
            Account { last_seen: LastSeen::On(date(2020, 1, 1)), ..counted },
            Account { last_seen: LastSeen::Unknown, ..counted },
            Account { service_account: true, ..counted },
        ];
        for (i, account) in classes.iter().chain(&classes).enumerate() {
            sink.push(Account { identity: &format!("person-{i}@simulated.invalid"), ..*account })?;
        }
        Ok(())
    }

    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        vec![
            (Dimension::nodes(), Ok(1)),
            (
                "channels".parse().expect("a constant by the rule of dimensions"),
                Err(PortError::new("simulated: the table is locked")),
            ),
        ]
    }
}

fn product_id() -> ProductId {
    "simulated".parse().expect("a constant by the rule of product ids")
}

fn facts() -> ProductFacts {
    ProductFacts {
        id: product_id(),
        name: "Simulated product".to_owned(),
        version: "1.0".to_owned(),
        edition: None,
        server_id: ServerId::from_random([0; 20]),
        staging: false,
        nodes: vec![NodeFacts { id: "node-1".to_owned(), version: "1.0".to_owned() }],
    }
}

fn license() -> LicenseStanding {
    LicenseStanding {
        id: LicenseId::from_random([0; 16]),
        product: product_id(),
        add_on_of: None,
        edition: None,
        kind: Kind::Developer,
        licensee: "Simulated licensee".to_owned(),
        limits: vec![LimitFacts { dimension: Dimension::users(), max: Some(10) }],
        features: ["simulated-feature".to_owned()].into(),
        begins: Timestamp::UNIX_EPOCH,
        expires: None,
        grace_ends: None,
        maintenance_until: None,
        support: false,
        mode: seatline_protocol::Mode::Installation,
        set_for: Default::default(),
        prerequisites: Vec::new(),
        status: Status::Active,
        reason: None,
    }
}
