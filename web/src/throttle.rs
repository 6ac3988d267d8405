//! Slows down whoever guesses passwords: by name and address together, so that a stranger elsewhere cannot lock an
//! administrator out, and by address alone, so that one who tries many names is slowed down too.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::rate::block;

/// How many failures of a name from one address are free of any wait.
const FREE_PER_NAME: u32 = 4;
/// How many failures of one address are free of any wait, whatever the names.
const FREE_PER_ADDRESS: u32 = 30;
/// The longest wait.
const LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// How many names and addresses are remembered. Beyond that, those whose wait ended first are forgotten.
const REMEMBERED: usize = 4096;

/// The failures of late, in bounded memory. Restarting the server forgets them.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: HashMap<Key, Failures>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    NameFrom(String, IpAddr),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    wait_until: Timestamp,
}

impl Throttle {
    /// Until when a sign-in of `name` from `address` has to wait, if it has to. A wait beyond the longest is from before
    /// the clock was set back.
    pub fn waits_until(&self, name: &str, address: IpAddr, now: Timestamp) -> Option<Timestamp> {
        keys(name, address)
            .iter()
            .filter_map(|(key, _)| self.failures.get(key))
            .map(|failures| failures.wait_until)
            .filter(|until| *until > now && until.duration_since(now) <= LONGEST)
            .max()
    }

    /// Counts a failure: each beyond the free ones doubles the wait, from one second on.
    pub fn failed(&mut self, name: &str, address: IpAddr, now: Timestamp) {
        for (key, free) in keys(name, address) {
            self.forget_some(now);
            let failures = self.failures.entry(key).or_insert(Failures { count: 0, wait_until: now });
            // Whoever was quiet for as long as the longest wait begins again.
            if now.duration_since(failures.wait_until) > LONGEST {
                failures.count = 0;
            }
            failures.count = failures.count.saturating_add(1);
            let doublings = failures.count.saturating_sub(free);
            let wait = match doublings {
                0 => SignedDuration::ZERO,
                n => SignedDuration::from_secs(1i64 << (n - 1).min(20)).min(LONGEST),
            };
            failures.wait_until = now.checked_add(wait).unwrap_or(now);
        }
    }

    /// Forgets the failures of a name from an address, after a success.
    pub fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.failures.remove(&Key::NameFrom(name.to_owned(), block(address)));
    }

    fn forget_some(&mut self, now: Timestamp) {
        if self.failures.len() < REMEMBERED {
            return;
        }
        self.failures.retain(|_, failures| now.duration_since(failures.wait_until) <= LONGEST);
        while self.failures.len() >= REMEMBERED {
            let first =
                self.failures.iter().min_by_key(|(_, failures)| failures.wait_until).map(|(key, _)| key.clone());
            match first {
                Some(key) => self.failures.remove(&key),
                None => return,
            };
        }
    }
}

fn keys(name: &str, address: IpAddr) -> [(Key, u32); 2] {
    let address = block(address);
    [(Key::NameFrom(name.to_owned(), address), FREE_PER_NAME), (Key::Address(address), FREE_PER_ADDRESS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nobody_wait_longer() {
        let mut throttle = Throttle::default();
        for _ in 0..FREE_PER_NAME + 20 {
            throttle.failed("ada", HERE, at(100_000));
        }
        assert_eq!(throttle.waits_until("ada", HERE, at(100_000)), Some(at(100_000) + LONGEST));
        assert_eq!(throttle.waits_until("ada", HERE, at(0)), None);
        throttle.failed("ada", HERE, at(0));
        assert_eq!(throttle.waits_until("ada", HERE, at(0)), Some(at(0) + LONGEST), "and is counted on from then on");
    }

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_wait() {
        let mut throttle = Throttle::default();
        for _ in 0..FREE_PER_NAME {
            throttle.failed("ada", HERE, at(0));
            assert_eq!(throttle.waits_until("ada", HERE, at(0)), None);
        }
        throttle.failed("ada", HERE, at(0));
        assert_eq!(throttle.waits_until("ada", HERE, at(0)), Some(at(1)));
        throttle.failed("ada", HERE, at(1));
        assert_eq!(throttle.waits_until("ada", HERE, at(1)), Some(at(3)));
        assert_eq!(throttle.waits_until("ada", HERE, at(3)), None);
        assert_eq!(throttle.waits_until("bob", HERE, at(1)), None, "another name waits for its own failures");
        let elsewhere = "192.0.2.1".parse().expect("an address");
        assert_eq!(throttle.waits_until("ada", elsewhere, at(1)), None, "a stranger cannot lock her out elsewhere");
        throttle.succeeded("ada", HERE);
        assert_eq!(throttle.waits_until("ada", HERE, at(1)), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits_for_all() {
        let mut throttle = Throttle::default();
        for n in 0..=FREE_PER_ADDRESS {
            throttle.failed(&format!("name{n}"), HERE, at(0));
        }
        assert_eq!(throttle.waits_until("never tried", HERE, at(0)), Some(at(1)));
    }

    #[test]
    fn its_memory_is_bounded_and_the_longest_waits_stay() {
        let mut throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed("ada", HERE, at(0));
        }
        for n in 0..3 * REMEMBERED {
            let address = IpAddr::V4(u32::try_from(n).expect("small").into());
            throttle.failed("x", address, at(1));
        }
        assert!(throttle.failures.len() <= REMEMBERED);
        assert!(throttle.waits_until("ada", HERE, at(1)).is_some());
    }
}
