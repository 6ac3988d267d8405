//! How often somebody may ask: a burst at once, and then so many a second. Kept in bounded memory, by each process for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How many of those who ask are remembered. Beyond that, those who could ask freely first are forgotten.
const REMEMBERED: usize = 4096;

/// A limit for each `K`: an address, a token, a session.
///
/// What is remembered of each is the moment at which it will have paid for all that it asked for (the generic cell rate algorithm):
/// that must not lie further ahead than a burst is worth.
#[derive(Debug)]
pub struct Rate<K> {
    burst: SignedDuration,
    interval: SignedDuration,
    paid_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// `burst` requests at once, and then one each `interval`.
    pub fn new(burst: u32, interval: SignedDuration) -> Self {
        Self {
            burst: interval.saturating_mul(i32::try_from(burst).unwrap_or(i32::MAX)),
            interval,
            paid_at: Mutex::default(),
        }
    }

    /// Counts a request of `key` at `now`.
    ///
    /// # Errors
    /// After how many seconds, at least one, the next one is let pass; then this one is not counted.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), i64> {
        let mut paid_at = self.lock();
        let paid = after(begin(&paid_at, key, now), self.interval);
        match self.wait_for(paid, now) {
            Some(seconds) => Err(seconds),
            None => {
                remember(&mut paid_at, key, paid, now);
                Ok(())
            }
        }
    }

    /// After how many seconds a request of `key` is let pass, where it is not at `now`. Nothing is counted.
    pub fn wait(&self, key: &K, now: Timestamp) -> Option<i64> {
        self.wait_for(after(begin(&self.lock(), key, now), self.interval), now)
    }

    /// Counts so many requests of `key` that were let pass: for what is known to count only when it is done.
    pub fn charge(&self, key: &K, requests: usize, now: Timestamp) {
        let mut paid_at = self.lock();
        let cost = self.interval.saturating_mul(i32::try_from(requests).unwrap_or(i32::MAX));
        let paid = after(begin(&paid_at, key, now), cost).min(after(now, self.burst));
        remember(&mut paid_at, key, paid, now);
    }

    fn wait_for(&self, paid: Timestamp, now: Timestamp) -> Option<i64> {
        let wait = paid.duration_since(now).saturating_sub(self.burst);
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        wait.is_positive().then_some(seconds.max(1))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.paid_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin<K: Hash + Eq>(paid_at: &HashMap<K, Timestamp>, key: &K, now: Timestamp) -> Timestamp {
    paid_at.get(key).copied().unwrap_or(now).max(now)
}

fn after(time: Timestamp, interval: SignedDuration) -> Timestamp {
    time.checked_add(interval).unwrap_or(Timestamp::MAX)
}

fn remember<K: Hash + Eq + Clone>(paid_at: &mut HashMap<K, Timestamp>, key: &K, paid: Timestamp, now: Timestamp) {
    if paid_at.len() >= REMEMBERED && !paid_at.contains_key(key) {
        forget(paid_at, now);
    }
    paid_at.insert(key.clone(), paid);
}

fn forget<K: Hash + Eq + Clone>(paid_at: &mut HashMap<K, Timestamp>, now: Timestamp) {
    paid_at.retain(|_, paid| *paid > now);
    // A quarter at once, so that a flood of strangers does not make each of them search for the next.
    if paid_at.len() >= REMEMBERED {
        let mut all: Vec<(Timestamp, K)> = paid_at.iter().map(|(key, paid)| (*paid, key.clone())).collect();
        all.sort_unstable_by_key(|(paid, _)| *paid);
        for (_, key) in all.into_iter().take(REMEMBERED / 4) {
            paid_at.remove(&key);
        }
    }
}

/// The address, or for IPv6 its block of 64 bits, of which a single customer has all.
pub fn block(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time")
    }

    fn rate() -> Rate<u32> {
        Rate::new(3, SignedDuration::from_millis(500))
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let rate = rate();
        for _ in 0..3 {
            assert_eq!(rate.take(&1, at(0)), Ok(()));
        }
        assert_eq!(rate.take(&1, at(0)), Err(1));
        assert_eq!(rate.take(&2, at(0)), Ok(()), "another one is not held up");
        assert_eq!(rate.take(&1, at(499)), Err(1));
        assert_eq!(rate.take(&1, at(500)), Ok(()));
        assert_eq!(rate.take(&1, at(500)), Err(1), "what was refused was not counted, and what passed was");
        for _ in 0..3 {
            assert_eq!(rate.take(&1, at(60_000)), Ok(()));
        }
        assert_eq!(rate.take(&1, at(60_000)), Err(1), "whoever was quiet has a burst, and no more");
    }

    #[test]
    fn what_is_charged_afterwards_counts_as_if_it_had_been_asked_for() {
        let rate = rate();
        assert_eq!(rate.wait(&1, at(0)), None);
        rate.charge(&1, 2, at(0));
        assert_eq!(rate.take(&1, at(0)), Ok(()));
        assert_eq!((rate.take(&1, at(0)), rate.wait(&1, at(0))), (Err(1), Some(1)));
        rate.charge(&1, 1_000_000, at(0));
        assert_eq!(rate.wait(&1, at(499)), Some(1));
        assert_eq!(rate.wait(&1, at(500)), None, "however much it was, the wait has an end");
    }

    #[test]
    fn its_memory_is_bounded_and_who_asks_most_is_remembered() {
        let rate = rate();
        for _ in 0..3 {
            assert_eq!(rate.take(&0, at(0)), Ok(()));
        }
        for stranger in 1..3 * u32::try_from(REMEMBERED).expect("small") {
            assert_eq!(rate.take(&stranger, at(1)), Ok(()));
        }
        assert!(rate.paid_at.lock().expect("whole").len() <= REMEMBERED);
        assert_eq!(rate.take(&0, at(1)), Err(1));
    }
}
