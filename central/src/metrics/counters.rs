//! What this process has done since its start.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use seatline_protocol::ExchangeResponse;

use crate::link::ExchangeError;

/// The most codes that are told apart: those of the program are fewer.
const MAX_CODES: usize = 64;

/// What this process has done since its start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Exchanges by how they ended: `answered`, or the code of what was in the way.
    exchanges: ByCode,
    /// How long they took.
    pub exchange: Timed,
    /// Receipts that were given.
    receipts: AtomicU64,
    /// Documents that were refused, by code.
    refusals: ByCode,
}

impl Counters {
    /// Counts an exchange that has begun at a time.
    pub fn exchanged(&self, began: Instant, result: &Result<ExchangeResponse, ExchangeError>) {
        self.exchange.add(began.elapsed());
        match result {
            Ok(response) => {
                self.exchanges.add("answered");
                self.receipts.fetch_add(response.receipts.len() as u64, Relaxed);
                response.refusals.iter().for_each(|refusal| self.refusals.add(&refusal.code));
            }
            // To whoever sends it, both are a reason to come again; to whoever looks after the server, a flood is no
            // outage.
            Err(ExchangeError::Flood { .. }) => self.exchanges.add("flood"),
            Err(error) => self.exchanges.add(error.code().name()),
        }
    }

    /// Exchanges by how they ended.
    pub fn exchanges(&self) -> BTreeMap<String, u64> {
        self.exchanges.all()
    }

    /// Receipts that were given, also those that were given before.
    pub fn receipts(&self) -> u64 {
        self.receipts.load(Relaxed)
    }

    /// Documents that were refused, by code.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.all()
    }
}

/// Counts by a code.
#[derive(Debug, Default)]
struct ByCode(Mutex<BTreeMap<String, u64>>);

impl ByCode {
    fn add(&self, code: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = counts.len() < MAX_CODES || counts.contains_key(code);
        *counts.entry(if has_room { code } else { "other" }.to_owned()).or_default() += 1;
    }

    fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How often something was done, and how long all of it took.
#[derive(Debug, Default)]
pub struct Timed {
    count: AtomicU64,
    nanos: AtomicU64,
}

impl Timed {
    /// Adds what took so long.
    pub fn add(&self, took: Duration) {
        self.count.fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// How often, and how many seconds together.
    pub fn read(&self) -> (u64, f64) {
        (self.count.load(Relaxed), self.nanos.load(Relaxed) as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g6_codes_beyond_measure_are_counted_together() {
        let counts = ByCode::default();
        for code in 0..200 {
            counts.add(&format!("code-{code}"));
        }
        let all = counts.all();
        assert_eq!((all.len(), all["other"]), (MAX_CODES + 1, 200 - MAX_CODES as u64));
    }
}
