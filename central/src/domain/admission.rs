//! What becomes of a report that has arrived: the rule of the chain, and the rule about clocks.

use jiff::Timestamp;
use seatline_protocol::chain::{self, Admission, Neighbours};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::report::MAX_CLOCK_AHEAD;
use seatline_protocol::{Digest, ReceiptVerdict, Sequence};

use super::quota::is_before_link;

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

/// What decides on a report that has arrived.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'c> {
    /// The digest of its exact bytes.
    pub digest: &'c Digest,
    /// The place that it claims.
    pub sequence: Sequence,
    /// The digest of the one before.
    pub previous: Option<&'c Digest>,
    /// When it was observed.
    pub observed_at: Timestamp,
}

/// Decides on a report of a link that was approved at `approved_at`, by what is stored around its place. Every store
/// calls this inside its transaction.
pub fn decide(claim: Claim<'_>, stored: &Neighbours, approved_at: Timestamp, now: Timestamp) -> Decision {
    match chain::admit(claim.digest, claim.previous, stored) {
        Admission::Repeated => Decision::Repeat,
        Admission::Fork => Decision::Refuse(RefusalCode::Fork),
        Admission::BrokenChain => Decision::Refuse(RefusalCode::BrokenChain),
        Admission::Chained | Admission::AfterGap if claim.observed_at.duration_since(now) > MAX_CLOCK_AHEAD => {
            Decision::Refuse(RefusalCode::FutureReport)
        }
        Admission::Chained | Admission::AfterGap if is_before_link(claim.observed_at, approved_at) => {
            Decision::Refuse(RefusalCode::PastReport)
        }
        Admission::Chained => Decision::Store(ReceiptVerdict::Chained),
        Admission::AfterGap => Decision::Store(ReceiptVerdict::AfterGap),
    }
}
