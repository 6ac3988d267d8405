//! A moment by two clocks: what lasts for a while is over as soon as either says so.
//!
//! The time of day can be set back, and the clock of the machine stands still while it sleeps. Neither makes a session
//! longer.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// By the clock that is never set.
    steady: Instant,
    /// By the time of day.
    pub time: Timestamp,
}

impl Moment {
    /// The present one.
    pub fn now() -> Self {
        Self { steady: Instant::now(), time: Timestamp::now() }
    }

    /// Whether what began then and lasts for `lifetime` is not over yet.
    pub fn lasts(&self, lifetime: SignedDuration, now: Self) -> bool {
        let passed = SignedDuration::try_from(now.steady.saturating_duration_since(self.steady));
        now.time.duration_since(self.time) < lifetime && passed.is_ok_and(|passed| passed < lifetime)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::LazyLock;
    use std::time::Duration;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    /// So many seconds after the start of the tests by the clock that is never set, at the second `time` of the day.
    pub fn set_to(time: i64, steady: u64) -> Moment {
        let time = Timestamp::from_second(time).expect("in range");
        Moment { steady: *START + Duration::from_secs(steady), time }
    }

    /// So many seconds after the start of the tests by both.
    pub fn at(second: u64) -> Moment {
        set_to(second.cast_signed(), second)
    }

    #[test]
    fn neither_a_clock_that_is_set_back_nor_one_that_stands_still_makes_anything_longer() {
        let (begun, lifetime) = (at(1000), SignedDuration::from_secs(60));
        assert!(begun.lasts(lifetime, at(1000)) && begun.lasts(lifetime, at(1059)));
        assert!(!begun.lasts(lifetime, at(1060)));
        assert!(begun.lasts(lifetime, set_to(0, 1059)), "it was set back, and nobody has to sign in again for that");
        assert!(!begun.lasts(lifetime, set_to(0, 1060)));
        assert!(!begun.lasts(lifetime, set_to(1060, 1001)), "the machine has slept");
    }
}
