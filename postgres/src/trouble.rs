//! What is in the way of a database, in the words of an administrator.

use seatline_protocol::text;
use tokio_postgres::error::SqlState;

use crate::connection::{QueryError, silent};

/// What an error of a statement means, to whoever is one of several `peer`s on the database, such as a node. PostgreSQL
/// quotes values in its messages, and a value may be a secret: only messages that speak of the schema are passed on.
pub fn reason(error: &QueryError, peer: &str) -> String {
    let error = match error {
        QueryError::Failed(error) => error,
        QueryError::Silent(patience) => return silent(*patience),
    };
    let Some(refusal) = error.as_db_error() else {
        return match error.is_closed() {
            true => "the connection was closed".to_owned(),
            false => "the connection failed".to_owned(),
        };
    };
    let code = refusal.code();
    let message = || text::line(refusal.message(), 200);
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "it is read-only; name the primary server, or let it take changes again".to_owned()
    } else if *code == SqlState::DISK_FULL {
        "its disk is full; free some space there".to_owned()
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        format!("{}; let its user own the schema, or grant it the rights on its tables", message())
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        format!("another {peer} holds its lock for too long; look whether one stands still")
    } else if is_over(code) {
        "the server is starting, stopping, or has ended the connection".to_owned()
    } else if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
        format!("this {peer} stood still in the middle of a change, which was therefore not made")
    } else if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        format!("another {peer} changed the same at the same time; try again")
    } else if code.code().starts_with("42") || *code == SqlState::INVALID_SCHEMA_NAME {
        format!("{}; was the schema removed? restore it from a backup", message())
    } else {
        format!("the server says SQLSTATE {}", code.code())
    }
}

/// What the error of a statement means for whoever ran it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The connection has ended.
    Lost,
    /// The server has not answered in time. What it still answers to this connection answers nothing else.
    Silent,
    /// Others changed the same at the same time: what failed may succeed when it is run again.
    Raced,
    /// The server takes no changes, as a replica does not. A new connection may lead to one that does.
    ReadOnly,
    /// What was prepared on this connection is of no use any more: prepared again, it may succeed.
    Outdated,
    /// It fails again when it is run again.
    Other,
}

/// What the error of a statement means for whoever ran it.
pub fn kind(error: &QueryError) -> Trouble {
    let raced = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];
    let outdated = [SqlState::FEATURE_NOT_SUPPORTED, SqlState::INVALID_SQL_STATEMENT_NAME];
    match error {
        QueryError::Silent(_) => Trouble::Silent,
        error if ends_connection(error) => Trouble::Lost,
        error if has_code(error, &[SqlState::READ_ONLY_SQL_TRANSACTION]) => Trouble::ReadOnly,
        error if has_code(error, &raced) => Trouble::Raced,
        error if has_code(error, &outdated) => Trouble::Outdated,
        QueryError::Failed(_) => Trouble::Other,
    }
}

/// Whether the connection has ended, so that another one may serve. One whose server has not answered is none of these:
/// nobody waits for such a server twice.
pub fn ends_connection(error: &QueryError) -> bool {
    let QueryError::Failed(error) = error else { return false };
    match error.code() {
        None => true,
        Some(code) => is_over(code) || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    }
}

/// Whether the server is going, coming, or has broken with us: classes 57P and 08.
fn is_over(code: &SqlState) -> bool {
    code.code().starts_with("57P") || code.code().starts_with("08")
}

/// Whether the schema, or one of its tables, is not there.
pub fn is_missing(error: &QueryError) -> bool {
    has_code(error, &[SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME])
}

/// Whether somebody else makes the same at the same time.
pub fn is_made_by_another(error: &QueryError) -> bool {
    matches!(error, QueryError::Failed(error) if error.code().is_some_and(is_of_another))
}

/// Whether a table, or something else, was not made because somebody else makes it at the same time.
pub fn is_of_another(code: &SqlState) -> bool {
    [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_COLUMN,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::INTERNAL_ERROR,
    ]
    .contains(code)
}

fn has_code(error: &QueryError, codes: &[SqlState]) -> bool {
    let QueryError::Failed(error) = error else { return false };
    error.code().is_some_and(|code| codes.contains(code))
}
