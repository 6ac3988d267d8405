//! A line of the log that may come again and again: written at once, and then once in a while with how often it came
//! since. An outage, or a flood of strangers, fills no disk with it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a line is left out after it was written.
const PAUSE: Duration = Duration::from_secs(10);

/// A line of the log.
///
/// ```
/// use seatline_web::repeated::Repeated;
///
/// static FULL: Repeated = Repeated::new();
/// for _ in 0..1000 {
///     if let Some(left_out) = FULL.due() {
///         eprintln!("the disk is full ({left_out} more such lines)");
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Repeated(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    written_at: Option<Instant>,
    left_out: u64,
}

impl Repeated {
    /// A line that was not written yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { written_at: None, left_out: 0 }))
    }

    /// How many lines were left out since the last one, where it is time to write it; else it is counted.
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written_at.is_some_and(|written_at| now.duration_since(written_at) < PAUSE) {
            state.left_out += 1;
            return None;
        }
        state.written_at = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_at_once_and_then_with_how_often_it_was_left_out() {
        let (line, begin) = (Repeated::new(), Instant::now());
        assert_eq!(line.due_at(begin), Some(0));
        assert_eq!([1, 9999].map(|ms| line.due_at(begin + Duration::from_millis(ms))), [None, None]);
        assert_eq!(line.due_at(begin + PAUSE), Some(2));
        assert_eq!(line.due_at(begin + PAUSE * 2), Some(0), "and begins to count anew");
    }
}
