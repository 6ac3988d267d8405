//! One story in a process of its own, because it measures the memory of the process.

#[path = "sandbox/stage.rs"]
#[allow(dead_code, reason = "the other stories use the rest")]
mod stage;

use std::sync::Arc;

use seatline_host::sandbox::Limits;
use stage::{Stage, Wiki};

/// The most memory that this process has had resident so far, in bytes: `VmHWM` of proc(5).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line of the peak");
    let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kibibytes.expect("a number of kB") * 1024
}

#[test]
fn a_million_accounts_raise_the_memory_by_less_than_32_mib() {
    let sandbox = stage::sandbox(Limits::default());
    let plugin = stage::load(&sandbox, "honest");
    let count = |accounts| {
        let stage = Stage { product: Arc::new(Wiki { accounts }), ..Stage::default() };
        plugin.run(stage.occasion()).result.expect("a report").collected.accounts.expect("counts")
    };
    count(1);
    let before = peak();
    let counts = count(1_000_000);
    let raised = peak() - before;
    assert_eq!((counts.total, counts.counted, counts.service_accounts), (1_000_000, 400_000, 200_000));
    assert!(raised < 32 << 20, "{raised} bytes");
}
