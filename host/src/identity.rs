//! The server ID: the identity of an instance (`c7`).

use seatline_protocol::ServerId;
use seatline_protocol::pairing::Secret;

use crate::slots;
use crate::store::{Slot, StateStore, StoreError};

/// The instance's server ID: made at the first call, and the same ever after, for every node on the same store.
pub(crate) fn server_id(store: &dyn StateStore) -> Result<ServerId, StoreError> {
    if let Some(id) = slots::read(store, Slot::Identity)? {
        return Ok(id);
    }
    let mut locked = store.lock()?;
    // Another node may have made it while this one waited for the lock.
    if let Some(id) = slots::read(locked.store(), Slot::Identity)? {
        return Ok(id);
    }
    let id = ServerId::from_random(slots::random()?);
    slots::write(&mut *locked, Slot::Identity, &id)?;
    Ok(id)
}

/// The key for pseudonyms while there is no link: random, and the same for as long as the instance lives.
pub(crate) fn local_pseudonym_key(store: &dyn StateStore) -> Result<Secret, StoreError> {
    if let Some(key) = slots::read(store, Slot::LocalPseudonymKey)? {
        return Ok(key);
    }
    let mut locked = store.lock()?;
    if let Some(key) = slots::read(locked.store(), Slot::LocalPseudonymKey)? {
        return Ok(key);
    }
    let key = Secret::from_bytes(slots::random()?);
    slots::write(&mut *locked, Slot::LocalPseudonymKey, &key)?;
    Ok(key)
}
