//! The store in memory, for tests of products and of the host: it keeps nothing beyond the process. Of a change that
//! was not made to its end, nothing is there, so that a change which forgets that is found out.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::{LockedStore, Log, Slot, Stamp, StateReader, StateStore, StoreError};

/// A store in memory. Its clones are one.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    content: Mutex<Content>,
    locked: Mutex<bool>,
    unlocked: Condvar,
}

#[derive(Clone, Default)]
struct Content {
    /// With the revision of their last write.
    slots: HashMap<Slot, (u64, Zeroizing<Vec<u8>>)>,
    /// Raised by every write of a slot.
    revision: u64,
    logs: HashMap<Log, Vec<Vec<u8>>>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateReader for Memory {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.content().read(slot)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.content().visit(log, take)
    }
}

impl StateStore for Memory {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        let content = self.content();
        let stamp = |slot| content.slots.get(slot).map_or(Stamp::EMPTY, |(revision, _)| Stamp::new([*revision]));
        Ok(slots.iter().map(stamp).collect())
    }

    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        let mut locked = self.0.locked.lock().unwrap_or_else(PoisonError::into_inner);
        while *locked {
            locked = self.0.unlocked.wait(locked).unwrap_or_else(PoisonError::into_inner);
        }
        *locked = true;
        Ok(Box::new(LockedMemory { changed: self.content().clone(), store: self }))
    }
}

impl StateReader for Content {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(self.slots.get(&slot).map(|(_, value)| value.clone()))
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        let _ = self.logs.get(&log).into_iter().flatten().try_for_each(|record| take(record));
        Ok(())
    }
}

/// The store while this holder may change it.
struct LockedMemory<'a> {
    store: &'a Memory,
    changed: Content,
}

impl StateReader for LockedMemory<'_> {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.changed.read(slot)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.changed.visit(log, take)
    }
}

impl LockedStore for LockedMemory<'_> {
    fn store(&self) -> &dyn StateReader {
        self
    }

    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError> {
        self.changed.revision += 1;
        self.changed.slots.insert(slot, (self.changed.revision, Zeroizing::new(value.to_vec())));
        Ok(())
    }

    fn clear(&mut self, slot: Slot) -> Result<(), StoreError> {
        self.changed.slots.remove(&slot);
        Ok(())
    }

    fn append(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        self.changed.logs.entry(log).or_default().extend_from_slice(records);
        Ok(())
    }

    fn rewrite(&mut self, log: Log, keep: &mut dyn FnMut(&[u8]) -> bool, more: &[Vec<u8>]) -> Result<(), StoreError> {
        let records = self.changed.logs.entry(log).or_default();
        records.retain(|record| keep(record));
        records.extend_from_slice(more);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        *self.store.content() = std::mem::take(&mut self.changed);
        Ok(())
    }
}

impl Drop for LockedMemory<'_> {
    fn drop(&mut self) {
        *self.store.0.locked.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.store.0.unlocked.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_does_what_every_store_must() {
        let store = Memory::default();
        super::super::conformance(&|| Box::new(store.clone()));
    }

    #[test]
    fn of_a_change_that_was_not_made_to_its_end_nothing_is_there() {
        let store = Memory::default();
        let mut locked = store.begin().expect("a change");
        locked.write(Slot::Link, b"one").expect("write");
        drop(locked);
        assert!(store.read(Slot::Link).expect("read").is_none());
    }
}
