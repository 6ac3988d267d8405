//! Ctrl-C: noticed instead of ending the process, so that everything that was started is stopped in order.

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::services::Service;
use crate::failure::{Context as _, Failure};

/// The signals that end the demo.
pub struct Interrupt(Signals);

impl Interrupt {
    /// From now on a signal no longer ends the process by itself.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch() -> Result<Self, Failure> {
        Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD]).map(Self).context("watching for Ctrl-C")
    }

    /// Fails if Ctrl-C was pressed meanwhile.
    ///
    /// # Errors
    /// When it was.
    pub fn check(&mut self) -> Result<(), Failure> {
        if self.0.pending().any(|signal| signal != SIGCHLD) { Err(Failure::new("interrupted")) } else { Ok(()) }
    }

    /// Waits for Ctrl-C, or for the end of a service.
    ///
    /// # Errors
    /// When one of the services ends by itself.
    pub fn wait(&mut self, services: &mut [Service]) -> Result<(), Failure> {
        loop {
            // The services first: one may have ended before this was called.
            for service in &mut *services {
                if let Some(status) = service.ended() {
                    let lines = service.last_lines();
                    return Err(Failure::new(format!("{} ended with {status}:\n{lines}", service.name())));
                }
            }
            if self.0.wait().any(|signal| signal != SIGCHLD) {
                return Ok(());
            }
        }
    }
}
