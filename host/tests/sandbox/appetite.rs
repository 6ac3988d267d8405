//! Plugins that want too much: each limit has one that runs into it.

use std::time::Duration;

use seatline_host::sandbox::{JournalLevel, Limits, Trigger};

use crate::stage::{self, Stage, failure, run};

#[test]
fn an_endless_loop_is_stopped_at_the_deadline() {
    let record = run("endless-loop", Limits { plugin_time: Duration::from_millis(300), ..Limits::default() });
    assert_eq!(
        failure(&record),
        (
            "plugin-deadline",
            "the plugin computed for more than 300 ms, not counting the time in which it waited for the product, \
             and was stopped"
                .to_owned()
        )
    );
    assert!(record.took >= Duration::from_millis(300));
}

#[test]
fn growing_memory_is_stopped_at_the_limit() {
    let record = run("memory-growth", Limits { memory: 8 << 20, ..Limits::default() });
    let line = "the plugin wanted more memory than the 8388608 bytes that a run may have";
    assert_eq!(failure(&record), ("plugin-memory", line.to_owned()));
    assert!(record.peak_memory <= 8 << 20 && record.peak_memory > 6 << 20, "{} bytes", record.peak_memory);
}

#[test]
fn a_giant_string_is_refused_before_the_host_takes_it() {
    let record = run("giant-string", Limits { bytes_per_call: 4 << 20, ..Limits::default() });
    let (code, line) = failure(&record);
    assert_eq!(code, "plugin-stopped");
    assert!(line.starts_with("the sandbox stopped the plugin: "), "{line}");
    // The same plugin with a greater limit gets as far as the report's own rules: it was this limit.
    let record = run("giant-string", Limits::default());
    let line = "the plugin reports a failure: invalid: notes: at most 200 characters";
    assert_eq!(failure(&record), ("plugin-failed", line.to_owned()));
}

#[test]
fn a_flood_of_lines_is_counted_and_dropped() {
    let record = run("log-flood", Limits { journal_lines: 3, bytes: 1 << 30, ..Limits::default() });
    assert!(record.result.is_ok(), "the journal never stops a plugin: {:?}", record.result);
    assert_eq!((record.journal.len(), record.dropped_lines), (3, 99_997));
    for (i, line) in record.journal.iter().enumerate() {
        assert_eq!(line.level, JournalLevel::Warn);
        assert!(line.text.starts_with(&format!("[31mline {i} xxx")), "{:?}", line.text);
        assert_eq!(line.text.chars().count(), 400);
    }
}

#[test]
fn a_flood_of_bytes_ends_with_the_quota_of_the_run() {
    let record = run("byte-flood", Limits { bytes: 4 << 20, ..Limits::default() });
    assert_eq!((record.journal.len(), record.dropped_lines), (4, 12));
    let line = "the plugin reports a failure: quota: a run may have 4194304 bytes taken from the plugin";
    assert_eq!(failure(&record), ("plugin-failed", line.to_owned()));
}

#[test]
fn a_flood_of_reports_is_refused_by_name() {
    let sandbox = stage::sandbox(Limits { submits: 3, ..Limits::default() });
    let plugin = stage::load(&sandbox, "report-flood");
    let refused = plugin.run(Stage::default().occasion());
    let line = "the plugin reports a failure: a run may have 3 submitted reports";
    assert_eq!(failure(&refused), ("plugin-failed", line.to_owned()));

    let second = plugin.run(Stage { trigger: Trigger::Demand, ..Stage::default() }.occasion());
    let line = "the plugin reports a failure: a run submits one report, and this one has been taken already";
    assert_eq!(failure(&second), ("plugin-failed", line.to_owned()));
    stage::product_goes_on(&sandbox);
}

#[test]
fn a_flood_of_calls_is_refused_by_name() {
    let record = run("call-flood", Limits { calls: 1000, ..Limits::default() });
    let line = "the plugin reports a failure: quota: a run may have 1000 calls";
    assert_eq!(failure(&record), ("plugin-failed", line.to_owned()));
}

#[test]
fn a_flood_of_passes_over_the_accounts_is_refused_by_name() {
    let record = run("pass-flood", Limits { passes: 2, stuck_threads: 9, ..Limits::default() });
    let line = "the plugin reports a failure: quota: a run may have 2 passes over the accounts";
    assert_eq!(failure(&record), ("plugin-failed", line.to_owned()));
    assert_eq!(record.accounts_read, 2);
}

#[test]
fn deep_recursion_is_stopped_and_leaves_the_hosts_stack_alone() {
    let record = run("deep-recursion", Limits::default());
    let line = "the plugin used up its stack of 524288 bytes: its calls were nested too deeply";
    assert_eq!(failure(&record), ("plugin-stack", line.to_owned()));
}

#[test]
fn a_report_is_not_taken_from_a_plugin_that_traps_after_it() {
    let line = "the plugin crashed: wasm `unreachable` instruction executed";
    assert_eq!(failure(&run("trap-midway", Limits::default())), ("plugin-trap", line.to_owned()));
}

#[test]
fn a_report_is_not_taken_from_a_plugin_that_fails_after_it() {
    let (code, line) = failure(&run("failing", Limits::default()));
    assert_eq!(code, "plugin-failed");
    assert!(line.starts_with("the plugin reports a failure: [2Jno way xxx"), "{line}");
}

#[test]
fn a_run_without_a_report_says_so() {
    let line = "the plugin ended without a report";
    assert_eq!(failure(&run("silent", Limits::default())), ("plugin-no-report", line.to_owned()));
}
