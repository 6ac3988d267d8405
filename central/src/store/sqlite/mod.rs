//! The store on SQLite: one file, one writer thread that commits in groups, and readers apart from it.
//!
//! The journal is a write-ahead log that is synced with every commit (`synchronous = FULL`). Several programs may have
//! the same file open, as the command line does while the server runs; each waits its turn.

mod accounts;
mod applications;
mod chain;
mod identity;
mod latest;
mod links;
mod readers;
mod reports;
mod row;
mod statements;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::{StoreError, Stored};
use readers::Readers;
use writer::Writer;

/// The name of the database file in the data directory.
pub const DATABASE_FILE: &str = "central.db";

/// How long a program waits for another one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many prepared statements a connection keeps.
const CACHED_STATEMENTS: usize = 64;
/// How many KiB of pages the writer keeps: the rows that reports touch again and again, and the reports before them.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

mod embedded {
    refinery::embed_migrations!("src/store/sqlite/migrations");
}

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the database file, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file cannot be opened, is none of ours, or was written by a newer version.
    pub fn open(path: &Path) -> Stored<Self> {
        // SQLite gives its journal the mode of the database, so that only the owner reads either.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display()).into()))?;
        let mut connection = connect(path)?;
        // Negative: in KiB, where pages would be counted.
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        embedded::migrations::runner()
            .run(&mut connection)
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::new(path.to_owned()) })
    }

    /// Runs `work` on a reader's connection, off the async threads.
    async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Stored<T> + Send + 'static) -> Stored<T> {
        self.readers.read(work).await
    }

    /// Runs `work` in the next group's transaction, and gives its value after the commit. It may run twice, the first time
    /// without effect.
    async fn write<T: Send + 'static>(&self, work: impl Fn(&Connection) -> Stored<T> + Send + 'static) -> Stored<T> {
        self.writer.write(work).await
    }
}

/// A connection with the settings that all of them share.
fn connect(path: &Path) -> Stored<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(_, _, reason) => {
                Self::Corrupt { what: "a value", reason: reason.to_string() }
            }
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
