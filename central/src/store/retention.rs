//! How long what was reported is kept, and how it is forgotten.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;

use super::Stored;
use crate::domain::{Act, LetGo, Retention, WouldForget};

/// Keeping and forgetting.
#[async_trait]
pub trait Retentions: Send + Sync {
    /// How long is kept what. A new store keeps everything.
    async fn retention(&self) -> Stored<Retention>;
    /// Sets it.
    async fn set_retention(&self, act: &Act, retention: &Retention) -> Stored<()>;
    /// What would go at `now` if that were set; from a sample of the links where there are many.
    async fn would_forget(&self, retention: &Retention, now: Timestamp) -> Stored<WouldForget>;
    /// What was let go of a link's chain, from its beginning on.
    async fn let_go(&self, link: &LinkId) -> Stored<Option<LetGo>>;
    /// Forgets what is too old at `now` of a few links, from `from` on, and gives the link to go on with: the same
    /// again where more of it is too old than is forgotten at once, none where no link is left. The newest report of a
    /// link stays, and so does what its chain is counted by.
    async fn forget(&self, retention: &Retention, now: Timestamp, from: Option<&LinkId>) -> Stored<Option<LinkId>>;
    /// Prepares the database for the months that come, and lets those go that hold nothing but what is too old,
    /// apart from the newest report of each link. Where it has no parts by month, there is nothing to do.
    async fn keep_months(&self, retention: &Retention, now: Timestamp) -> Stored<()>;
}
