//! What is in the way of the database, in the words of an administrator.

use postgres::error::SqlState;
use seatline_host::store::StoreError;
use seatline_protocol::text;

use super::connection::{QueryError, silent};

/// What an error of a statement means for the state in `what`. PostgreSQL quotes values in its messages, and a value of the
/// state may be a secret: only messages that speak of the schema are passed on.
pub fn of_statement(error: &QueryError, what: &str) -> StoreError {
    let what = what.to_owned();
    let error = match error {
        QueryError::Failed(error) => error,
        QueryError::Silent(patience) => return StoreError::Unavailable { what, reason: silent(*patience) },
    };
    let Some(refusal) = error.as_db_error() else {
        let reason = match error.is_closed() {
            true => "the connection was closed",
            false => "the connection failed",
        };
        return StoreError::Unavailable { what, reason: reason.to_owned() };
    };
    let code = refusal.code();
    let message = || text::line(refusal.message(), 200);
    let reason = if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "it is read-only; name the primary server, or let it take changes again".to_owned()
    } else if *code == SqlState::DISK_FULL {
        "its disk is full; free some space there".to_owned()
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        format!("{}; let its user own the schema, or grant it the rights on its tables", message())
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        "another node holds its lock for too long; look whether one stands still".to_owned()
    } else if is_over(code) {
        "the server is starting, stopping, or has ended the connection".to_owned()
    } else if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
        "this node stood still in the middle of a change, which was therefore not made".to_owned()
    } else if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        "another node changed the same at the same time; try again".to_owned()
    } else if code.code().starts_with("42") || *code == SqlState::INVALID_SCHEMA_NAME {
        format!("{}; was the schema removed? restore it from a backup", message())
    } else {
        format!("the server says SQLSTATE {}", code.code())
    };
    StoreError::Unavailable { what, reason }
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
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::INTERNAL_ERROR,
    ];
    has_code(error, &codes)
}

fn has_code(error: &QueryError, codes: &[SqlState]) -> bool {
    let QueryError::Failed(error) = error else { return false };
    error.code().is_some_and(|code| codes.contains(code))
}
