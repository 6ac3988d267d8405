//! How often somebody may ask, so that a flood of one is not felt by the others. Each server counts for itself.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use seatline_web::Rate;

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
    /// Ways to the provider of single sign-on and back, by address: each makes this server ask the provider.
    pub sign_ons: Rate<IpAddr>,
}

impl Default for Rates {
    fn default() -> Self {
        Self(Arc::new(Counted {
            requests: Rate::new(600, SignedDuration::from_millis(10)),
            wrong_tokens: Rate::new(60, SignedDuration::from_secs(1)),
            strangers: Rate::new(600, SignedDuration::from_millis(100)),
            sign_ons: Rate::new(30, SignedDuration::from_secs(2)),
        }))
    }
}

impl std::ops::Deref for Rates {
    type Target = Counted;

    fn deref(&self) -> &Counted {
        &self.0
    }
}
