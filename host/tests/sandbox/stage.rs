//! What the stories are played on: products, an occasion, and the fixtures.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::{Date, date};
use seatline_host::ports::{Account, AccountSink, Description, LastSeen, PortError, Product};
use seatline_host::sandbox::{Grants, Limits, LinkSettings, LoadedPlugin, Occasion, RunRecord, Sandbox, Trigger};
use seatline_protocol::Dimension;
use seatline_protocol::license::{Counting, Kind};
use seatline_protocol::pairing::Secret;
use seatline_protocol::report::{NodeFacts, ProductFacts};
use seatline_protocol::standing::{LicenseStanding, LimitFacts, Status};

/// The day on which all stories play.
pub const TODAY: Date = date(2026, 3, 1);

/// The bytes of a fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("target/plugins/fixtures/{name}.wasm");
    let found = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&path));
    found.unwrap_or_else(|_| panic!("{path} is missing: run `cargo xtask build-plugin --fixtures`"))
}

/// A sandbox with `limits`.
pub fn sandbox(limits: Limits) -> Sandbox {
    Sandbox::new(limits).expect("this machine runs compiled plugins")
}

/// The fixture `name`, loaded into `sandbox`.
pub fn load(sandbox: &Sandbox, name: &str) -> LoadedPlugin {
    sandbox.load(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs the fixture `name` within `limits` on a healthy product, and then an honest plugin in the same sandbox.
pub fn run(name: &str, limits: Limits) -> RunRecord {
    let sandbox = sandbox(limits);
    let plugin = load(&sandbox, name);
    let record = plugin.run(Stage::default().occasion());
    product_goes_on(&sandbox);
    record
}

/// The code of how the run ended, and its one line.
pub fn failure(record: &RunRecord) -> (&'static str, String) {
    let error = record.result.as_ref().expect_err("the run must give no report");
    let line = error.to_string();
    assert!(seatline_protocol::text::is_line(&line, 400), "one clean line: {line:?}");
    (error.code(), line)
}

/// That an honest plugin counts right, in the sandbox that a hostile one was in.
pub fn product_goes_on(sandbox: &Sandbox) {
    let stage = Stage { product: Arc::new(Wiki { accounts: 3 }), ..Stage::default() };
    let record = load(sandbox, "honest").run(stage.occasion());
    let submission = record.result.expect("an honest plugin runs after a hostile one");
    assert_eq!(submission.collected.accounts.expect("it counted").total, 3);
}

/// What a run is given.
pub struct Stage {
    pub product: Arc<dyn Product>,
    pub facts: ProductFacts,
    pub licenses: Vec<LicenseStanding>,
    pub link: LinkSettings,
    pub key: Secret,
    pub grants: Grants,
    pub trigger: Trigger,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            product: Arc::new(Wiki { accounts: 10 }),
            facts: facts(),
            licenses: vec![license("first"), license("second")],
            link: LinkSettings { linked: true, interval: 3600, dormancy_days: 90, counting: Counting::Account },
            key: Secret::from_bytes([7; 32]),
            grants: Grants::all(),
            trigger: Trigger::Interval,
        }
    }
}

impl Stage {
    pub fn occasion(&self) -> Occasion<'_> {
        Occasion {
            product: Arc::clone(&self.product),
            facts: &self.facts,
            licenses: &self.licenses,
            link: self.link,
            pseudonym_key: &self.key,
            grants: self.grants.clone(),
            trigger: self.trigger,
            today: TODAY,
        }
    }
}

pub fn facts() -> ProductFacts {
    ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "9.2".to_owned(),
        edition: None,
        server_id: seatline_protocol::ServerId::from_random([5; 20]),
        staging: false,
        nodes: vec![NodeFacts { id: "a".to_owned(), version: "9.2".to_owned() }],
    }
}

pub fn license(id: &str) -> LicenseStanding {
    LicenseStanding {
        id: id.parse().expect("a license id"),
        product: "acme-wiki".parse().expect("a product id"),
        add_on_of: None,
        edition: None,
        kind: Kind::Commercial,
        licensee: "Example Ltd".to_owned(),
        limits: vec![LimitFacts { dimension: Dimension::users(), max: Some(25) }],
        features: ["export".to_owned()].into(),
        begins: "2025-01-01T00:00:00Z".parse().expect("a time"),
        expires: Some("2027-01-01T00:00:00Z".parse().expect("a time")),
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

/// A healthy product: its accounts are of every class in turn, beginning with a counted one.
pub struct Wiki {
    pub accounts: u64,
}

impl Product for Wiki {
    fn describe(&self) -> Result<Description, PortError> {
        Err(PortError::new("a run is told what the product is; it does not ask"))
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        (0..self.accounts).try_for_each(|i| push(i, sink))
    }

    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        vec![
            ("lines-of-code".parse().expect("a dimension"), Ok(120_000)),
            ("users".parse().expect("a dimension"), Ok(1)),
            ("channels".parse().expect("a dimension"), Err(PortError::new("the table is locked"))),
        ]
    }
}

/// Pushes the account with number `i`.
pub fn push(i: u64, sink: &mut dyn AccountSink) -> Result<(), PortError> {
    let class = i % 5;
    sink.push(Account {
        identity: &format!("person{i}@example.org"),
        active: class != 1,
        licensed_access: class != 2,
        last_seen: if class == 3 { LastSeen::Never } else { LastSeen::On(TODAY) },
        service_account: class == 4,
    })
}
