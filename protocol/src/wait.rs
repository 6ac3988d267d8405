//! Waiting for news: a linked product asks, and the central server answers as soon as there is something to do, or when
//! the time is over.
//!
//! `POST /link/v1/wait` takes a [`WaitRequest`] and answers an [`crate::ExchangeResponse`]: with the link's settings
//! once they are newer than those that the product has, with a refusal where there is nothing to wait for, and else
//! with nothing. It is comfort: where a proxy cuts such requests off, the next exchange brings the same.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, MAX_COUNT};
use crate::seal::Document;

/// The path under the central server's URL.
pub const PATH: &str = "/link/v1/wait";
/// The most bytes of a request's JSON.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024;
/// The most seconds that a request may wait. Most proxies cut off what is silent for a minute.
pub const MAX_SECONDS: u64 = 50;
/// How far the clocks of the product and of the central server may differ.
pub const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// What a product that waits sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitRequest {
    /// A [`Wait`].
    pub wait: String,
}

/// That a product waits for news, sealed by its link's key: nobody else can hold a connection in its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The link.
    pub link: LinkId,
    /// The revision of the settings that the product has; 0 where it has none yet.
    pub revision: u64,
    /// After how many seconds it wants an answer at the latest: 1 to [`MAX_SECONDS`].
    pub seconds: u64,
    /// When it was made.
    pub issued_at: Timestamp,
}

impl Document for Wait {
    const PURPOSE: &'static str = "seatline/wait/v1";
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), String> {
        if self.revision > MAX_COUNT {
            return Err(format!("revision: at most {MAX_COUNT}"));
        }
        if !(1..=MAX_SECONDS).contains(&self.seconds) {
            return Err(format!("seconds: from 1 to {MAX_SECONDS}"));
        }
        Ok(())
    }
}
