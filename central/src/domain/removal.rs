//! What is left of a link that was removed: its ids, so that its product learns of it.

use jiff::Timestamp;
use seatline_protocol::LinkId;
use serde::Serialize;

/// That a link was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemovedLink {
    /// Its id.
    pub link: LinkId,
    /// When.
    pub removed_at: Timestamp,
}

/// What goes with a link or an application, before it is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WouldGo {
    /// How many links.
    pub links: u64,
    /// How many stored reports.
    pub reports: u64,
}
