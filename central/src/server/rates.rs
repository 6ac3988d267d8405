//! How often somebody may ask, so that a flood of one is not felt by the others. Each server counts for itself.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use seatline_protocol::KeyId;
use seatline_web::Rate;

use crate::domain::quota::NOTED_EVERY;
use crate::link::Payer;

/// How many documents a product may send from one address within a second, in the long run, where nothing else is said.
pub const DEFAULT_DOCUMENTS_PER_SECOND: u32 = 10;
/// The most that it can be set to.
pub const MAX_DOCUMENTS_PER_SECOND: u32 = 1_000_000;
/// How many it may send at once. A product that comes back after months brings 1,000 reports, which is what its outbox
/// holds, and 1,000 more that were held for approval.
const DOCUMENTS_AT_ONCE: u32 = 2_400;

/// The rates, each with who is counted.
#[derive(Debug, Clone)]
pub struct Rates(Arc<Counted>);

/// What is counted.
#[derive(Debug)]
pub struct Counted {
    /// Requests to the API, by token or session.
    pub requests: Rate<String>,
    /// Tokens that nobody has, by address. A right one from there is not held up.
    pub wrong_tokens: Rate<IpAddr>,
    /// Exchanges and waits that nobody here could have sent, by address: what comes from there waits then.
    pub strangers: Rate<IpAddr>,
    /// Documents of products, by the key that has sealed them and by address: what it seals and sends from there waits
    /// then.
    pub products: Rate<Payer>,
    /// That the products of keys have to wait, to be noted once in a while.
    pub held_up: Rate<KeyId>,
    /// Ways to the provider of single sign-on and back, by address: each makes this server ask the provider.
    pub sign_ons: Rate<IpAddr>,
}

impl Rates {
    /// The rates, where a product may send so many documents a second.
    pub fn new(documents_per_second: u32) -> Self {
        let of_a_document =
            SignedDuration::from_secs(1) / i32::try_from(documents_per_second.max(1)).unwrap_or(i32::MAX);
        Self(Arc::new(Counted {
            requests: Rate::new(600, SignedDuration::from_millis(10)),
            wrong_tokens: Rate::new(60, SignedDuration::from_secs(1)),
            strangers: Rate::new(600, SignedDuration::from_millis(100)),
            products: Rate::new(DOCUMENTS_AT_ONCE, of_a_document),
            held_up: Rate::new(1, NOTED_EVERY),
            sign_ons: Rate::new(30, SignedDuration::from_secs(2)),
        }))
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self::new(DEFAULT_DOCUMENTS_PER_SECOND)
    }
}

impl std::ops::Deref for Rates {
    type Target = Counted;

    fn deref(&self) -> &Counted {
        &self.0
    }
}
