//! Until when a license, or its maintenance, holds (`c6`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LicenseStanding, Status};

/// Until when something of a license holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimeLeft {
    /// What ends.
    pub ends: Ends,
    /// When it ends.
    pub at: Timestamp,
    /// Whole days until then; negative after it.
    pub days: i64,
}

/// What ends of a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// The license itself.
    License,
    /// Its support and upgrades: the product goes on working.
    Maintenance,
}

impl LicenseStanding {
    /// What ends first of it, seen at `now`; none where nothing ends, or where it counts for nothing any more.
    pub fn time_left(&self, now: Timestamp) -> Option<TimeLeft> {
        if matches!(self.status, Status::NotApplicable | Status::Replaced) {
            return None;
        }
        let license = self.expires.map(|at| (Ends::License, at));
        let maintenance = self.maintenance_until.map(|at| (Ends::Maintenance, at));
        let (ends, at) = [license, maintenance].into_iter().flatten().min_by_key(|(_, at)| *at)?;
        Some(TimeLeft { ends, at, days: (at.as_second() - now.as_second()).div_euclid(86_400) })
    }
}
