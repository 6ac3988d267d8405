//! How busy a store is: what its writes cost, and how many wait.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{StoreError, Stored};
use crate::metrics::Timed;

/// How busy a store is, of this process alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StoreLoad {
    /// Writes that were answered, well or not.
    pub writes: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// How long they waited for their commits, together.
    pub write_seconds: f64,
    /// Writes that wait now.
    pub waiting: u64,
}

/// What tells how busy it is.
pub trait Busy: Send + Sync {
    /// How busy it is.
    fn load(&self) -> StoreLoad;
}

/// How long a write that could not be made tells that the next one cannot be made either.
const FAILING: Duration = Duration::from_secs(10);

/// What a store keeps to tell.
#[derive(Debug, Default)]
pub(super) struct Meter {
    writes: Timed,
    failures: AtomicU64,
    waiting: AtomicU64,
    /// When the last write could not be made, and why; none once another one was made.
    failed: Mutex<Option<(Instant, String)>>,
}

impl Meter {
    /// Measures a write.
    pub(super) async fn write<T>(&self, work: impl Future<Output = Stored<T>>) -> Stored<T> {
        let began = Instant::now();
        // Whoever asked may go away before the answer.
        let _waits = Waits::begin(&self.waiting);
        let result = work.await;
        self.writes.add(began.elapsed());
        self.failures.fetch_add(u64::from(result.is_err()), Relaxed);
        let failed = match &result {
            Ok(_) => None,
            Err(StoreError::Unavailable(reason)) => Some((Instant::now(), reason.to_string())),
            // The work itself was refused: that says nothing of the database.
            Err(_) => return result,
        };
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        result
    }

    /// Why the last write could not be made, where that was a moment ago. A small write may succeed where a full disk
    /// has no room for the next report.
    pub(super) fn is_failing(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().filter(|(at, _)| at.elapsed() < FAILING).map(|(_, reason)| reason.clone())
    }

    pub(super) fn read(&self) -> StoreLoad {
        let (writes, write_seconds) = self.writes.read();
        StoreLoad { writes, failures: self.failures.load(Relaxed), write_seconds, waiting: self.waiting.load(Relaxed) }
    }
}

struct Waits<'m>(&'m AtomicU64);

impl<'m> Waits<'m> {
    fn begin(waiting: &'m AtomicU64) -> Self {
        waiting.fetch_add(1, Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
