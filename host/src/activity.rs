//! What a host has done since it was opened: for those who watch many of them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use seatline_protocol::report::Outcome;

use crate::host::{CollectError, Collected};

/// What a host has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// How often the plugin was run, or should have been.
    pub runs: u64,
    /// How many of those runs left no counts.
    pub failed_runs: u64,
    /// How long they took together.
    pub run_time: Duration,
    /// How often the central server was asked.
    pub exchanges: u64,
    /// How often that failed, or it refused something.
    pub failed_exchanges: u64,
}

/// The counters behind an [`Activity`].
#[derive(Default)]
pub(crate) struct Counters {
    runs: AtomicU64,
    failed_runs: AtomicU64,
    run_milliseconds: AtomicU64,
    exchanges: AtomicU64,
    failed_exchanges: AtomicU64,
}

impl Counters {
    pub fn read(&self) -> Activity {
        Activity {
            runs: self.runs.load(Relaxed),
            failed_runs: self.failed_runs.load(Relaxed),
            run_time: Duration::from_millis(self.run_milliseconds.load(Relaxed)),
            exchanges: self.exchanges.load(Relaxed),
            failed_exchanges: self.failed_exchanges.load(Relaxed),
        }
    }

    pub fn ran(&self, collected: &Result<Collected, CollectError>) {
        self.runs.fetch_add(1, Relaxed);
        if let Ok(collected) = collected {
            self.run_milliseconds.fetch_add(collected.run.took_ms, Relaxed);
        }
        let is_counted = matches!(collected, Ok(Collected { run, .. }) if matches!(run.outcome, Outcome::Collected(_)));
        self.failed_runs.fetch_add(u64::from(!is_counted), Relaxed);
    }

    pub fn exchanged(&self, is_well: bool) {
        self.exchanges.fetch_add(1, Relaxed);
        self.failed_exchanges.fetch_add(u64::from(!is_well), Relaxed);
    }
}
