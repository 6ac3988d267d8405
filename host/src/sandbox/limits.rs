//! What a run may use at the most.

use std::time::Duration;

/// The most of everything that one run of a plugin may use. All of them hold for every run; none can be switched off.
///
/// The defaults leave the stock plugin, and plugins that bring a JavaScript engine along, a wide margin: the stock
/// plugin counts a million accounts in well under a second and 2 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long the plugin itself may compute, wall-clock, from its instantiation on. The time that it waits for the
    /// product is not counted: a slow database is not blamed on the plugin. Default: 10 seconds.
    ///
    /// Against an endless loop, in `run` or already in a start function.
    pub plugin_time: Duration,
    /// How long a run may wait for the product in total. Then `accounts` and `usage` are refused as `unavailable`, and
    /// the plugin may still report the rest. Default: 10 minutes.
    ///
    /// Against a product that hangs: the run ends, and says that it was the product.
    pub product_time: Duration,
    /// How many threads may be left inside the product because it did not return in time. While there are as many,
    /// `accounts` and `usage` are refused as `unavailable`. Default: 2 threads.
    ///
    /// Against a product that hangs at every interval, one more thread each time.
    pub stuck_threads: usize,
    /// Linear memory of all instances of the run together, in bytes. Default: 64 MiB.
    ///
    /// Against growth of memory, in one memory or spread over many.
    pub memory: usize,
    /// Elements of all tables of the run together. Default: 100,000 elements, eight bytes each.
    ///
    /// Against growth of tables, which the limit of memory does not see.
    pub table_elements: usize,
    /// How many memories. Default: 8. Each costs address space and a system call, even when it is empty.
    pub memories: usize,
    /// How many tables. Default: 32.
    pub tables: usize,
    /// How many instances of core modules. Default: 64.
    pub instances: usize,
    /// How many component-model handles may live at once. Default: 1,024. The contract has none; a plugin that makes
    /// its own resources fills a table in the host, outside its memory.
    pub handles: usize,
    /// Bytes that may cross from the plugin to the host in one call. Default: 16 MiB, twice what a report of 64
    /// licenses of the greatest size comes to. Beyond it the plugin is stopped before the host has allocated anything.
    ///
    /// Against giant strings and lists.
    pub bytes_per_call: usize,
    /// Bytes of reports and journal lines that the host takes from the plugin in the whole run. Default: 32 MiB.
    ///
    /// Against many large values, each within the limit of a call.
    pub bytes: usize,
    /// Calls into the host, but for the journal's. Default: 100,000: a million accounts in pages of ten still pass.
    ///
    /// Against a flood of calls.
    pub calls: u64,
    /// Passes over the accounts that may be begun. Default: 4. Each costs the product a query.
    pub passes: u32,
    /// Reports that may be submitted, with those that were refused. Default: 4.
    ///
    /// Against guessing what the host lets through.
    pub submits: u32,
    /// Lines of the journal that are kept. Default: 200. Those beyond are counted and dropped.
    pub journal_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            plugin_time: Duration::from_secs(10),
            product_time: Duration::from_secs(600),
            stuck_threads: 2,
            memory: 64 << 20,
            table_elements: 100_000,
            memories: 8,
            tables: 32,
            instances: 64,
            handles: 1024,
            bytes_per_call: 16 << 20,
            bytes: 32 << 20,
            calls: 100_000,
            passes: 4,
            submits: 4,
            journal_lines: 200,
        }
    }
}
