//! A product that shows its license use: it implements the port, installs the plugin, sets a license, counts.
//!
//! ```text
//! cargo xtask build-plugin
//! cargo run --example embed -- target/plugins/license-visibility.wasm
//! ```
use std::error::Error;
use std::sync::Arc;

use seatline_host::plugins::{Consent, read_component};
use seatline_host::ports::{Account, AccountSink, Description, LastSeen, Node, PortError, Product};
use seatline_host::sandbox::{Grants, Trigger, inspect};
use seatline_host::store::Directory;
use seatline_host::{Host, HostOptions};
use seatline_protocol::report::Outcome;
use seatline_protocol::{SecretKey, seal};

/// A wiki that keeps its users in memory.
struct Wiki {
    users: Vec<(String, bool)>,
}

impl Product for Wiki {
    fn describe(&self) -> Result<Description, PortError> {
        Ok(Description {
            id: "example-wiki".parse().map_err(PortError::new)?,
            name: "Example Wiki".to_owned(),
            version: "4.2.0".to_owned(),
            edition: None,
            released: None,
            nodes: vec![Node { id: "node-1".to_owned(), version: "4.2.0".to_owned() }],
        })
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        for (mail, active) in &self.users {
            let (active, last_seen) = (*active, LastSeen::Unknown);
            sink.push(Account { identity: mail, active, licensed_access: true, last_seen, service_account: false })?;
        }
        Ok(())
    }
}

/// A vendor's license for 25 users. A real one comes from `seatline license issue`.
fn license(vendor: &SecretKey) -> Result<String, Box<dyn Error>> {
    let license = serde_json::from_value(serde_json::json!({
        "id": "EXAMPLE-1", "product": "example-wiki", "kind": "commercial", "licensee": "Example Ltd",
        "limits": [{ "dimension": "users", "max": 25 }], "issued": "2026-01-01T00:00:00Z",
    }))?;
    Ok(seal::seal::<seatline_protocol::License>(&license, vendor)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = std::env::args().nth(1).ok_or("usage: embed PLUGIN.wasm")?;
    let dir = tempfile::tempdir()?;
    let vendor = SecretKey::generate()?;
    let users = (1..=30).map(|n| (format!("user{n}@example.org"), n <= 24)).collect();

    let store = Directory::open(dir.path().join("state"))?;
    let mut options = HostOptions::new(Arc::new(Wiki { users }), store, dir.path().join("plugins"));
    options.vendor_keys = vec![vendor.public()];
    let host = Host::open(options)?;
    host.set_license(&license(&vendor)?)?;

    let bytes = read_component(plugin.as_ref())?;
    let inspection = inspect(&bytes)?;
    println!("{} {} asks for {:?}", inspection.name, inspection.version, inspection.asks);
    host.plugins().install(&bytes, &Consent::Granted(Grants::all()), host.now()?)?;

    let collected = host.collect(Trigger::Demand)?;
    match &collected.run.outcome {
        Outcome::Collected(content) => println!("{}", serde_json::to_string_pretty(content)?),
        Outcome::Failed(failure) => println!("no counts: {}", failure.message),
    }
    println!("the standing is {}", host.standing()?.verdict.name());
    // Once `host.accept_invite(…)` has linked the product, `host.sync(…)` also sends the report.
    Ok(())
}
