//! The highest count of each dimension, and since when they are kept: what a smaller license is held against (`b3`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use seatline_protocol::Dimension;
use seatline_protocol::standing::Peak;
use serde::{Deserialize, Serialize};

use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The most dimensions whose highest counts are kept: more than any product measures at once.
pub const MAX_PEAKS: usize = 256;

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
            let has_room = highest.is_some() || peaks.highest.len() < MAX_PEAKS;
            if has_room && highest.is_none_or(|highest| *count > highest) {
                peaks.highest.insert(dimension.clone(), Peak { count: *count, at });
            }
        }
        if before.as_ref() == Some(&peaks) { Ok(()) } else { slots::write(locked, Slot::Peaks, &peaks) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Directory, change};

    fn noted(store: &Directory, counts: &[(&str, u64)], at: &str) -> Peaks {
        let counts: BTreeMap<Dimension, u64> =
            counts.iter().map(|(name, count)| (name.parse().expect("a dimension"), *count)).collect();
        let at = at.parse().expect("a time");
        let noted: Result<(), StoreError> = change(store, |locked| Peaks::note(locked, &counts, at));
        noted.expect("it is noted");
        Peaks::read(store).expect("the state").expect("peaks")
    }

    #[test]
    fn b3_the_highest_count_of_each_dimension_stays_with_the_day_on_which_it_was_reached() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Directory::open(dir.path()).expect("a store");
        noted(&store, &[("users", 5), ("pages", 7)], "2026-03-01T00:00:00Z");
        noted(&store, &[("users", 9), ("pages", 6)], "2026-03-02T00:00:00Z");
        let last = noted(&store, &[("users", 9), ("nodes", 1)], "2026-03-03T00:00:00Z");
        let shown: Vec<String> =
            last.highest.iter().map(|(name, peak)| format!("{name} {} {}", peak.count, peak.at)).collect();
        let expected = ["nodes 1 2026-03-03T00:00:00Z", "pages 7 2026-03-01T00:00:00Z", "users 9 2026-03-02T00:00:00Z"];
        assert_eq!(shown, expected);
        assert_eq!(last.since, "2026-03-01T00:00:00Z".parse().expect("a time"));
    }

    #[test]
    fn no_more_dimensions_are_kept_than_a_product_ever_measures() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Directory::open(dir.path()).expect("a store");
        for n in 0..5 {
            let names: Vec<String> = (0..64).map(|name| format!("d{n}-{name}")).collect();
            let counts: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
            let peaks = noted(&store, &counts, "2026-03-01T00:00:00Z");
            assert_eq!(peaks.highest.len(), MAX_PEAKS.min((n + 1) * 64));
        }
        assert_eq!(noted(&store, &[("d0-0", 2)], "2026-03-02T00:00:00Z").highest.len(), MAX_PEAKS);
    }
}
