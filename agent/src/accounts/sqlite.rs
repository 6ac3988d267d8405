//! Accounts in a file of SQLite.

use std::path::Path;
use std::time::Duration;

use rusqlite::ffi::ErrorCode;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Statement};
use seatline_host::ports::AccountSink;

use super::columns::Columns;
use super::value::{Rows, Value};
use super::{SourceError, TimeLimit, short};

/// For how long a lock is waited for: a product's own write transactions are far shorter.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// After how many instructions of SQLite's machine the time limit is looked at: some microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Gives every account that `query` finds to `sink`, and returns how many there were.
pub fn read_accounts(
    path: &Path,
    query: &str,
    limit: TimeLimit,
    sink: &mut dyn AccountSink,
) -> Result<u64, SourceError> {
    let connection = open(path, limit)?;
    let mut statement = prepare(&connection, query, limit)?;
    let columns = Columns::find(statement.column_names())?;
    let mut rows = Rows::of(columns);
    let mut cursor = statement.raw_query();
    loop {
        match cursor.next() {
            Err(error) => return Err(read_error(&error, limit, rows.count)),
            Ok(None) => return Ok(rows.count),
            Ok(Some(row)) => {
                let account = rows.account(|index| row.get_ref(index).map_or(Value::Other, value))?;
                sink.push(account).map_err(SourceError::Stopped)?;
            }
        }
    }
}

/// The one number that `query` gives.
pub fn measure(path: &Path, query: &str, limit: TimeLimit) -> Result<u64, SourceError> {
    let connection = open(path, limit)?;
    let mut statement = prepare(&connection, query, limit)?;
    if statement.column_count() != 1 {
        return Err(SourceError::NotANumber);
    }
    let mut cursor = statement.raw_query();
    let number = match cursor.next().map_err(|error| read_error(&error, limit, 0))? {
        Some(row) => row.get::<_, i64>(0).ok().and_then(|number| u64::try_from(number).ok()),
        None => None,
    };
    let more = cursor.next().map_err(|error| read_error(&error, limit, 1))?.is_some();
    number.filter(|_| !more).ok_or(SourceError::NotANumber)
}

fn value(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(_) => Value::Other,
    }
}

/// Opens the file read-only: a file that is missing is not made, and nothing in it can be changed.
fn open(path: &Path, limit: TimeLimit) -> Result<Connection, SourceError> {
    if let Err(error) = std::fs::metadata(path)
        && error.kind() == std::io::ErrorKind::NotFound
    {
        return Err(SourceError::Missing(path.display().to_string()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|mut connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || limit.is_over()))?;
        Ok(connection)
    });
    opened.map_err(|error| open_error(&error, path, limit))
}

fn prepare<'c>(connection: &'c Connection, query: &str, limit: TimeLimit) -> Result<Statement<'c>, SourceError> {
    let path = Path::new(connection.path().unwrap_or_default());
    let statement = connection.prepare(query).map_err(|error| match error {
        rusqlite::Error::MultipleStatement => SourceError::Writes,
        rusqlite::Error::SqlInputError { msg, .. } => SourceError::Query(short(&msg)),
        rusqlite::Error::SqliteFailure(failure, Some(message)) if failure.code == ErrorCode::Unknown => {
            SourceError::Query(short(&message))
        }
        error => open_error(&error, path, limit),
    })?;
    // A statement without columns is no SELECT; one that writes, or a pragma, is not what was asked for.
    if statement.readonly() && statement.column_count() > 0 { Ok(statement) } else { Err(SourceError::Writes) }
}

/// An error before the first row, when there is nothing of a row that its message could repeat.
fn open_error(error: &rusqlite::Error, path: &Path, limit: TimeLimit) -> SourceError {
    let unreachable =
        |reason: &str| SourceError::Unreachable { database: path.display().to_string(), reason: reason.to_owned() };
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => match std::fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                SourceError::Denied(format!("{}: {error}", path.display()))
            }
            Err(error) => unreachable(&error.to_string()),
            Ok(_) => unreachable("SQLite cannot open the file, or the -wal and -shm files beside it"),
        },
        Some(ErrorCode::ReadOnly) => unreachable("it was not closed cleanly: start the product once, which repairs it"),
        _ => read_error(error, limit, 0),
    }
}

/// An error while rows come: its message is not shown, because SQLite quotes values in some.
fn read_error(error: &rusqlite::Error, limit: TimeLimit, rows: u64) -> SourceError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SourceError::Locked,
        Some(ErrorCode::OperationInterrupted) => SourceError::TimeLimit(limit.seconds),
        Some(ErrorCode::NotADatabase) => SourceError::Damaged("the file is not a SQLite database".to_owned()),
        Some(ErrorCode::DatabaseCorrupt) => SourceError::Damaged("the database is damaged".to_owned()),
        Some(ErrorCode::PermissionDenied) => SourceError::Denied("SQLite refuses the file".to_owned()),
        Some(code) => SourceError::BrokenOff { rows, reason: format!("SQLite says {code:?}") },
        None => SourceError::BrokenOff { rows, reason: "SQLite gives no reason".to_owned() },
    }
}
