//! The list of all links, and of those that were removed.

use async_trait::async_trait;
use seatline_protocol::LinkId;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::{LinkFilter, LinkRow, RemovedRow};

/// Links in lists.
#[async_trait]
pub trait LinkLists: Send + Sync {
    /// A page of the links that are wanted: those that wait for approval first, then the suspended ones, then the
    /// others; of each the newest first.
    async fn links(&self, filter: &LinkFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<LinkRow>>;
    /// The row of a link.
    async fn link_row(&self, id: &LinkId) -> Stored<Option<LinkRow>>;
    /// A page of the links that were removed, the latest first.
    async fn removed_links(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<RemovedRow>>;
}
