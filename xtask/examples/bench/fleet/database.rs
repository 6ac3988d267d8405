//! Where central keeps a fleet.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use seatline_central::store::sql::{DATABASE_FILE, PostgresAddress, SqlStore};
use seatline_tests::Central;
use seatline_tests::postgres::Postgres;

use crate::Problem;

/// The empty database of a server of PostgreSQL.
const DATABASE: &str = "wiki";

/// The database of a server, which syncs at every commit.
pub enum Database {
    /// A file in its directory.
    Sqlite(PathBuf),
    /// A server of its own. It ends with this.
    Postgres(Box<Postgres>),
}

impl Database {
    /// A server with its data in a file.
    pub fn sqlite() -> (Central, Self) {
        let central = Central::start();
        let dir = central.dir().to_owned();
        (central, Self::Sqlite(dir))
    }

    /// A server with its data in PostgreSQL.
    pub fn postgres() -> (Central, Self) {
        let server = Postgres::start_with(&["fsync=on", "max_connections=40"]);
        let central = Central::start_on(&server.address("owner", DATABASE));
        (central, Self::Postgres(Box::new(server)))
    }

    /// Its store, while no server writes to it.
    pub async fn store(&self) -> Result<SqlStore, Problem> {
        Ok(match self {
            Self::Sqlite(dir) => SqlStore::sqlite(&dir.join(DATABASE_FILE))?,
            Self::Postgres(server) => {
                SqlStore::postgres(PostgresAddress::parse(&server.address("owner", DATABASE))?).await?
            }
        })
    }

    /// How often PostgreSQL had to end a transaction because two waited for each other, when all servers have gone.
    pub fn deadlocks(&self) -> Result<f64, Problem> {
        let Self::Postgres(server) = self else { return Ok(0.0) };
        let mut client = server.client();
        // Whoever was in one has told of it when he has gone.
        let others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                      AND backend_type = 'client backend'";
        while !client.query(others, &[])?.is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
        let ended = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        Ok(client.query_one(ended, &[])?.get::<_, i64>(0) as f64)
    }

    /// The bytes of the database as of its last commit, also what stands in the journal of a file as yet.
    pub fn bytes(&self) -> Result<u64, Problem> {
        match self {
            Self::Sqlite(dir) => {
                let file = Connection::open(dir.join(DATABASE_FILE))?;
                let read = |what| file.pragma_query_value(None, what, |row| row.get::<_, u64>(0));
                Ok(read("page_count")? * read("page_size")?)
            }
            Self::Postgres(server) => {
                let size = server.client().query_one("SELECT pg_database_size($1)", &[&DATABASE])?;
                Ok(size.get::<_, i64>(0).unsigned_abs())
            }
        }
    }
}
