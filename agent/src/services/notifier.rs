//! The service that tells administrators (`s5`, `s6`): a look at what is due at the start, every 24 hours, and whenever
//! something has changed that could make a notice due; and the deliveries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use seatline_host::host::HostError;
use seatline_host::store::{Slot, Stamp, StoreError};

use super::Service;
use super::schedule::Lookout;
use super::stop::Stop;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::notices::Notices;

/// How often is looked what is due at the least.
const INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// How often is looked whether anything has changed, or a delivery is due.
const LOOK: Duration = Duration::from_secs(2);

/// Tells administrators what they are to be told.
pub struct Notifier<'i> {
    instance: &'i Instance,
}

impl<'i> Notifier<'i> {
    /// The service of `instance`, which tells while it is this node's turn.
    pub fn new(instance: &'i Instance) -> Self {
        Self { instance }
    }
}

/// What was seen when it was last looked.
#[derive(Default)]
struct Seen {
    /// When is looked again at the latest; at once in the beginning.
    again: Option<Instant>,
    /// What could make a notice due.
    causes: Vec<Stamp>,
    /// The book, and when its next delivery is due.
    book: Option<Stamp>,
    next_due: Option<jiff::Timestamp>,
}

impl Service for Notifier<'_> {
    fn name(&self) -> &'static str {
        "notifier"
    }

    fn run(&self, stop: &Stop) -> Result<(), Failure> {
        let (mut seen, mut lookout) = (Seen::default(), Lookout::default());
        while !stop.is_requested() {
            if self.instance.has_turn() {
                // Whatever happens in a step, the next one comes.
                let step = catch_unwind(AssertUnwindSafe(|| self.step(&mut seen, stop)));
                match step {
                    Ok(Ok(())) => {
                        if lookout.is_free_again() {
                            tracing::debug!("notices can be told again");
                        }
                    }
                    Ok(Err(Blocked::Ours(error))) => {
                        if lookout.is_blocked_by(&error.to_string()) {
                            tracing::error!(code = error.code(), "no notice is told until this is mended: {error}");
                        }
                    }
                    Ok(Err(Blocked::Elsewhere(error))) => {
                        if lookout.is_blocked_by(&error.to_string()) {
                            tracing::debug!(code = error.code(), "no notice is told until this is mended: {error}");
                        }
                    }
                    Err(_) => {
                        seen.again = Some(Instant::now() + INTERVAL);
                        tracing::error!(code = "internal", "telling failed unexpectedly; it is tried again tomorrow");
                    }
                }
            } else {
                // Who takes over looks at once.
                seen = Seen::default();
            }
            stop.wait(lookout.wait().max(LOOK));
        }
        Ok(())
    }
}

/// What is in the way of telling.
enum Blocked {
    /// The state of the notices themselves.
    Ours(StoreError),
    /// The rest of the state, of which the synchroniser tells.
    Elsewhere(HostError),
}

impl From<HostError> for Blocked {
    fn from(error: HostError) -> Self {
        Self::Elsewhere(error)
    }
}

impl Notifier<'_> {
    fn step(&self, seen: &mut Seen, stop: &Stop) -> Result<(), Blocked> {
        let (host, notices) = (&self.instance.host, Notices::of(self.instance));
        let causes = host.notices_stamp().map_err(HostError::from)?;
        let is_time = seen.again.is_none_or(|again| again <= Instant::now());
        if is_time || causes != seen.causes {
            notices.settings().map_err(Blocked::Ours)?;
            self.look_into_book(seen)?;
            notices.take()?;
            if is_time && let Some(problem) = notices.probe()? {
                tracing::warn!(code = problem.code, "no mail would arrive: {}", problem.message);
            }
            seen.causes = causes;
            if is_time {
                seen.again = Some(Instant::now() + INTERVAL);
            }
        }
        self.look_into_book(seen)?;
        // What is kept is kept once, but a mail cannot be taken back: who stood still asks whether it is still his to
        // send.
        let is_over = || stop.is_requested() || !self.instance.has_turn();
        while seen.next_due.is_some_and(|due| host.now().is_ok_and(|now| due <= now)) {
            if is_over() || !self.instance.confirms_turn() || notices.deliver(&is_over)? == 0 {
                break;
            }
            self.look_into_book(seen)?;
        }
        Ok(())
    }

    /// Reads the book again if it has changed.
    fn look_into_book(&self, seen: &mut Seen) -> Result<(), Blocked> {
        let host = &self.instance.host;
        let stamp = host.kept_stamp(Slot::Notices).map_err(Blocked::Ours)?;
        if seen.book.is_none() || seen.book != stamp {
            seen.next_due = host.book_of_notices().map_err(Blocked::Ours)?.next_due();
            seen.book = stamp;
        }
        Ok(())
    }
}
