//! The history of use (`g8`, `b7`): what was counted, and since when.
//!
//! Three pure steps, which the store and the pages only carry:
//!
//! 1. a report becomes [`Facts`] and [`LicenseFacts`]: what the history keeps of it;
//! 2. reports that say the same are one [`Run`]. Only its begin is kept: it lasts until the next one begins, and the
//!    last one until the latest report, so that a report which repeats the one before costs nothing;
//! 3. runs fold into [`Span`]s: a day, a month, all time, each with the lowest, the highest and the last count. A chart
//!    reads spans, and so costs the same whatever happened.

mod difference;
mod facts;
mod span;
mod view;

pub use difference::{Change, ClassChange, Difference, DimensionChange, Side};
pub use facts::{Classes, Facts, LicenseFacts, Mark, Trace, Use};
pub use span::{Last, MAX_SERIES, Run, Series, Silence, Span, SpanLength};
pub use view::{ClassPeriod, DimensionHistory, History, Kept, Peak, Period, Range, day_of, days_before, days_from};

use jiff::SignedDuration;
use seatline_protocol::Settings;

/// How long a product may be silent, at least, before its history has a hole: a restart is none.
const LEAST_PATIENCE: SignedDuration = SignedDuration::from_hours(26);
/// For how many intervals a product may be silent before its history has a hole.
const PATIENCE_INTERVALS: i64 = 3;

/// How long a product with this synchronisation interval, in seconds, may be silent before its history has a hole.
pub fn patience(interval: u32) -> SignedDuration {
    LEAST_PATIENCE
        .max(SignedDuration::from_secs(PATIENCE_INTERVALS * i64::from(interval.max(Settings::DEFAULT_INTERVAL))))
}

#[cfg(test)]
mod tests;
