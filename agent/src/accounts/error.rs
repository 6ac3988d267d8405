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
    /// What is no account at all.
    #[error("row {row}: {rule}")]
    Record {
        /// The row, from 1.
        row: u64,
        /// What is wrong with it, without a value.
        rule: String,
    },
    /// More than an account, a page or an answer may have.
    #[error("after {rows} rows, {what} has more than {bytes} bytes")]
    TooLarge {
        /// How many rows came before.
        rows: u64,
        /// What is too large.
        what: &'static str,
        /// How large it may be.
        bytes: u64,
    },
    /// The source answers otherwise than it should.
    #[error("{0}")]
    Answer(String),
    /// The pages of a list have no end.
    #[error("{0}")]
    Pages(String),
    /// A dimension is something else than a number.
    #[error("the query must give one row with one whole number, not negative")]
    NotANumber,
    /// What should be a number is none.
    #[error("{0} must give one whole number, not negative")]
    NoNumber(&'static str),
    /// A command ended otherwise than well.
    #[error("the command {0}")]
    Command(CommandEnd),
    /// The query of the birth mark gave something else.
    #[error("the birth mark: {0}")]
    BirthMark(&'static str),
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

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandEnd {
    /// Its exit status, or the signal that ended it.
    pub status: String,
    /// The last line that it wrote to standard error. It may hold anything, so that only an administrator sees it: it
    /// is no part of the message, which goes into reports.
    pub said: Option<String>,
}

impl std::fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hint = if self.said.is_some() { " (`seatline accounts check` shows what it said)" } else { "" };
        write!(f, "{}{hint}", self.status)
    }
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
            Self::Record { .. } => "source-record",
            Self::TooLarge { .. } => "source-too-large",
            Self::Answer(_) => "source-answer",
            Self::Pages(_) => "source-pages",
            Self::NotANumber | Self::NoNumber(_) => "source-not-a-number",
            Self::Command(_) => "source-command",
            Self::BirthMark(_) => "source-birth-mark",
            Self::TimeLimit(_) => "source-time-limit",
            Self::BrokenOff { .. } => "source-broken-off",
            Self::Stopped(_) => "source-stopped",
        }
    }
}
