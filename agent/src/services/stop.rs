//! Whether the agent is to stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

/// Whether somebody wants the agent to stop. Its clones are one.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    is_requested: bool,
    /// How often those that wait were to look again at once.
    nudges: u64,
    /// What is still to be called when it is.
    then: Vec<Box<dyn FnOnce() + Send>>,
}

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
        let then = {
            let mut state = self.state();
            state.is_requested = true;
            std::mem::take(&mut state.then)
        };
        self.0.1.notify_all();
        then.into_iter().for_each(|then| then());
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.state().is_requested
    }

    /// Calls `then` when it is requested, or at once if it was. For what does not wait in a thread of its own.
    pub fn when_requested(&self, then: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        match state.is_requested {
            false => state.then.push(Box::new(then)),
            true => {
                drop(state);
                then();
            }
        }
    }

    /// Waits for `most`, or until it is requested.
    pub fn wait(&self, most: Duration) {
        // Whether it was requested or the time is over, the caller looks again.
        drop(self.0.1.wait_timeout_while(self.state(), most, |state| !state.is_requested));
    }

    /// Waits for `most`, or until it is requested, or until somebody wants whoever waits here to look again.
    pub fn wait_for_nudge(&self, most: Duration) {
        let state = self.state();
        let seen = state.nudges;
        drop(self.0.1.wait_timeout_while(state, most, |state| !state.is_requested && state.nudges == seen));
    }

    /// Lets whoever waits for it look again at once.
    pub fn nudge(&self) {
        self.state().nudges += 1;
        self.0.1.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
