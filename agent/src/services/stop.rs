//! Whether the agent is to stop.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

/// Whether somebody wants the agent to stop. Its clones are one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Is requested by the first SIGINT or SIGTERM; the second ends the process at once.
    ///
    /// # Errors
    /// When the system does not let us wait for signals.
    pub fn on_signals() -> Result<Self, Failure> {
        let stop = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|error| Failure::new("signals", format!("cannot wait for signals: {error}")))?;
        let requested = stop.clone();
        std::thread::spawn(move || {
            for (count, signal) in signals.forever().enumerate() {
                if count > 0 {
                    std::process::exit(128 + signal);
                }
                requested.request();
            }
        });
        Ok(stop)
    }

    /// Requests it.
    pub fn request(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `most`, or until it is requested.
    pub fn wait(&self, most: Duration) {
        let requested = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether it was requested or the time is over, the caller looks again.
        drop(self.0.1.wait_timeout_while(requested, most, |requested| !*requested));
    }
}
