//! The test of the notifications (`s7`): one at a time, in a thread of its own, because a server may take a minute to answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_host::HostError;

use crate::instance::Instance;
use crate::notices::{Notices, Tested};
use crate::pages::{PageError, now};

/// How long the answer waits for the result, so that most people see it at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// The test that somebody has asked for.
#[derive(Default)]
pub struct Testing(Mutex<TestState>);

/// How it goes.
#[derive(Clone, Default)]
pub struct TestState {
    /// Since when one is under way.
    pub begun_at: Option<Timestamp>,
    /// The last that has ended: when, and what it came to.
    pub last: Option<(Timestamp, TestResult)>,
}

/// What a test came to: each channel by itself, or why none was tried.
pub type TestResult = Arc<Result<Vec<Tested>, HostError>>;

impl Testing {
    /// How it goes.
    pub fn state(&self) -> TestState {
        self.lock().clone()
    }

    /// Begins one, unless one is under way.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn begin(self: &Arc<Self>, instance: &Arc<Instance>) -> Result<(), PageError> {
        let mut state = self.lock();
        if state.begun_at.is_some() {
            return Ok(());
        }
        let (this, instance) = (Arc::clone(self), Arc::clone(instance));
        let run = move || {
            // Also where it fails unexpectedly, it is over.
            let _over = Over(&this);
            let result = Notices::of(&instance).test();
            this.lock().last = Some((now(), Arc::new(result)));
        };
        Builder::new().name("test of the notifications".to_owned()).spawn(run).map_err(|error| {
            tracing::error!(code = "internal", "a test of the notifications could not begin: {error}");
            PageError::internal()
        })?;
        state.begun_at = Some(now());
        Ok(())
    }

    /// Waits a little for its end.
    pub async fn wait(&self) {
        let begun = Instant::now();
        while self.state().begun_at.is_some() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, TestState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Over<'t>(&'t Testing);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().begun_at = None;
    }
}
