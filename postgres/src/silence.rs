//! Whether a server that did not answer is asked again.
//!
//! Each question to a server that stands still costs whoever asks all his patience, and a page asks several. So after
//! one that was not answered, there is a pause in which nobody asks; then one asks, and the others do not wait with
//! him. Of several hosts only the one that did not answer is known to stand still: there the next one asks at once, and
//! the pause is for when none of them lets him in.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::address::{ConnectError, PostgresAddress};
use crate::connection::{Connection, PATIENCE};

/// For how long nobody asks.
const PAUSE: Duration = Duration::from_secs(5);
/// For how long the others leave it to the one who asks after the pause: he connects, and asks.
const ATTEMPT: Duration = PATIENCE.saturating_mul(2);
/// A server that lets whoever connects wait for longer, and then fails, is silent.
const SLOW: Duration = Duration::from_secs(5);

/// What was heard of a server last, by all who ask it.
#[derive(Debug, Default)]
pub struct Silence(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    answered: Option<Instant>,
    kept: Option<Kept>,
}

/// That it did not answer.
#[derive(Debug)]
struct Kept {
    reason: String,
    until: Instant,
}

impl Silence {
    /// Why the server is not to be asked now, where it is not. Whoever is given nothing asks, and says what came of it.
    pub fn refusal(&self) -> Option<String> {
        self.heard().refusal(Instant::now())
    }

    /// Connects to the server at `address`.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn connect(&self, address: &PostgresAddress) -> Result<Connection, ConnectError> {
        let asked = Instant::now();
        let connected = Connection::open(address);
        let now = Instant::now();
        match &connected {
            Err(error) if now - asked >= SLOW => self.heard().is_kept(error.to_string(), asked, now, PAUSE),
            _ => self.heard().is_broken(now),
        }
        connected
    }

    /// The server has answered, whatever it said.
    pub fn is_broken(&self) {
        self.heard().is_broken(Instant::now());
    }

    /// The server, which has so many `hosts`, has not answered what it was `asked`, for which `reason` is told.
    pub fn is_kept(&self, reason: String, asked: Instant, hosts: usize) {
        let pause = if hosts > 1 { Duration::ZERO } else { PAUSE };
        self.heard().is_kept(reason, asked, Instant::now(), pause);
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn refusal(&mut self, now: Instant) -> Option<String> {
        let kept = self.kept.as_mut()?;
        if now < kept.until {
            return Some(kept.reason.clone());
        }
        kept.until = now + ATTEMPT;
        None
    }

    fn is_broken(&mut self, now: Instant) {
        *self = Self { answered: Some(now), kept: None };
    }

    /// Where the server has answered somebody else since it was `asked`, it was the question.
    fn is_kept(&mut self, reason: String, asked: Instant, now: Instant, pause: Duration) {
        if self.answered.is_none_or(|answered| answered < asked) {
            self.kept = Some(Kept { reason, until: now + pause });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_silence_nobody_asks_for_a_pause_and_then_one_at_a_time() {
        let (mut heard, begin) = (Heard::default(), Instant::now());
        assert_eq!([begin, begin].map(|now| heard.refusal(now)), [None, None], "all ask whoever was not silent");
        let now = begin + PATIENCE;
        heard.is_kept("silent".to_owned(), begin, now, PAUSE);
        let refused = Some("silent".to_owned());
        assert_eq!(heard.refusal(now), refused);
        assert_eq!(heard.refusal(now + PAUSE - Duration::from_millis(1)), refused);
        assert_eq!(heard.refusal(now + PAUSE), None, "one asks");
        assert_eq!(heard.refusal(now + PAUSE), refused, "and the others do not wait with him");
        // Should he never say what came of it, the next one asks.
        assert_eq!(heard.refusal(now + PAUSE + ATTEMPT), None);
        heard.is_broken(now + PAUSE + ATTEMPT);
        assert_eq!([now, now].map(|now| heard.refusal(now)), [None, None]);
    }

    #[test]
    fn a_question_that_takes_too_long_while_others_are_answered_silences_nobody() {
        let (mut heard, begin) = (Heard::default(), Instant::now());
        heard.is_broken(begin + PATIENCE / 2);
        heard.is_kept("silent".to_owned(), begin, begin + PATIENCE, PAUSE);
        assert_eq!(heard.refusal(begin + PATIENCE), None);
    }

    #[test]
    fn where_there_are_other_hosts_one_asks_at_once() {
        let asked = |hosts| {
            let silence = Silence::default();
            silence.is_kept("silent".to_owned(), Instant::now(), hosts);
            [(); 2].map(|()| silence.refusal().is_none())
        };
        assert_eq!((asked(1), asked(2)), ([false, false], [true, false]));
    }
}
