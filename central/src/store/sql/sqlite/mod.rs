//! SQLite: one file, one writer thread that commits in groups, one that looks in groups, and readers apart from both.
//!
//! The journal is a write-ahead log that is synced with every commit (`synchronous = FULL`). Several programs may have
//! the same file open, as the command line does while the server runs; each waits its turn.

mod checkpoint;
mod looks;
#[cfg(debug_assertions)]
mod plan;
mod readers;
mod session;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use super::group::{Job, Writer};
use super::{Driver, StoreError, Stored, View};
use looks::Looks;
use readers::Readers;

/// The name of the database file in the data directory.
pub const DATABASE_FILE: &str = "central.db";

/// How long a program waits for another one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many prepared statements a connection keeps.
const CACHED_STATEMENTS: usize = 256;
/// How many KiB of pages the writer keeps: the rows that reports touch again and again, and the reports before them.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

mod embedded {
    refinery::embed_migrations!("src/store/sql/migrations/sqlite");
}

/// A database in a file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    looks: Looks,
}

impl Sqlite {
    /// See [`super::SqlStore::sqlite`].
    pub(super) fn open(path: &Path) -> Stored<Self> {
        let mut connection = made(path)?;
        checkpoint::beside(&mut connection, path)?;
        // Negative: in KiB, where pages would be counted.
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::start(connection)?,
            readers: Readers::new(path.to_owned()),
            looks: Looks::start(path.to_owned())?,
        })
    }
}

/// A connection to the file, which is made if it is not there, with tables that are up to date.
pub(super) fn made(path: &Path) -> Stored<Connection> {
    // SQLite gives its journal the mode of the database, so that only the owner reads either.
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    made.map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display()).into()))?;
    let mut connection = connect(path)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// A new database in memory.
pub(super) fn in_memory() -> Stored<Connection> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Stored<()> {
    let migrated = embedded::migrations::runner().run(connection);
    migrated.map(drop).map_err(|error| StoreError::Unavailable(Box::new(error)))
}

#[async_trait]
impl Driver for Sqlite {
    async fn read(&self, job: Box<dyn Job>, view: View) {
        match view {
            View::Snapshot => self.readers.read(job).await,
            View::Statement => self.looks.look(job).await,
        }
    }

    fn write(&self, job: Box<dyn Job>) -> Stored<()> {
        self.writer.write(job)
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// A connection with the settings that all of them share.
pub(super) fn connect(path: &Path) -> Stored<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // A statement has one plan, whatever its values are: else SQLite plans many of them anew each time, to look at the
    // values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => {
                Self::Unavailable("the read took too long, and was given up".into())
            }
            _ => Self::Unavailable(Box::new(error)),
        }
    }
}
