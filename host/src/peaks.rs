//! The highest count of each dimension, and since when they are kept: what a smaller license is held against (`b3`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use seatline_protocol::Dimension;
use seatline_protocol::standing::Peak;
use serde::{Deserialize, Serialize};

use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The highest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peaks {
    /// Since when the counts are watched.
    pub since: Timestamp,
    /// The highest count of each dimension, and when it was reached first.
    pub highest: BTreeMap<Dimension, Peak>,
}

impl Peaks {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Option<Self>, StoreError> {
        slots::read(store, Slot::Peaks)
    }

    /// Takes note of the counts of a run at `at`. Nothing is written where none of them is higher than before.
    pub(crate) fn note(
        locked: &mut dyn LockedStore,
        counts: &BTreeMap<Dimension, u64>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let before = Self::read(locked.store())?;
        let mut peaks = before.clone().unwrap_or_else(|| Self { since: at, highest: BTreeMap::new() });
        for (dimension, count) in counts {
            let highest = peaks.highest.get(dimension).map(|peak| peak.count);
            if highest.is_none_or(|highest| *count > highest) {
                peaks.highest.insert(dimension.clone(), Peak { count: *count, at });
            }
        }
        if before.as_ref() == Some(&peaks) { Ok(()) } else { slots::write(locked, Slot::Peaks, &peaks) }
    }
}
