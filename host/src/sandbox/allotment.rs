//! What a run has allocated in the sandbox, summed over all its instances.

use wasmtime::{Error, ResourceLimiter};

use super::Limits;

/// Grants and refuses memory and tables. A refused growth is remembered: the plugin's own allocator usually answers it
/// with a trap that says nothing, and the outcome shall name the cause.
#[derive(Debug)]
pub(crate) struct Allotment {
    memory: Sum,
    table_elements: Sum,
    memories: usize,
    tables: usize,
    instances: usize,
}

/// One sum against its limit.
#[derive(Debug)]
struct Sum {
    used: usize,
    limit: usize,
    refused: bool,
}

impl Sum {
    fn new(limit: usize) -> Self {
        Self { used: 0, limit, refused: false }
    }

    /// Takes the growth from `current` to `desired`, if it fits. Growth beyond a memory's or table's own `maximum`
    /// fails by the rules of WebAssembly, and is neither taken nor held against the run.
    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let sum = self.used.checked_add(desired.saturating_sub(current)).filter(|sum| *sum <= self.limit);
        match sum {
            Some(sum) => self.used = sum,
            None => self.refused = true,
        }
        sum.is_some()
    }
}

impl Allotment {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: Sum::new(limits.memory),
            table_elements: Sum::new(limits.table_elements),
            memories: limits.memories,
            tables: limits.tables,
            instances: limits.instances,
        }
    }

    /// The bytes of linear memory in use. Memories never shrink, so it is the peak as well.
    pub(crate) fn memory(&self) -> usize {
        self.memory.used
    }

    /// The limit of memory in bytes, if the run was refused more.
    pub(crate) fn memory_refused(&self) -> Option<usize> {
        self.memory.refused.then_some(self.memory.limit)
    }

    /// The limit of table elements, if the run was refused more.
    pub(crate) fn table_refused(&self) -> Option<usize> {
        self.table_elements.refused.then_some(self.table_elements.limit)
    }
}

impl ResourceLimiter for Allotment {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, Error> {
        Ok(self.memory.grow(current, desired, maximum))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, Error> {
        Ok(self.table_elements.grow(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_memories_share_one_limit() {
        let mut allotment = Allotment::new(&Limits { memory: 10, ..Limits::default() });
        assert!(allotment.memory_growing(0, 6, None).expect("it never traps"));
        assert!(allotment.memory_growing(0, 4, None).expect("it never traps"));
        assert_eq!(allotment.memory_refused(), None);
        assert!(!allotment.memory_growing(4, 5, None).expect("it never traps"));
        assert_eq!((allotment.memory(), allotment.memory_refused()), (10, Some(10)));
    }

    #[test]
    fn a_sum_does_not_overflow() {
        let mut sum = Sum::new(usize::MAX - 1);
        assert!(sum.grow(0, usize::MAX - 1, None));
        assert!(!sum.grow(0, usize::MAX, None) && sum.refused);
    }

    #[test]
    fn a_refusal_does_not_forbid_what_still_fits() {
        let mut sum = Sum::new(10);
        assert!(!sum.grow(0, 11, None));
        assert!(sum.grow(0, 10, None));
    }

    #[test]
    fn growth_beyond_a_memorys_own_maximum_is_not_held_against_the_run() {
        let mut sum = Sum::new(10);
        assert!(!sum.grow(0, 3, Some(2)));
        assert_eq!((sum.used, sum.refused), (0, false));
    }
}
