//! Components of a hostile shape: refused before they run, or stopped when they do.

use std::time::Duration;

use seatline_host::sandbox::{Limits, MAX_COMPONENT_BYTES, RunRecord, inspect};

use crate::shape::{self, END_WELL, component, idle, plugin};
use crate::stage::{self, Stage, failure};

/// Loads and runs the component in `bytes` within `limits`, and then an honest plugin in the same sandbox.
fn run(bytes: &[u8], limits: Limits) -> RunRecord {
    let sandbox = stage::sandbox(limits);
    let plugin = sandbox.load(bytes).expect("its bytes are those of a plugin");
    let record = plugin.run(Stage::default().occasion());
    stage::product_goes_on(&sandbox);
    record
}

fn stopped(record: &RunRecord, by: &str) {
    assert_eq!(failure(record), ("plugin-stopped", format!("the sandbox stopped the plugin: {by}")));
}

/// The code and the line of why `bytes` are not loaded; the sandbox goes on.
fn refused(bytes: &[u8]) -> (&'static str, String) {
    let sandbox = stage::sandbox(Limits::default());
    let error = sandbox.load(bytes).expect_err("it must not be loaded");
    stage::product_goes_on(&sandbox);
    let line = error.to_string();
    assert!(seatline_protocol::text::is_line(&line, 500), "one clean line: {line:?}");
    (error.code(), line)
}

#[test]
fn the_shapes_are_plugins_but_for_their_hostility() {
    let record = run(&idle(""), Limits::default());
    assert_eq!(failure(&record), ("plugin-no-report", "the plugin ended without a report".to_owned()));
}

#[test]
fn an_endless_start_function_is_stopped_at_the_deadline() {
    let bytes = idle("(func $spin (loop br 0)) (start $spin)");
    let record = run(&bytes, Limits { plugin_time: Duration::from_millis(300), ..Limits::default() });
    assert_eq!(failure(&record).0, "plugin-deadline");
}

#[test]
fn growing_tables_are_stopped_at_the_limit() {
    let core = r#"
        (table $t 1 funcref) (memory (export "memory") 1)
        (func (export "run") (param i32 i32) (result i32)
            (loop
                (br_if 0 (i32.ge_s (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 0)))
                unreachable)
            i32.const 0)"#;
    let line = "the plugin wanted more table elements than the 5000 that a run may have".to_owned();
    let limits = || Limits { table_elements: 5000, ..Limits::default() };
    assert_eq!(failure(&run(&plugin("", core, ""), limits())), ("plugin-tables", line.clone()));
    assert_eq!(failure(&run(&idle("(table 5001 funcref)"), limits())), ("plugin-tables", line), "at once");
    assert_eq!(failure(&run(&idle("(table 5000 funcref)"), limits())).0, "plugin-no-report", "as many as it may");
}

#[test]
fn memory_is_summed_over_all_memories() {
    let line = "the plugin wanted more memory than the 4194304 bytes that a run may have".to_owned();
    let limits = || Limits { memory: 64 << 16, memories: 100, ..Limits::default() };
    // One page is the plugin's own.
    assert_eq!(failure(&run(&idle(&"(memory 3) ".repeat(21)), limits())).0, "plugin-no-report", "64 pages");
    assert_eq!(failure(&run(&idle(&"(memory 3) ".repeat(22)), limits())), ("plugin-memory", line));
}

#[test]
fn many_memories_tables_and_instances_are_refused_even_when_empty() {
    stopped(
        &run(&idle(&"(memory 0) ".repeat(8)), Limits::default()),
        "resource limit exceeded: memory count too high at 9",
    );
    stopped(
        &run(&idle(&"(table 0 funcref) ".repeat(33)), Limits::default()),
        "resource limit exceeded: table count too high at 33",
    );
    let head = format!("(core module $e) {}", "(core instance (instantiate $e)) ".repeat(64));
    stopped(
        &run(&plugin(&head, END_WELL, ""), Limits::default()),
        "resource limit exceeded: instance count too high at 65",
    );
}

