//! What the program around the host keeps in the state: so that it is there on all nodes, and backed up with the rest.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Host;
use crate::slots;
use crate::store::{Slot, Stamp, StoreError, change};

impl Host {
    /// What the program keeps in `slot`, which is one of its own ([`Slot::is_of_the_program`]).
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn kept<T: DeserializeOwned>(&self, slot: Slot) -> Result<Option<T>, StoreError> {
        debug_assert!(slot.is_of_the_program(), "{slot:?} is the host's own");
        slots::read(&*self.store, slot)
    }

    /// A mark of what the program keeps in `slot`: as long as it stays equal, so does what is kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept_stamp(&self, slot: Slot) -> Result<Option<Stamp>, StoreError> {
        Ok(self.store.stamps(&[slot])?.pop())
    }

    /// Changes what the program keeps in `slot`, while nobody else does. An error of `act` leaves it as it was.
    ///
    /// # Errors
    /// What `act` gives, and when the slot cannot be read or written.
    pub fn change_kept<T: DeserializeOwned + Serialize + Default, R, E: From<StoreError>>(
        &self,
        slot: Slot,
        act: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        debug_assert!(slot.is_of_the_program(), "{slot:?} is the host's own");
        change(&*self.store, |locked| {
            let mut value = slots::read(locked.store(), slot)?.unwrap_or_default();
            let result = act(&mut value)?;
            slots::write(locked, slot, &value)?;
            Ok(result)
        })
    }
}
