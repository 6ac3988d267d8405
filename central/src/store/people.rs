//! The sketches of people.

use async_trait::async_trait;
use seatline_protocol::LinkId;

use super::Stored;
use crate::domain::people::KeptSketch;

/// The latest sketch of each link (`b9`). It is kept in the commit of its report, and is no part of the history.
#[async_trait]
pub trait Sketches: Send + Sync {
    /// The latest sketches of links, in their order; none where the newest report with counts has none.
    async fn sketches(&self, links: &[LinkId]) -> Stored<Vec<Option<KeptSketch>>>;
}
