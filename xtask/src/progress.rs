//! Telling what is being done while it is done: one line for each step, with the time since the start.
//!
//! Progress goes to standard error, so that what a task gives to machines stands alone on standard output.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// The clock of a task and the steps that it took.
pub struct Progress {
    started: Instant,
    colour: bool,
    steps: Vec<(String, Duration)>,
}

impl Progress {
    /// Starts the clock.
    pub fn start() -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { started: Instant::now(), colour, steps: Vec::new() }
    }

    /// Says `what` is done now.
    pub fn say(&self, what: &str) {
        let elapsed = self.started.elapsed().as_secs_f64();
        if self.colour {
            eprintln!("\x1b[36m[{elapsed:7.1} s]\x1b[0m \x1b[1m{what}\x1b[0m");
        } else {
            eprintln!("[{elapsed:7.1} s] {what}");
        }
    }

    /// Says `what`, does it, and keeps how long it took.
    pub fn step<T>(&mut self, what: &str, work: impl FnOnce(&Self) -> T) -> T {
        self.say(what);
        let begun = Instant::now();
        let done = work(self);
        self.steps.push((what.to_owned(), begun.elapsed()));
        done
    }

    /// The steps and how long each took, as one line.
    pub fn summary(&self) -> String {
        let steps: Vec<_> =
            self.steps.iter().map(|(what, took)| format!("{what} {:.1} s", took.as_secs_f64())).collect();
        format!("{} (all {:.1} s)", steps.join(", "), self.started.elapsed().as_secs_f64())
    }
}
