//! What `cargo xtask bench` measures can be measured: each in brief, in the profile of the tests. The figures mean nothing here.

use std::path::PathBuf;
use std::process::Command;

use seatline_tests::{binaries, plugin};

/// Each measurement, with how many figures it gives. Crashes are a story of their own, and the larger fleets differ from
/// the smallest in nothing but their size.
const MEASUREMENTS: [(&str, usize); 9] = [
    ("counting", 3),
    ("exchange", 1),
    ("memory", 3),
    ("sync", 1),
    ("accounts", 2),
    ("api", 4),
    ("central-1000", 19),
    ("central-postgresql", 6),
    ("central-replicas", 5),
];

fn bench() -> PathBuf {
    binaries().join("examples/bench")
}

#[test]
fn each_measurement_can_be_made() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, expected) in MEASUREMENTS {
        let out = dir.path().join(name);
        let mut measure = Command::new(bench());
        measure.args(["--briefly", "--only", name, "--binaries"]).arg(binaries());
        measure.arg("--plugin").arg(plugin("license-visibility.wasm")).arg("--out").arg(&out);
        let ended = measure.output().expect("it starts: `cargo test` builds the examples");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{name}: {said}");
        let figures: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(&out).expect("figures")).expect("JSON");
        assert_eq!(figures.len(), expected, "{name}: {figures:?}");
        for figure in figures {
            assert!(figure["value"].is_f64() && figure["unit"].is_string(), "{name}: a value is a number: {figure}");
        }
    }
}

#[test]
fn a_measurement_that_does_not_exist_is_refused() {
    let mut measure = Command::new(bench());
    measure.args(["--only", "nothing", "--binaries", ".", "--plugin", ".", "--out", "."]);
    let ended = measure.output().expect("it starts: `cargo test` builds the examples");
    assert!(!ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "error: no measurement begins so: see --help for their names\n");
}
