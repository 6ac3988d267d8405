//! Typed values in the store's slots, as JSON.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// What a slot holds, parsed.
pub(crate) fn read<T: DeserializeOwned>(store: &dyn StateReader, slot: Slot) -> Result<Option<T>, StoreError> {
    let Some(bytes) = store.read(slot)? else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(damaged(slot, &error)),
    }
}

/// That a slot is damaged. The parser's own words may quote what stands there, and that may be a secret: only the place
/// is told.
fn damaged(slot: Slot, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        what: format!("`{}` of the state", slot.name()),
        reason: format!("it is not what was written there, from line {}, column {} on", error.line(), error.column()),
        way_out: slot.way_out(),
    }
}

/// Replaces what a slot holds.
pub(crate) fn write<T: Serialize>(locked: &mut dyn LockedStore, slot: Slot, value: &T) -> Result<(), StoreError> {
    locked.write(slot, &to_json(value)?)
}

/// A value as JSON, zeroed after use: it may hold a key. It is measured first, so that no copy is left behind by a
/// growing buffer.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let failed = |error: serde_json::Error| StoreError::Io {
        action: "cannot write",
        what: "the state as JSON".to_owned(),
        source: error.into(),
    };
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).map_err(failed)?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).map_err(failed)?;
    Ok(json)
}

/// Counts the bytes that are written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fills a buffer from the operating system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io {
        action: "cannot read",
        what: "the system's randomness".to_owned(),
        source: io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Memory, change};

    #[test]
    fn a_damaged_slot_is_told_by_name_with_the_way_out_and_without_its_content() {
        let store = Memory::default();
        let secret = "k4.secret.AAAA";
        for slot in Slot::ALL {
            for content in [format!("\"{secret}\""), format!("{{\"{secret}\": 1}}"), format!("[{secret}")] {
                let written: Result<(), StoreError> = change(&store, |locked| locked.write(slot, content.as_bytes()));
                written.expect("write");
                let error = read::<std::net::IpAddr>(&store, slot).expect_err("no address");
                let message = error.to_string();
                assert_eq!(error.code(), "store-damaged");
                assert!(message.starts_with(&format!("`{}` of the state is damaged", slot.name())), "{message}");
                assert!(message.ends_with(slot.way_out()) && !message.contains("AAAA"), "{message}");
            }
        }
    }

    #[test]
    fn json_is_made_in_the_room_that_it_needs() {
        let value = vec!["some text"; 100];
        let json = to_json(&value).expect("JSON");
        assert_eq!(*json, serde_json::to_vec(&value).expect("JSON"));
        assert_eq!(json.capacity(), json.len());
    }
}
