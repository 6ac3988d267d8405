//! Which instants have come, and the nearest of those that have not.

use jiff::{SignedDuration, Timestamp};

use crate::domain::millis;

/// Asks whether instants have come, and remembers the nearest that has not: what was made of the answers is so until
/// then. Times count in whole milliseconds, as the store keeps them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    now: Timestamp,
    next: Option<Timestamp>,
}

impl Watch {
    pub fn new(now: Timestamp) -> Self {
        Self { now, next: None }
    }

    /// Whether it is `at`, or later.
    pub fn has_come(&mut self, at: Timestamp) -> bool {
        if at <= self.now {
            return true;
        }
        let whole = millis(at);
        self.expect(if whole < at { after(whole) } else { whole });
        false
    }

    /// Whether it is later than `at`.
    pub fn has_passed(&mut self, at: Timestamp) -> bool {
        if at < self.now {
            return true;
        }
        self.expect(after(millis(at)));
        false
    }

    /// The nearest instant that was asked for and has not come.
    pub fn next(self) -> Option<Timestamp> {
        self.next
    }

    fn expect(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// The next whole millisecond.
fn after(whole: Timestamp) -> Timestamp {
    whole.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX)
}
