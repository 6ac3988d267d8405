//! The settings of a link, given by the central server (`w4`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, MAX_COUNT};
use crate::keys::KeyId;
use crate::license::Counting;
use crate::seal::Document;

/// The least synchronisation interval, in seconds.
pub const MIN_INTERVAL: u32 = 60;
/// The greatest synchronisation interval, in seconds: 31 days.
pub const MAX_INTERVAL: u32 = 31 * 86_400;
/// The greatest number of dormancy days.
pub const MAX_DORMANCY_DAYS: u32 = 3650;

/// What the central server wants of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Settings {
    /// The link.
    pub link: LinkId,
    /// Counts up with every change: older settings never replace newer ones.
    pub revision: u64,
    /// When they were made.
    pub issued_at: Timestamp,
    /// The synchronisation interval, in seconds.
    pub interval: u32,
    /// After how many days without a sign-in a counted account is dormant.
    pub dormancy_days: u32,
    /// How accounts are counted where the license does not say.
    pub counting: Counting,
    /// When somebody there last asked for a count at once (`w6`). Each such wish is answered by one synchronisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demanded_at: Option<Timestamp>,
    /// The key that the product is asked to replace by a new one, see [`crate::Rotation`]. It asks for nothing once the
    /// link has another key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace_key: Option<KeyId>,
    /// Whether the central server takes a [`crate::Repeat`] where nothing has changed. One of an early version does not
    /// say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_repeats: bool,
}

impl Settings {
    /// The interval of a new link: an hour.
    pub const DEFAULT_INTERVAL: u32 = 3600;
    /// The dormancy days of a new link.
    pub const DEFAULT_DORMANCY_DAYS: u32 = 90;
}

impl Document for Settings {
    const PURPOSE: &'static str = "seatline/settings/v1";
    const MAX_BYTES: usize = 4 * 1024;

    fn check(&self) -> Result<(), String> {
        if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&self.interval) {
            return Err(format!("interval: from {MIN_INTERVAL} to {MAX_INTERVAL} seconds"));
        }
        if !(1..=MAX_DORMANCY_DAYS).contains(&self.dormancy_days) {
            return Err(format!("dormancy_days: from 1 to {MAX_DORMANCY_DAYS}"));
        }
        if self.revision > MAX_COUNT {
            return Err(format!("revision: at most {MAX_COUNT}"));
        }
        Ok(())
    }
}
