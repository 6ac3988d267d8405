//! How often somebody may ask: a burst at once, and then so many a second. Kept in bounded memory, by each process for
//! itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How many of those who ask are remembered. Beyond that, those who could ask freely first are forgotten.
const REMEMBERED: usize = 4096;

/// A limit for each `K`: an address, a token, a session.
///
/// What is remembered of each is the moment at which it will have paid for all that it asked for (the generic cell rate
/// algorithm): that must not lie further ahead than a burst is worth. Whoever has paid is forgotten sooner or later,
/// which changes nothing: at 8,000 requests a second, of which each is paid for within 100 ms, there are 800 to be
/// remembered, however many ask.
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
        let paid = after(self.begin(&paid_at, key, now), self.interval);
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
        self.wait_for(after(self.begin(&self.lock(), key, now), self.interval), now)
    }

    /// Counts so many requests of `key` that were let pass: for what is known to count only when it is done. They may
    /// be more than the burst has left: that is owed, and waited for, up to the time in which another burst is paid
    /// for.
    pub fn charge(&self, key: &K, requests: usize, now: Timestamp) {
        let mut paid_at = self.lock();
        let cost = self.interval.saturating_mul(i32::try_from(requests).unwrap_or(i32::MAX));
        let paid = after(self.begin(&paid_at, key, now), cost).min(self.latest(now));
        remember(&mut paid_at, key, paid, now);
    }

    /// From when on the next request of `key` is to be paid for. What nobody can owe is from before the clock was set
    /// back.
    fn begin(&self, paid_at: &HashMap<K, Timestamp>, key: &K, now: Timestamp) -> Timestamp {
        paid_at.get(key).copied().filter(|paid| (now..=self.latest(now)).contains(paid)).unwrap_or(now)
    }

    /// How far ahead somebody can have to pay at `now`.
    fn latest(&self, now: Timestamp) -> Timestamp {
        after(after(now, self.burst), self.burst)
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
    use proptest::prelude::*;

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
        rate.charge(&1, 1, at(0));
        assert_eq!(
            (rate.wait(&1, at(999)), rate.wait(&1, at(1000))),
            (Some(1), None),
            "what is beyond the burst is owed"
        );
        rate.charge(&1, 1_000_000, at(1000));
        assert_eq!(rate.wait(&1, at(1000)), Some(2));
        assert_eq!(rate.wait(&1, at(1000 + 2000)), None, "however much it was, the wait has an end");
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nobody_wait_longer() {
        let rate = rate();
        rate.charge(&1, 6, at(3_600_000));
        assert_eq!(rate.wait(&1, at(3_600_000)), Some(2));
        assert_eq!(rate.wait(&1, at(0)), None);
        rate.charge(&1, 3, at(0));
        assert_eq!(rate.wait(&1, at(0)), Some(1), "and is counted from then on");
    }

    proptest! {
        #[test]
        fn however_somebody_asks_no_more_passes_than_the_burst_and_one_each_interval(
            asked in proptest::collection::vec((0i64..2000, 1usize..5), 1..300),
            is_charged: bool,
        ) {
            let (rate, mut now, mut passed) = (rate(), 0, 0);
            for (pause, requests) in asked {
                now += pause;
                if is_charged {
                    // It is known afterwards what it was: the last one may go beyond the limit, which is owed then.
                    if rate.wait(&1, at(now)).is_none() {
                        rate.charge(&1, requests, at(now));
                        passed += requests;
                    }
                } else {
                    passed += usize::from(rate.take(&1, at(now)).is_ok());
                }
                let allowed = 3 + usize::try_from(now / 500).expect("time goes on");
                prop_assert!(passed <= allowed + if is_charged { 3 } else { 0 }, "{} of {}", passed, allowed);
            }
        }

        #[test]
        fn who_keeps_to_the_interval_is_never_held_up(pauses in proptest::collection::vec(500i64..5000, 1..300)) {
            let (rate, mut now) = (rate(), 0);
            for pause in pauses {
                now += pause;
                prop_assert_eq!(rate.take(&1, at(now)), Ok(()));
            }
        }

        #[test]
        fn who_waits_as_long_as_is_said_is_let_pass(spent in 0usize..20, now in 0i64..10_000) {
            let rate = rate();
            rate.charge(&1, spent, at(now));
            let wait = rate.wait(&1, at(now)).unwrap_or_default();
            prop_assert_eq!(rate.take(&1, at(now + wait * 1000)), Ok(()));
        }
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
