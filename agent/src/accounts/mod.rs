//! The accounts and dimensions of a product, read from where it keeps them.
//!
//! Each kind of source ([`AccountSource`]) is a module here; what all share are the fields of an account ([`columns`]), the
//! rules for their values ([`value`]), TLS with a checked certificate ([`tls`]), and one error for all that can go wrong.
//!
//! A database is opened read-only and closed after each pass. Its rows are streamed: a million accounts take no more
//! memory than one. A value that cannot be understood fails the whole pass, with its row and column and without the
//! value, so that nothing is counted wrongly and no name of a person reaches a log.

mod columns;
mod sql;
mod tls;
mod value;

use std::time::{Duration, Instant};

use seatline_host::ports::{AccountSink, PortError};

use crate::config::database::AddressError;
use crate::config::{AccountSource, Accounts, DimensionQuery};

/// Why a database could not be read. Every message is one line, and holds no value of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The database's address or password is not to be had.
    #[error("the database's address or password is not to be had: {0}")]
    Secret(#[from] AddressError),
    /// There is no such file.
    #[error("there is no database at {0}")]
    Missing(String),
    /// The database cannot be opened or reached.
    #[error("cannot reach the database {database}: {reason}")]
    Unreachable {
        /// Its path, or its host.
        database: String,
        /// One line.
        reason: String,
    },
    /// The database does not let us read.
    #[error("not allowed to read: {0}")]
    Denied(String),
    /// Somebody else holds a lock for too long.
    #[error("the database is locked by another program")]
    Locked,
    /// The file is no database, or is damaged.
    #[error("{0}")]
    Damaged(String),
    /// The query is wrong.
    #[error("the query is not accepted: {0}")]
    Query(String),
    /// The query would change the database.
    #[error("the query must be one SELECT statement that changes nothing")]
    Writes,
    /// The query's columns are not those of an account.
    #[error("the query's columns: {0}")]
    Columns(String),
    /// A value that cannot be understood.
    #[error("row {row}: `{column}` {rule}")]
    Value {
        /// The row, from 1, in the order in which the query gives them.
        row: u64,
        /// The column.
        column: &'static str,
        /// What the value must be.
        rule: &'static str,
    },
    /// The query of a dimension gave something else than a number.
    #[error("the query must give one row with one whole number, not negative")]
    NotANumber,
    /// Reading took too long.
    #[error("reading took longer than the time limit of {0} s")]
    TimeLimit(u64),
    /// Reading broke off.
    #[error("reading broke off after {rows} rows: {reason}")]
    BrokenOff {
        /// How many rows came before.
        rows: u64,
        /// One line.
        reason: String,
    },
    /// Whoever takes the accounts wants no more.
    #[error(transparent)]
    Stopped(PortError),
}

impl SourceError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Secret(_) => "source-secret",
            Self::Missing(_) => "source-missing",
            Self::Unreachable { .. } => "source-unreachable",
            Self::Denied(_) => "source-denied",
            Self::Locked => "source-locked",
            Self::Damaged(_) => "source-damaged",
            Self::Query(_) => "source-query",
            Self::Writes => "source-query-writes",
            Self::Columns(_) => "source-columns",
            Self::Value { .. } => "source-value",
            Self::NotANumber => "source-not-a-number",
            Self::TimeLimit(_) => "source-time-limit",
            Self::BrokenOff { .. } => "source-broken-off",
            Self::Stopped(_) => "source-stopped",
        }
    }
}

/// Gives every account of the configured source to `sink`, and returns how many there were.
///
/// # Errors
/// The first thing that went wrong: then none of the accounts may be counted.
pub fn read(accounts: &Accounts, sink: &mut dyn AccountSink) -> Result<u64, SourceError> {
    let limit = TimeLimit::starting_now(accounts.time_limit);
    match &accounts.source {
        AccountSource::Sql(sql) => sql::read_accounts(sql, limit, sink),
    }
}

/// The number that the query of a dimension gives.
///
/// # Errors
/// The first thing that went wrong.
pub fn measure(dimension: &DimensionQuery) -> Result<u64, SourceError> {
    sql::measure(&dimension.sql, TimeLimit::starting_now(dimension.time_limit))
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
