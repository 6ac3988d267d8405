//! The end of a link: its central server has removed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::LinkId;
use crate::seal::Document;

/// That the central server has removed a link, sealed by its key. A mere refusal can hold reports up; this lets the
/// product give the link up, and keep its waiting reports apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The link.
    pub link: LinkId,
    /// When it was removed.
    pub removed_at: Timestamp,
}

impl Document for Removal {
    const PURPOSE: &'static str = "seatline/removal/v1";
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
