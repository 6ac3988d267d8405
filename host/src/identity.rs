//! The server ID: the identity of an instance (`c7`).

use seatline_protocol::ServerId;
use seatline_protocol::pairing::Secret;

use crate::slots;
use crate::store::{Slot, StateStore, StoreError, change};

/// The instance's server ID: made at the first call, and the same ever after, for every node on the same store.
pub(crate) fn server_id(store: &dyn StateStore) -> Result<ServerId, StoreError> {
    if let Some(id) = slots::read(store, Slot::Identity)? {
        return Ok(id);
    }
    change(store, |locked| {
        // Another node may have made it while this one waited for the lock.
        if let Some(id) = slots::read(locked.store(), Slot::Identity)? {
            return Ok(id);
        }
        // Where the rest of a state is, its server ID was made: another one would make its licenses and its link strangers.
        for slot in [Slot::Licenses, Slot::Link] {
            if locked.store().read(slot)?.is_some() {
                return Err(StoreError::Damaged {
                    what: format!("`{}` of the state", Slot::Identity.name()),
                    reason: format!("it is missing beside `{}`", slot.name()),
                    way_out: Slot::Identity.way_out(),
                });
            }
        }
        let id = ServerId::from_random(slots::random()?);
        slots::write(locked, Slot::Identity, &id)?;
        Ok(id)
    })
}

/// The key for pseudonyms while there is no link: random, and the same for as long as the instance lives.
pub(crate) fn local_pseudonym_key(store: &dyn StateStore) -> Result<Secret, StoreError> {
    if let Some(key) = slots::read(store, Slot::LocalPseudonymKey)? {
        return Ok(key);
    }
    change(store, |locked| {
        if let Some(key) = slots::read(locked.store(), Slot::LocalPseudonymKey)? {
            return Ok(key);
        }
        let key = Secret::from_bytes(slots::random()?);
        slots::write(locked, Slot::LocalPseudonymKey, &key)?;
        Ok(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    #[test]
    fn c7_the_server_id_is_made_once_and_never_beside_a_state_that_lost_it() {
        let store = Memory::default();
        let id = server_id(&store).expect("a new one");
        assert_eq!(server_id(&store.clone()).expect("the same"), id);

        let broken: Result<(), StoreError> = change(&store, |locked| {
            locked.write(Slot::Licenses, b"[]")?;
            locked.clear(Slot::Identity)
        });
        broken.expect("somebody removes it");
        let error = server_id(&store).expect_err("no second one");
        assert_eq!(error.code(), "store-damaged");
        assert_eq!(
            error.to_string(),
            "`identity` of the state is damaged (it is missing beside `licenses`); restore it from a backup: the \
             licenses and the link are those of this server ID"
        );
    }
}
