//! What was looked up or made once, and is kept so that it is not again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by their keys, at most so many: before one more would be kept, all are let go, and made anew as they are
/// asked for.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    most: usize,
    values: Mutex<HashMap<K, V>>,
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    pub fn at_most(most: usize) -> Self {
        Self { most, values: Mutex::default() }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        self.values().get(key).cloned()
    }

    pub fn keep(&self, key: K, value: V) {
        let mut values = self.values();
        if values.len() >= self.most && !values.contains_key(&key) {
            values.clear();
        }
        values.insert(key, value);
    }

    fn values(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_may_be_and_the_newest_is_there() {
        let kept = Kept::at_most(2);
        for (key, value) in [(1, 'a'), (2, 'b'), (2, 'c')] {
            kept.keep(key, value);
        }
        assert_eq!([1, 2, 3].map(|key| kept.get(&key)), [Some('a'), Some('c'), None], "another value takes no room");
        kept.keep(3, 'd');
        assert_eq!([1, 2, 3].map(|key| kept.get(&key)), [None, None, Some('d')]);
    }
}
