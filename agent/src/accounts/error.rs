//! What can go wrong when a source is read.

use seatline_host::ports::PortError;

use crate::config::database::AddressError;

/// Why a source could not be read. Every message is one line, and holds no value of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source's address or a secret of it is not to be had.
    #[error("the source's address or secret is not to be had: {0}")]
    Secret(#[from] AddressError),
    /// There is no such file.
    #[error("there is no database at {0}")]
    Missing(String),
    /// The source cannot be opened or reached.
    #[error("cannot reach {place}: {reason}")]
    Unreachable {
        /// What and where it is.
        place: String,
        /// One line.
        reason: String,
    },
    /// The source does not let us read.
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
        /// The row, from 1, in the order in which the source gives them.
        row: u64,
        /// The column.
        column: &'static str,
        /// What the value must be.
        rule: &'static str,
    },
    /// A dimension is something else than a number.
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
