//! The history of use.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{LinkId, Sequence};

use super::Stored;
use crate::domain::history::{Side, Span, SpanLength};

/// The most spans that one question gives: ten years of days.
pub const MAX_SPANS: u32 = 3660;

/// The history of use (`g8`). Reports become part of it in the commit that stores them.
#[async_trait]
pub trait Histories: Send + Sync {
    /// What was counted of a link in days, months or ever, from the span on that is in force at `from`: at most
    /// [`MAX_SPANS`], the oldest first. A span that is not there is as the one before.
    async fn spans(&self, link: &LinkId, length: SpanLength, from: Timestamp) -> Stored<Vec<(Timestamp, Span)>>;
    /// Folds at most so many runs into their spans, and gives how many there were: what [`Self::spans`] gives stays the
    /// same, and costs less. A run that cannot be read is set aside, see [`super::leases::SetAside`], and tried again
    /// later.
    async fn fold_history(&self, most: u16, now: Timestamp) -> Stored<u32>;
    /// What the history knows of a stored report, for a difference (`b7`).
    async fn report_side(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<Side>>;
}
