//! What becomes of a report that has arrived: the rule of the chain, and the rule about clocks.

use jiff::Timestamp;
use seatline_protocol::ReceiptVerdict;
use seatline_protocol::chain::{self, Admission, Neighbours};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::report::MAX_CLOCK_AHEAD;

use super::report::Incoming;

/// What a store does with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is stored, and its receipt says this.
    Store(ReceiptVerdict),
    /// It is stored already: the receipt of then is made again.
    Repeat,
    /// It is refused and kept aside.
    Refuse(RefusalCode),
}

/// Decides on a report, by what is stored around its place. Every store calls this inside its transaction.
pub fn decide(incoming: &Incoming, stored: &Neighbours, now: Timestamp) -> Decision {
    let report = &incoming.report;
    let admission = chain::admit(&incoming.digest, report.previous.as_ref(), stored);
    match admission {
        Admission::Repeated => Decision::Repeat,
        Admission::Fork => Decision::Refuse(RefusalCode::Fork),
        Admission::BrokenChain => Decision::Refuse(RefusalCode::BrokenChain),
        Admission::Chained | Admission::AfterGap if report.observed_at.duration_since(now) > MAX_CLOCK_AHEAD => {
            Decision::Refuse(RefusalCode::FutureReport)
        }
        Admission::Chained => Decision::Store(ReceiptVerdict::Chained),
        Admission::AfterGap => Decision::Store(ReceiptVerdict::AfterGap),
    }
}
