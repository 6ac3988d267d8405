//! Typed values in the store's slots, as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::store::{LockedStore, Slot, StateStore, StoreError};

/// What a slot holds, parsed.
pub(crate) fn read<T: DeserializeOwned>(store: &dyn StateStore, slot: Slot) -> Result<Option<T>, StoreError> {
    let Some(bytes) = store.read(slot)? else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(StoreError::Damaged { what: slot.name().to_owned(), reason: error.to_string() }),
    }
}

/// Replaces what a slot holds.
pub(crate) fn write<T: Serialize>(locked: &mut dyn LockedStore, slot: Slot, value: &T) -> Result<(), StoreError> {
    locked.write(slot, &to_json(slot.name(), value)?)
}

/// A value as JSON, zeroed after use: it may hold a key.
pub(crate) fn to_json<T: Serialize>(what: &str, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    serde_json::to_vec(value)
        .map(Zeroizing::new)
        .map_err(|error| StoreError::Damaged { what: what.to_owned(), reason: error.to_string() })
}

/// Fills a buffer from the operating system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io {
        action: "cannot read",
        what: "the system's randomness".to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}
