//! Whether a server that did not answer is asked again.
//!
//! Each question to a server that stands still costs whoever asks all his patience, and a page asks several. So after
//! one that was not answered, there is a pause in which nobody asks; then one asks, and the others do not wait with
//! him.

use std::time::{Duration, Instant};

use crate::connection::PATIENCE;

/// For how long nobody asks.
const PAUSE: Duration = Duration::from_secs(5);
/// For how long the others leave it to the one who asks after the pause: he connects, and asks.
const ATTEMPT: Duration = PATIENCE.saturating_mul(2);

/// What was heard of a server last.
#[derive(Debug, Default)]
pub struct Silence {
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
    /// Why the server is not to be asked at `now`, where it is not. Whoever is given nothing asks, and says what came
    /// of it.
    pub fn refusal(&mut self, now: Instant) -> Option<String> {
        let kept = self.kept.as_mut()?;
        if now < kept.until {
            return Some(kept.reason.clone());
        }
        kept.until = now + ATTEMPT;
        None
    }

    /// It has answered at `now`, whatever it said.
    pub fn is_broken(&mut self, now: Instant) {
        *self = Self { answered: Some(now), kept: None };
    }

    /// It has not answered between `asked` and `now`, for which `reason` is told. Where it has answered somebody else
    /// meanwhile, it was the question.
    pub fn is_kept(&mut self, reason: String, asked: Instant, now: Instant) {
        if self.answered.is_none_or(|answered| answered < asked) {
            self.kept = Some(Kept { reason, until: now + PAUSE });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_silence_nobody_asks_for_a_pause_and_then_one_at_a_time() {
        let (mut silence, begin) = (Silence::default(), Instant::now());
        assert_eq!([begin, begin].map(|now| silence.refusal(now)), [None, None], "all ask whoever was not silent");
        let now = begin + PATIENCE;
        silence.is_kept("silent".to_owned(), begin, now);
        let refused = Some("silent".to_owned());
        assert_eq!(silence.refusal(now), refused);
        assert_eq!(silence.refusal(now + PAUSE - Duration::from_millis(1)), refused);
        assert_eq!(silence.refusal(now + PAUSE), None, "one asks");
        assert_eq!(silence.refusal(now + PAUSE), refused, "and the others do not wait with him");
        // Should he never say what came of it, the next one asks.
        assert_eq!(silence.refusal(now + PAUSE + ATTEMPT), None);
        silence.is_broken(now + PAUSE + ATTEMPT);
        assert_eq!([now, now].map(|now| silence.refusal(now)), [None, None]);
    }

    #[test]
    fn a_question_that_takes_too_long_while_others_are_answered_silences_nobody() {
        let (mut silence, begin) = (Silence::default(), Instant::now());
        silence.is_broken(begin + PATIENCE / 2);
        silence.is_kept("silent".to_owned(), begin, begin + PATIENCE);
        assert_eq!(silence.refusal(begin + PATIENCE), None);
    }
}
