//! The service that waits for the central server: "Synchronise now" and changed settings then come within two seconds
//! (`w6`).
//!
//! It is comfort. Where the central server does not know such requests, or a proxy cuts them off, it asks for shorter
//! ones and ever more rarely, and the interval brings the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use seatline_host::exchange::ExchangeError;
use seatline_host::host::News;
use seatline_host::link::LinkState;
use seatline_protocol::wait::MAX_SECONDS;

use super::Service;
use super::stop::Stop;
use crate::failure::Failure;
use crate::instance::Instance;

/// How often is looked whether there is somebody to wait for.
const LOOK: Duration = Duration::from_secs(1);
/// The pauses after failures: the first, and the longest that they double up to.
const PAUSES: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(3600));
/// The shortest request that is asked for, in seconds.
const LEAST_SECONDS: u64 = 5;
/// An answer without news that comes sooner is a failure: whoever asked on would ask without a pause.
const TOO_SOON: Duration = Duration::from_secs(1);

/// Waits for the central server, for as long as there is a link.
pub struct Waiter<'i>(pub &'i Instance);

/// What ends the waiting for an answer.
enum Event {
    /// The agent is to stop.
    Stopping,
    /// It came, or did not.
    Answered(Result<News, ExchangeError>),
    /// The request failed unexpectedly.
    Broken,
}

impl Service for Waiter<'_> {
    fn name(&self) -> &'static str {
        "waiter"
    }

    fn run(&self, stop: &Stop) -> Result<(), Failure> {
        let (events, happened) = channel();
        let stopping = events.clone();
        // Whoever listened may be gone.
        stop.when_requested(move || drop(stopping.send(Event::Stopping)));
        let mut pace = Pace::default();
        while !stop.is_requested() {
            if !self.is_of_use() {
                pace = Pace::default();
                stop.wait(LOOK);
                continue;
            }
            let begun = Instant::now();
            if self.ask(pace.seconds, events.clone()).is_err() {
                stop.wait(PAUSES.0);
                continue;
            }
            let pause = match happened.recv() {
                Ok(Event::Answered(answered)) => {
                    if let Err(error) = &answered {
                        tracing::debug!(code = error.code(), "the central server is not waited for: {error}");
                    }
                    if matches!(answered, Ok(News::Changed)) {
                        stop.nudge();
                    }
                    pace.after(&answered, begun.elapsed(), random())
                }
                Ok(Event::Broken) => PAUSES.1,
                Ok(Event::Stopping) | Err(_) => break,
            };
            stop.wait(pause);
        }
        Ok(())
    }
}

impl Waiter<'_> {
    /// Whether there is a link that can have news, and it is this node's turn.
    fn is_of_use(&self) -> bool {
        let waits = |state| matches!(state, LinkState::Pending | LinkState::Approved);
        self.0.config.link.wait
            && self.0.has_turn()
            && self.0.host.link().is_ok_and(|link| link.is_some_and(|link| waits(link.state)))
    }

    /// Asks in a thread of its own: a request cannot be called off, and an agent that is to stop does not wait for its
    /// end.
    fn ask(&self, seconds: u64, events: Sender<Event>) -> std::io::Result<()> {
        let host = Arc::clone(&self.0.host);
        let ask = move || {
            let answered = catch_unwind(AssertUnwindSafe(|| host.wait_for_news(seconds)));
            // The service may have ended meanwhile.
            let _ = events.send(answered.map_or(Event::Broken, Event::Answered));
        };
        Builder::new().name("waiting".to_owned()).spawn(ask).map(drop)
    }
}

/// How long is asked for, and when again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pace {
    /// For how many seconds the next request may wait.
    seconds: u64,
    failures: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { seconds: MAX_SECONDS, failures: 0 }
    }
}

impl Pace {
    /// How long to pause after an answer that took so long: not at all while all goes well, and else twice as long with
    /// each failure, as `random` decides between a quarter and five quarters of it.
    fn after(&mut self, answered: &Result<News, ExchangeError>, took: Duration, random: u16) -> Duration {
        match answered {
            Ok(News::Changed) => {
                self.failures = 0;
                return TOO_SOON.saturating_sub(took);
            }
            Ok(News::None) if took >= TOO_SOON => {
                self.failures = 0;
                return Duration::ZERO;
            }
            _ => {}
        }
        // Whatever was silent for so long was cut off, if it was: the next one is over before that.
        if answered.is_err() && took >= Duration::from_secs(LEAST_SECONDS) {
            self.seconds = (took.as_secs() * 3 / 4).clamp(LEAST_SECONDS, self.seconds.max(LEAST_SECONDS));
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = PAUSES.0.saturating_mul(1 << (self.failures - 1).min(16)).min(PAUSES.1);
        let asked = match answered {
            Err(ExchangeError::Client(error)) => error.retry_after().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        (doubled / 4 + doubled * u32::from(random) / u32::from(u16::MAX)).max(asked)
    }
}

/// Without randomness the fleet loses its jitter, and nothing else.
fn random() -> u16 {
    let mut random = [0; 2];
    let _ = getrandom::fill(&mut random);
    u16::from_le_bytes(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cut_off() -> Result<News, ExchangeError> {
        Err(ExchangeError::NotLinked)
    }

    #[test]
    fn w6_it_asks_on_at_once_while_all_goes_well() {
        let mut pace = Pace::default();
        assert_eq!(pace.after(&Ok(News::None), SECOND * 50, 0), Duration::ZERO);
        assert_eq!(pace.after(&Ok(News::Changed), SECOND * 3, 0), Duration::ZERO);
        assert_eq!(pace.after(&Ok(News::Changed), Duration::ZERO, 0), SECOND, "and never without an end");
        assert_eq!(pace, Pace::default());
    }

    #[test]
    fn g3_it_backs_off_with_jitter_up_to_an_hour_where_waiting_fails() {
        let (mut least, mut most) = (Pace::default(), Pace::default());
        let mut before = Duration::ZERO;
        for _ in 0..40 {
            let (low, high) =
                (least.after(&cut_off(), Duration::ZERO, 0), most.after(&cut_off(), Duration::ZERO, u16::MAX));
            assert!(low >= before && low < high && high <= PAUSES.1 * 5 / 4, "{low:?} {high:?}");
            before = low;
        }
        assert_eq!(before, PAUSES.1 / 4);
        assert!(
            Pace::default().after(&Ok(News::None), Duration::ZERO, 0) >= PAUSES.0 / 4,
            "an answer that says nothing at once"
        );
        assert_eq!(least.after(&Ok(News::None), SECOND * 50, 0), Duration::ZERO);
        assert_eq!(least.failures, 0);
    }

    #[test]
    fn w6_where_a_proxy_cuts_requests_off_shorter_ones_are_asked_for() {
        let mut pace = Pace::default();
        pace.after(&cut_off(), SECOND * 30, 0);
        assert_eq!(pace.seconds, 22);
        pace.after(&cut_off(), Duration::ZERO, 0);
        assert_eq!(pace.seconds, 22, "one that was refused at once was not cut off");
        for _ in 0..10 {
            pace.after(&cut_off(), SECOND * 5, 0);
        }
        assert_eq!(pace.seconds, LEAST_SECONDS);
    }
}
