//! What `seatline run` does all the time: a thread for each [`Service`], until somebody wants the agent to stop.
//!
//! A new service is a file beside [`synchroniser`], and a line in `commands/run.rs`.

pub mod membership;
pub mod notifier;
pub mod opening;
pub mod schedule;
pub mod stop;
pub mod supervisor;
pub mod synchroniser;
pub mod waiter;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::Failure;
use stop::Stop;

/// Something that works for as long as the agent runs.
pub trait Service: Sync {
    /// What it is called in the log.
    fn name(&self) -> &'static str;

    /// Works until `stop` is requested, and ends the step that it is in.
    ///
    /// # Errors
    /// When it cannot go on: then the whole agent stops, so that a service manager sees it. What passes by itself is
    /// logged and tried again instead.
    fn run(&self, stop: &Stop) -> Result<(), Failure>;
}

/// Runs all `services`, each in a thread of its own, until one of them ends or `stop` is requested.
///
/// # Errors
/// Why the first of them, in their order, could not go on.
pub fn run(services: &[&dyn Service], stop: &Stop) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let started: Vec<_> = services
            .iter()
            .map(|service| {
                scope.spawn(move || {
                    let ended = catch_unwind(AssertUnwindSafe(|| service.run(stop)))
                        .unwrap_or_else(|_| Err(unexpected(*service)));
                    // The others do not go on as if nothing were missing.
                    stop.request();
                    ended
                })
            })
            .collect();
        let ended: Vec<Result<(), Failure>> = started
            .into_iter()
            .zip(services)
            .map(|(thread, service)| thread.join().unwrap_or_else(|_| Err(unexpected(*service))))
            .collect();
        ended.into_iter().collect()
    })
}

fn unexpected(service: &dyn Service) -> Failure {
    Failure::new("internal", format!("the {} failed unexpectedly; start the agent again", service.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Waits for the stop, or ends at once as it is told.
    struct Told(Option<End>);

    type End = fn() -> Result<(), Failure>;

    impl Service for Told {
        fn name(&self) -> &'static str {
            "test"
        }

        fn run(&self, stop: &Stop) -> Result<(), Failure> {
            match self.0 {
                Some(end) => end(),
                None => {
                    while !stop.is_requested() {
                        stop.wait(Duration::from_secs(3600));
                    }
                    Ok(())
                }
            }
        }
    }

    #[test]
    fn a_service_that_cannot_go_on_stops_the_others_and_is_told() {
        let cases: [(End, &str); 2] = [
            (|| Err(Failure::new("address-in-use", "the port is taken")), "address-in-use"),
            (|| panic!("a defect"), "internal"),
        ];
        for (end, code) in cases {
            let failure = run(&[&Told(None), &Told(Some(end)), &Told(None)], &Stop::default()).expect_err("it ended");
            assert_eq!(failure.code, code);
        }
    }

    #[test]
    fn a_requested_stop_ends_all_services_well() {
        let stop = Stop::default();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&[&Told(None), &Told(None)], &stop));
            stop.request();
            assert_eq!(running.join().expect("no panic"), Ok(()));
        });
    }
}
