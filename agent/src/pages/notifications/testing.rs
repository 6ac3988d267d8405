//! The test of the notifications (`s7`): in the background, because a server may take a minute to answer.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use seatline_host::HostError;

use crate::http::job::{Job, JobState};
use crate::instance::Instance;
use crate::notices::{Notices, Tested};
use crate::pages::{PageError, now};

/// How long the answer waits for the result, so that most people see it at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The test that somebody has asked for.
pub struct Testing(Job<EndedTest>);

/// A test that has ended.
pub struct EndedTest {
    /// When.
    pub at: Timestamp,
    /// What it came to: each channel by itself, or why none was tried.
    pub result: Result<Vec<Tested>, HostError>,
}

impl Default for Testing {
    fn default() -> Self {
        Self(Job::new("test of the notifications"))
    }
}

impl Testing {
    /// How it goes.
    pub fn state(&self) -> JobState<EndedTest> {
        self.0.state()
    }

    /// Begins one, unless one is under way, and waits a little for its end.
    ///
    /// # Errors
    /// When no thread can be started.
    pub async fn begin(&self, instance: &Arc<Instance>) -> Result<(), PageError> {
        let instance = Arc::clone(instance);
        let test = move |_| {
            let result = Notices::of(&instance).test();
            EndedTest { at: now(), result }
        };
        self.0.begin(test).map_err(|_| PageError::internal())?;
        self.0.wait(PATIENCE).await;
        Ok(())
    }
}
