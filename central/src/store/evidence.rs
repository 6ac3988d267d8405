//! What is exported as evidence (`b12`).

use async_trait::async_trait;
use seatline_protocol::{LinkId, Sequence};

use super::Stored;
use crate::domain::{Conflict, SealedRefused, SealedReport, Statement};
use crate::evidence::Period;

/// What is exported of a link (`b12`), as it was sealed.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// The first and the last number of the reports of a link that were observed in a period: all between them belong
    /// to the chain of that time.
    async fn stretch(&self, link: &LinkId, period: Period) -> Stored<Option<Stretch>>;
    /// The stored reports of a link from one number to another, by number, as many as are read at once; empty where
    /// there are no more.
    async fn sealed_reports(&self, link: &LinkId, from: Sequence, to: Sequence) -> Stored<Vec<SealedReport>>;
    /// The stretches between two numbers at which no report ever came, the first first, as many as are read at once;
    /// the first of them may begin before. Whatever else has no report had one that was let go.
    async fn never_came(&self, link: &LinkId, from: Sequence, to: Sequence) -> Stored<Vec<Stretch>>;
    /// The exact bytes of a report that stored ones repeat.
    async fn sealed_repeated(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>>;
    /// The refused reports that are kept of a link, of those that came in a period or claim a place in `stretch` or at
    /// its end; by the place that they claim.
    async fn sealed_refused(
        &self,
        link: &LinkId,
        period: Period,
        stretch: Option<Stretch>,
    ) -> Stored<Vec<SealedRefused>>;
    /// The refused reports that are kept of a link and conflict with a report of its chain, the one that came first
    /// first (`b1`).
    async fn conflicts(&self, link: &LinkId) -> Stored<Vec<Conflict>>;
    /// The statements of a link that came in a period, with their exact bytes, the oldest first.
    async fn sealed_statements(&self, link: &LinkId, period: Period) -> Stored<Vec<(String, Statement)>>;
}

/// A first and a last number.
pub type Stretch = (Sequence, Sequence);
