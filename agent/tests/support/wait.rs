//! Waiting for what is to come, but not for ever: a test that hangs says nothing.

use std::time::{Duration, Instant};

/// A long time for a test: what takes longer does not come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something, and fails with `what` if it never does.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
