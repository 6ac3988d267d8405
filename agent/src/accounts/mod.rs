//! The accounts and dimensions of a product, read from where it keeps them.
//!
//! Each kind of source ([`AccountSource`]) is a module here; what all share are the fields of an account (`columns`),
//! the rules for their values (`value`), TLS with a checked certificate (`tls`), and one error for all that can go
//! wrong.
//!
//! A database is opened read-only and closed after each pass. Its rows are streamed: a million accounts take no more
//! memory than one. A value that cannot be understood fails the whole pass, with its row and column and without the
//! value, so that nothing is counted wrongly and no name of a person reaches a log.

mod batch;
mod ber;
pub mod check;
mod columns;
mod command;
mod error;
mod http;
mod identity;
mod json;
mod ldap;
mod process;
mod record;
mod scim;
mod sql;
mod value;
mod wire;

use std::time::{Duration, Instant};

use seatline_host::ports::{Account, AccountSink};

pub use columns::NAMES;
pub use error::{CommandEnd, SourceError};
pub use identity::Looks;
pub(crate) use seatline_postgres::is_loopback;
pub(crate) use seatline_postgres::tls;

use crate::config::{AccountSource, Accounts, DimensionQuery, NumberSource};

/// Gives every account of the configured source to `sink`, and returns how many there were.
///
/// # Errors
/// The first thing that went wrong: then none of the accounts may be counted.
pub fn read(accounts: &Accounts, sink: &mut dyn AccountSink) -> Result<u64, SourceError> {
    read_in(accounts, &mut Pass { sink, tolerated: Vec::new(), most: 0 })
}

fn read_in(accounts: &Accounts, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let limit = TimeLimit::starting_now(accounts.time_limit);
    match &accounts.source {
        AccountSource::Sql(sql) => sql::read_accounts(sql, limit, pass),
        AccountSource::Command(command) => command::read_accounts(command, limit, pass),
        AccountSource::Json(endpoint) => json::read_accounts(endpoint, limit, pass),
        AccountSource::Ldap(directory) => ldap::read_accounts(directory, limit, pass),
        AccountSource::Scim(provider) => scim::read_accounts(provider, limit, pass),
    }
}

/// One pass through a source: where its accounts go, and what happens to those that cannot be understood.
struct Pass<'s> {
    sink: &'s mut dyn AccountSink,
    /// What was wrong with accounts that were left out.
    tolerated: Vec<SourceError>,
    /// How many may be left out. None, where they are counted.
    most: usize,
}

impl Pass<'_> {
    /// Takes what became of a row.
    ///
    /// # Errors
    /// When it is wrong, and no more wrong rows are tolerated; or when no more accounts are wanted.
    fn take(&mut self, account: Result<Account<'_>, SourceError>) -> Result<(), SourceError> {
        match account {
            Ok(account) => self.sink.push(account).map_err(SourceError::Stopped),
            Err(problem) if self.tolerated.len() < self.most => {
                self.tolerated.push(problem);
                Ok(())
            }
            Err(problem) => Err(problem),
        }
    }
}

/// The number of a dimension.
///
/// # Errors
/// The first thing that went wrong.
pub fn measure(dimension: &DimensionQuery) -> Result<u64, SourceError> {
    let limit = TimeLimit::starting_now(dimension.time_limit);
    match &dimension.source {
        NumberSource::Sql(sql) => sql::measure(sql, limit),
        NumberSource::Command(command) => command::measure(command, limit),
        NumberSource::Json(endpoint) => json::measure(endpoint, limit),
    }
}

/// By when a database must have been read.
#[derive(Debug, Clone, Copy)]
struct TimeLimit {
    seconds: u64,
    end: Instant,
}

impl TimeLimit {
    fn starting_now(seconds: u64) -> Self {
        Self { seconds, end: Instant::now() + Duration::from_secs(seconds) }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// The time that is left, for what does I/O.
    fn remaining(&self) -> std::io::Result<Duration> {
        self.left().map_err(|_| std::io::ErrorKind::TimedOut.into())
    }

    /// The time that is left.
    fn left(&self) -> Result<Duration, SourceError> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(SourceError::TimeLimit(self.seconds)) } else { Ok(left) }
    }
}

/// A message from a database as part of one line, short enough to leave room for the rest.
fn short(message: &str) -> String {
    seatline_protocol::text::line(message, 100)
}
