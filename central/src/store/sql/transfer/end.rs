//! A database as one end of a transfer.

use std::path::PathBuf;

use rusqlite::Connection;
use seatline_postgres::PostgresAddress;

use crate::store::Stored;
use crate::store::sql::group::Connection as _;
use crate::store::sql::postgres::{self, PostgresSession};
use crate::store::sql::session::Session;
use crate::store::sql::sqlite;

/// A database that was named.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of PostgreSQL.
    Postgres(Box<PostgresAddress>),
}

impl Database {
    /// Makes its tables, or brings them to those of this version.
    pub(super) fn brought_up_to_date(&self) -> Stored<()> {
        match self {
            Self::Sqlite(path) => sqlite::made(path).map(drop),
            Self::Postgres(address) => postgres::made((**address).clone()).map(drop),
        }
    }

    /// A connection to it.
    pub(super) fn end(&self) -> Stored<End> {
        Ok(match self {
            Self::Sqlite(path) => End::Sqlite(Box::new(sqlite::connect(path)?)),
            Self::Postgres(address) => End::Postgres(Box::new(postgres::unhurried((**address).clone())?)),
        })
    }
}

/// A new database of this version, in memory.
pub(super) fn new_file() -> Stored<Connection> {
    sqlite::in_memory()
}

/// A connection.
pub(super) enum End {
    Sqlite(Box<Connection>),
    Postgres(Box<PostgresSession>),
}

impl End {
    pub(super) fn session(&self) -> &dyn Session {
        match self {
            Self::Sqlite(connection) => &**connection,
            Self::Postgres(session) => &**session,
        }
    }

    /// Begins to read: until the end, the data are what they are now.
    pub(super) fn begin_reading(&self) -> Stored<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch("BEGIN")?),
            Self::Postgres(session) => session.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    /// Begins to write. What is not committed is undone with the connection.
    pub(super) fn begin_writing(&self) -> Stored<()> {
        match self {
            Self::Sqlite(connection) => connection.begin(),
            Self::Postgres(session) => session.control("BEGIN"),
        }
    }

    /// Commits what was written. It is on the disk when this returns.
    pub(super) fn commit(&self) -> Stored<()> {
        match self {
            Self::Sqlite(connection) => connection.commit(),
            Self::Postgres(session) => session.settle().and_then(|()| session.control("COMMIT")),
        }
    }
}