#[test]
fn a_flood_of_handles_is_stopped_at_the_limit() {
    let head = "(type $r (resource (rep i32))) (core func $new (canon resource.new $r))";
    let core = r#"
        (import "r" "new" (func $new (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (param i32 i32) (result i32)
            (loop (drop (call $new (i32.const 1))) br 0)
            unreachable)"#;
    let bytes = plugin(head, core, r#"(with "r" (instance (export "new" (func $new))))"#);
    stopped(&run(&bytes, Limits::default()), "cannot allocate another handle: store handle limit exceeded");
}

#[test]
fn room_that_a_plugin_does_not_have_is_not_written_to() {
    // The host asks the plugin for room for the answer, and is told an address beyond all memory.
    let bytes = shape::measuring("(result u64 (error string))", "i32.const 0x7fffff00");
    let record = run(&bytes, Limits::default());
    assert_eq!(failure(&record).0, "plugin-stopped");
    let bytes = shape::measuring("(result u64 (error string))", "i32.const 2048");
    assert_eq!(failure(&run(&bytes, Limits::default())).0, "plugin-no-report", "with room it is given");
}

#[test]
fn wrong_types_are_refused_by_the_name_of_their_function() {
    let (code, line) = refused(&shape::measuring("u64", "i32.const 2048"));
    assert_eq!(code, "plugin-wrong-types");
    assert!(line.contains("usage") && line.ends_with("rebuild it with the published one"), "{line}");
    let (code, line) = refused(&shape::plugin_with_another_run());
    assert_eq!(code, "plugin-wrong-types");
    assert!(line.contains("its `reporter.run` has another type"), "{line}");
}

#[test]
fn b6_an_import_outside_the_contract_is_refused_by_name() {
    for import in [
        "wasi:cli/environment@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "acme:telemetry/sender@1.0.0",
        "seatline:license-visibility/telepathy@1.0.0",
        "seatline:license-visibility/accounts@2.0.0",
        "seatline:license-visibility/accounts",
        "environment",
    ] {
        let head = format!(r#"(import "{import}" (instance))"#);
        let (code, line) = refused(&plugin(&head, END_WELL, ""));
        assert_eq!(code, "plugin-unknown-import");
        assert_eq!(
            line,
            format!(
                "the plugin imports `{import}`, which a plugin cannot have; there is only \
                 seatline:license-visibility@1.x with product, usage, accounts, licensing, application-link, journal"
            )
        );
    }
}

#[test]
fn a_component_of_another_world_is_refused() {
    let line = "the component is not a license-visibility plugin: it does not export \
                seatline:license-visibility/reporter@1.x";
    assert_eq!(refused(&component("")), ("plugin-wrong-world", line.to_owned()));
    let (code, line) = refused(&component(r#"(instance $e) (export "wasi:cli/run@0.2.0" (instance $e))"#));
    assert_eq!(code, "plugin-unknown-export");
    assert!(line.starts_with("the plugin exports `wasi:cli/run@0.2.0`, which is not in the contract"), "{line}");
}

#[test]
fn what_is_no_component_has_one_clear_reason() {
    let core = wat::parse_str("(module)").expect("a module");
    let honest = stage::fixture("honest");
    let damaged = [&honest[..8], &[0xff; 64]].concat();
    for (what, bytes, code, line) in [
        ("empty", &b""[..], "plugin-empty", "the file is empty"),
        ("text", b"(component)", "plugin-not-wasm", "the file is not a WebAssembly component"),
        (
            "a core module",
            &core,
            "plugin-core-module",
            "the file is a core WebAssembly module, not a component; make one of it with `seatline plugin pack`",
        ),
        (
            "half of it",
            &honest[..honest.len() / 2],
            "plugin-truncated",
            &format!("the file is cut off: a section of it ends beyond its {} bytes; fetch it again", honest.len() / 2),
        ),
        (
            "its first two bytes",
            &honest[..2],
            "plugin-truncated",
            "the file is cut off: a section of it ends beyond its 2 bytes; fetch it again",
        ),
    ] {
        assert_eq!(refused(bytes), (code, line.to_owned()), "{what}");
    }
    assert_eq!(refused(&damaged).0, "plugin-damaged");
    assert_eq!(refused(&vec![0; MAX_COMPONENT_BYTES + 1]).0, "plugin-too-large");
}

#[test]
fn code_that_is_not_valid_is_not_compiled() {
    // The inspection passes over what is inside a core module; the compiler's validation does not.
    let text = format!("{END_WELL} (func (result i32) i32.const 0)");
    let mut bytes = plugin("", &text, "");
    let constant = bytes.windows(3).rposition(|window| window == [0x41, 0x00, 0x0b]).expect("`i32.const 0 end`");
    bytes[constant] = 0x42; // an `i64.const` where an i32 is promised
    assert!(inspect(&bytes).is_ok());
    assert_eq!(refused(&bytes).0, "plugin-not-compilable");
}

#[test]
fn no_cut_and_no_changed_byte_makes_the_inspection_fall() {
    let honest = stage::fixture("honest");
    for length in (0..honest.len()).step_by(61) {
        // A cut exactly between two sections leaves a shorter component, which lacks its export or its metadata.
        if let Ok(inspection) = inspect(&honest[..length]) {
            assert_eq!(inspection.size, length);
        }
    }
    for at in (0..honest.len()).step_by(37) {
        let mut changed = honest.clone();
        changed[at] = !changed[at];
        let _ = inspect(&changed);
    }
}

#[test]
fn metadata_of_a_component_is_bounded_and_cleaned() {
    let name = format!("\u{1b}[31m{}", "x".repeat(1000));
    let mut bytes = idle("");
    let section = |name: &str, data: &[u8]| {
        let length = |n: usize| {
            let n = u16::try_from(n).expect("short");
            [(n & 0x7f | 0x80) as u8, (n >> 7) as u8] // LEB128 in two bytes
        };
        let body = [&length(name.len())[..], name.as_bytes(), data].concat();
        [&[0][..], &length(body.len()), &body].concat()
    };
    bytes.extend(section("version", name.as_bytes()));
    let inspection = inspect(&bytes).expect("a plugin");
    assert_eq!((inspection.name.as_str(), inspection.version.chars().count()), ("unnamed", 64));
    assert!(inspection.version.starts_with("[31mxxx"), "{}", inspection.version);
    bytes.extend(section("version", &[0xff, 0xfe]));
    assert_eq!(inspect(&bytes).expect("a plugin").version, "unversioned", "not UTF-8");
}
