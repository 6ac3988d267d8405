//! Accounts in a file of SQLite.
//!
//! The database belongs to the product, and nothing is left beside it. A reader of a database in WAL mode makes the
//! files `-wal` and `-shm` where there are none; they would be owned by the agent's user, and the product might not be
//! able to write them. Such a database at rest is therefore read as an unchanging file, and the pass fails if the
//! product began to write meanwhile.

mod taking;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Statement};
use seatline_host::ports::{DatabaseIdentity, DatabasePlace};
use taking::Taking;

use super::{ONE_COLUMN, birth_mark};
use crate::accounts::batch::Batch;
use crate::accounts::columns::Columns;
use crate::accounts::{Pass, SourceError, TimeLimit, short};

/// For how long a lock is waited for: a product's own write transactions are far shorter.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// After how many instructions of SQLite's machine the time limit is looked at: some microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;
/// The most bytes of a row or a value: rows with a picture in them are read, and one that fills the memory is not.
const MAX_VALUE_BYTES: i32 = 16 * 1024 * 1024;

/// Gives every account that `query` finds to `pass`, and returns how many there were.
pub fn read_accounts(path: &Path, query: &str, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let (sender, batches) = sync_channel(1);
    thread::scope(|scope| {
        // Read by a thread of its own, which is on the next rows while these are looked at.
        let reading = scope.spawn(move || read(path, query, limit, sender));
        let mut rows = 0;
        // It ends when nobody takes what it reads.
        for batch in batches {
            rows += batch.rows();
            batch.give(pass)?;
        }
        match reading.join() {
            Ok(Ok(())) => Ok(rows),
            Ok(Err(SourceError::BrokenOff { reason, .. })) => Err(SourceError::BrokenOff { rows, reason }),
            Ok(Err(error)) => Err(error),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads every row that `query` finds, and sends its accounts in batches.
fn read(path: &Path, query: &str, limit: TimeLimit, batches: SyncSender<Batch>) -> Result<(), SourceError> {
    let database = Database::open(path, limit)?;
    let statement = database.prepare(query)?;
    let columns = Columns::find(statement.column_names())?;
    let statement =
        taking::statement_over(&statement).ok_or_else(|| SourceError::Query("it is too long".to_owned()))?;
    let failed = |error: rusqlite::Error| read_error(&error, limit, 0);
    Taking::begin(&database.connection, columns, batches).map_err(failed)?;
    let mut statement = database.prepare(&statement)?;
    statement.query_row([], |_| Ok(())).map_err(failed)?;
    database.was_at_rest(0)
}

/// The one number that `query` gives.
pub fn measure(path: &Path, query: &str, limit: TimeLimit) -> Result<u64, SourceError> {
    let database = Database::open(path, limit)?;
    let mut statement = database.prepare(query)?;
    if statement.column_count() != 1 {
        return Err(SourceError::NotANumber);
    }
    let mut cursor = statement.raw_query();
    let number = match cursor.next().map_err(|error| read_error(&error, limit, 0))? {
        Some(row) => row.get::<_, i64>(0).ok().and_then(|number| u64::try_from(number).ok()),
        None => None,
    };
    let more = cursor.next().map_err(|error| read_error(&error, limit, 1))?.is_some();
    database.was_at_rest(1)?;
    number.filter(|_| !more).ok_or(SourceError::NotANumber)
}

/// The canonical path of the file, and the birth mark that `query` gives.
pub fn identity(path: &Path, query: &str, limit: TimeLimit) -> Result<DatabaseIdentity, SourceError> {
    let database = Database::open(path, limit)?;
    let mut statement = database.prepare(query)?;
    if statement.column_count() != 1 {
        return Err(ONE_COLUMN);
    }
    let (mut marks, mut cursor) = (Vec::new(), statement.raw_query());
    // Two rows are enough to see that there is more than one.
    while let Some(row) = cursor.next().map_err(|error| read_error(&error, limit, 0))?.filter(|_| marks.len() < 2) {
        marks.push(row.get_ref(0).ok().and_then(mark));
    }
    database.was_at_rest(1)?;
    let path = path.canonicalize().map_err(|error| unreachable(path, &error.to_string()))?;
    Ok(DatabaseIdentity { place: DatabasePlace::File(path), birth_mark: birth_mark(marks)? })
}

/// A value as a birth mark. A number with a fraction is none: no two programs write it in the same way.
fn mark(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(str::to_owned),
        ValueRef::Blob(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        ValueRef::Null | ValueRef::Real(_) => None,
    }
}

/// An opened file.
struct Database<'p> {
    connection: Connection,
    path: &'p Path,
    limit: TimeLimit,
    /// For a file that is read as an unchanging one.
    rest: Option<Rest>,
}

/// A database in WAL mode that nobody has open, which is why it has no log.
struct Rest {
    absent_log: PathBuf,
    modified: Option<SystemTime>,
}

impl<'p> Database<'p> {
    /// Opens the file read-only: one that is missing is not made, and nothing in it can be changed.
    fn open(path: &'p Path, limit: TimeLimit) -> Result<Self, SourceError> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(SourceError::Missing(path.display().to_string()));
            }
            // A pipe would hold us for as long as nobody writes into it.
            Ok(file) if !file.is_file() => return Err(unreachable(path, "it is not a file")),
            _ => {}
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let rest = Rest::of(path);
        let opened = match &rest {
            None => Connection::open_with_flags(path, flags),
            Some(_) => Connection::open_with_flags(unchanging(path), flags | OpenFlags::SQLITE_OPEN_URI),
        };
        let opened = opened.and_then(|mut connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || limit.is_over()))?;
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
            // What the database itself defines, such as a view, reaches no function or table that has side effects.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| open_error(&error, path, limit))?;
        Ok(Self { connection, path, limit, rest })
    }

    fn prepare(&self, query: &str) -> Result<Statement<'_>, SourceError> {
        let statement = self.connection.prepare(query).map_err(|error| match error {
            rusqlite::Error::MultipleStatement => SourceError::Writes,
            rusqlite::Error::SqlInputError { msg, .. } => SourceError::Query(short(&msg)),
            rusqlite::Error::SqliteFailure(failure, Some(message)) if failure.code == ErrorCode::Unknown => {
                SourceError::Query(short(&message))
            }
            error => open_error(&error, self.path, self.limit),
        })?;
        // A statement without columns is no SELECT; one that writes, or a pragma, is not what was asked for.
        if statement.readonly() && statement.column_count() > 0 { Ok(statement) } else { Err(SourceError::Writes) }
    }

    /// Whether what was read as an unchanging file has not changed meanwhile.
    fn was_at_rest(&self, rows: u64) -> Result<(), SourceError> {
        match &self.rest {
            Some(rest) if rest.absent_log.exists() || rest.modified != modified(self.path) => {
                Err(SourceError::BrokenOff { rows, reason: "the product began to use its database".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

impl Rest {
    /// The rest of the database at `path`; none for one that is open, or not in WAL mode.
    fn of(path: &Path) -> Option<Self> {
        use std::io::Read as _;
        let modified = modified(path);
        let mut header = [0; 20];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
        let mut log = OsString::from(path);
        log.push("-wal");
        let absent_log = PathBuf::from(log);
        // Bytes 18 and 19: the file format versions; 2 is WAL (the SQLite file format, section 1.3).
        (header[18..] == [2, 2] && !absent_log.exists()).then_some(Self { absent_log, modified })
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// The URI of a file that does not change, every byte of its path escaped that could mean something else.
fn unchanging(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let escaped: String = absolute
        .as_os_str()
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("file://{escaped}?immutable=1")
}

fn unreachable(path: &Path, reason: &str) -> SourceError {
    SourceError::Unreachable { place: format!("the database {}", path.display()), reason: reason.to_owned() }
}

/// An error before the first row, when there is nothing of a row that its message could repeat.
fn open_error(error: &rusqlite::Error, path: &Path, limit: TimeLimit) -> SourceError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => match std::fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                SourceError::Denied(format!("{}: {error}", path.display()))
            }
            Err(error) => unreachable(path, &error.to_string()),
            Ok(_) => unreachable(path, "SQLite cannot open the file, or the -wal and -shm files beside it"),
        },
        Some(ErrorCode::ReadOnly) => {
            unreachable(path, "it was not closed cleanly: start the product once, which repairs it")
        }
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
        Some(ErrorCode::TooBig) => {
            SourceError::BrokenOff { rows, reason: format!("a value has more than {MAX_VALUE_BYTES} bytes") }
        }
        Some(code) => SourceError::BrokenOff { rows, reason: format!("SQLite says {code:?}") },
        None => SourceError::BrokenOff { rows, reason: "SQLite gives no reason".to_owned() },
    }
}
