//! Plugins that were built against a published contract, and the stock plugin: all run in today's host.

use std::path::Path;

use seatline_host::sandbox::{Limits, RunRecord, Sandbox};
use seatline_protocol::report::MAX_SKETCH_BYTES;

use crate::shape::{self, END_WELL, plugin};
use crate::stage::{self, Stage, failure};

fn read(path: &str, advice: &str) -> Vec<u8> {
    let found = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path));
    found.unwrap_or_else(|_| panic!("{path} is missing: {advice}"))
}

fn run(sandbox: &Sandbox, bytes: &[u8]) -> RunRecord {
    sandbox.load(bytes).expect("it loads").run(Stage::default().occasion())
}

#[test]
fn a_plugin_of_the_published_contract_v1_runs_in_todays_host() {
    let sandbox = stage::sandbox(Limits::default());
    let bytes = read("tests/plugins/compat/v1.wasm", "it is committed, and must never be built again");
    let record = run(&sandbox, &bytes);
    let submission = record.result.expect("a report");
    assert_eq!(submission.collected.accounts.expect("counts").counted, 4);
    assert!(submission.read_licenses && submission.collected.omissions.is_empty());
    assert_eq!((submission.collected.measurements.len(), record.journal.len()), (2, 1));
}

#[test]
fn b7_the_stock_plugin_counts_every_account_in_exactly_one_class() {
    let sandbox = stage::sandbox(Limits::default());
    let bytes = read("target/plugins/license-visibility.wasm", "run `cargo xtask build-plugin --fixtures`");
    let submission = run(&sandbox, &bytes).result.expect("a report");
    let counts = submission.collected.accounts.expect("counts");
    assert_eq!(
        (counts.total, counts.counted, counts.deactivated, counts.no_access, counts.service_accounts),
        (10, 4, 2, 2, 2)
    );
    assert_eq!((counts.never_signed_in, counts.dormant), (0, 2), "two have licensed access and never signed in");
    assert!(submission.read_licenses);
    let sketch = submission.collected.people.expect("a sketch of the counted people");
    assert!(sketch.len() <= MAX_SKETCH_BYTES);
    let sketch = datasketches::theta::CompactThetaSketch::deserialize(&sketch).expect("a theta sketch");
    assert_eq!(sketch.num_retained(), 4);
}

#[test]
fn a_plugin_of_a_later_minor_version_runs_if_it_needs_nothing_new() {
    let sandbox = stage::sandbox(Limits::default());
    let later = |bytes: &[u8]| {
        // The version is text inside the component: 1.0.0 and 1.4.0 have the same length.
        let mut later = bytes.to_vec();
        let names: Vec<_> = later.windows(6).enumerate().filter(|(_, w)| w == b"@1.0.0").map(|(at, _)| at).collect();
        for at in names {
            later[at + 3] = b'4';
        }
        later
    };
    assert!(run(&sandbox, &later(&stage::fixture("honest"))).result.is_ok());
    assert_eq!(failure(&run(&sandbox, &later(&plugin("", END_WELL, "")))).0, "plugin-no-report");

    let new =
        r#"(import "seatline:license-visibility/usage@1.4.0" (instance (export "forecast" (func (result u64)))))"#;
    let error = sandbox.load(&shape::plugin(new, END_WELL, "")).expect_err("today's host has no forecast");
    assert_eq!(error.code(), "plugin-wrong-types");
    assert!(error.to_string().contains("forecast"), "{error}");
}
