//! The clock is a parameter. All times that the central server makes are whole milliseconds, so that a time that was
//! stored is the same time when it is read, and a receipt that is made again is the same receipt.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// `time` without what lies below a millisecond.
pub fn millis(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock of one's own, for tests.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        millis((self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
