//! The state of all nodes of a cluster, in PostgreSQL.
//!
//! A change is one transaction that begins by locking the row of the instance, so that changes take turns, and ends in one
//! commit: of a change that is interrupted, nothing is there. Whoever stands still in the middle of one is put out by the
//! server after [`STANDSTILL`], and with its connection it has lost the lock and everything it did: a node that wakes up
//! later cannot write into a state that went on without it.

use std::ops::ControlFlow;
use std::time::Duration;

use postgres::types::Type;
use postgres::{Client, Row};
use seatline_host::store::{LockedStore, Log, Slot, Stamp, StateReader, StateStore, StoreError};
use seatline_protocol::ProductId;
use zeroize::Zeroizing;

use super::change::Change;
use super::layout::{LATEST, prepare, sql};
use super::pool::{Pool, apart};
use super::trouble;
use super::walk::Walk;
use crate::config::PostgresState;

/// How long a node waits for others to end their changes.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// How long a node may do nothing in the middle of a change. Changes do no more between their statements than to compute.
const STANDSTILL: Duration = Duration::from_secs(10);

/// A state in PostgreSQL.
pub struct PostgresStore {
    pool: Pool,
    schema: String,
}

impl PostgresStore {
    /// Opens the state, and makes its tables where there are none.
    ///
    /// # Errors
    /// When the database cannot be reached or used, or the state was written by a newer version.
    pub fn open(state: &PostgresState) -> Result<Self, StoreError> {
        let schema = state.schema.to_string();
        let store = Self { pool: Pool::new(state.clone()), schema };
        let layout = store.pool.with(|client| prepare(client, &store.schema))?;
        if layout > LATEST { Err(StoreError::Newer { what: store.place() }) } else { Ok(store) }
    }

    /// Makes the state that of `product`, unless it is already that of another one.
    ///
    /// # Errors
    /// When it is, or the database cannot be used.
    pub fn claim(&self, product: &ProductId) -> Result<(), StoreError> {
        let claim = self.sql("UPDATE {s}.instance SET product = $1 WHERE id = 'seatline' AND product IS NULL");
        let look = self.sql("SELECT layout, phase, place, product FROM {s}.instance WHERE id = 'seatline'");
        let look = || self.pool.with(|client| client.query_typed_opt(&look, &[]));
        let owner = |row: Option<Row>| -> Result<Option<String>, StoreError> {
            self.check(row.as_ref())?;
            row.as_ref().map(|row| self.column(row, 3)).transpose().map(Option::flatten)
        };
        let mut of = owner(look()?)?;
        if of.is_none() {
            self.pool.with(|client| client.execute_typed(&claim, &[(&product.as_str(), Type::TEXT)]))?;
            of = owner(look()?)?;
        }
        match of {
            Some(of) if of != product.as_str() => Err(StoreError::Unavailable {
                what: self.place(),
                reason: format!(
                    "it is that of the product `{of}`, and this is `{product}`; name another `schema` in [state]"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Where the state is, for an administrator.
    pub fn place(&self) -> String {
        self.pool.place()
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A statement for the tables of this state.
    pub(super) fn sql(&self, statement: &str) -> String {
        sql(statement, &self.schema)
    }

    /// Whether the state is one that we may use, as a row says whose first columns are `layout`, `phase` and `place` of the
    /// instance.
    pub(super) fn check(&self, row: Option<&Row>) -> Result<(), StoreError> {
        let unavailable = |reason: &str| StoreError::Unavailable { what: self.place(), reason: reason.to_owned() };
        let row = row.ok_or_else(|| unavailable("its first row is gone; restore it from a backup"))?;
        let (layout, phase, place): (i32, &str, Option<&str>) =
            (self.column(row, 0)?, self.column(row, 1)?, self.column(row, 2)?);
        if layout > LATEST {
            return Err(StoreError::Newer { what: self.place() });
        }
        match phase {
            "live" => Ok(()),
            "moved" => Err(StoreError::Moved { what: self.place(), to: place.unwrap_or("another place").to_owned() }),
            _ => Err(unavailable(
                "a state is being moved here; if `seatline state move` was interrupted, run it again to its end",
            )),
        }
    }

    pub(super) fn column<'r, T: postgres::types::FromSql<'r>>(
        &self,
        row: &'r Row,
        index: usize,
    ) -> Result<T, StoreError> {
        self.done(row.try_get(index))
    }

    pub(super) fn trouble(&self, error: &postgres::Error) -> StoreError {
        trouble::of_statement(error, &self.place())
    }

    /// What a statement has given.
    pub(super) fn done<T>(&self, result: Result<T, postgres::Error>) -> Result<T, StoreError> {
        result.map_err(|error| self.trouble(&error))
    }

    /// Begins a transaction that has locked the instance's row. Gives the revision of the state.
    fn lock(&self) -> Result<(i64, Client), StoreError> {
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = '{}s'; SET LOCAL idle_in_transaction_session_timeout = '{}s'",
            LOCK_WAIT.as_secs(),
            STANDSTILL.as_secs()
        );
        let lock = self.sql("SELECT layout, phase, place, revision FROM {s}.instance WHERE id = 'seatline' FOR UPDATE");
        let (row, client) = self.pool.begin(|client| {
            client.batch_execute(&begin)?;
            client.query_typed_opt(&lock, &[])
        })?;
        let locked = self.check(row.as_ref()).and_then(|()| match &row {
            Some(row) => self.column(row, 3),
            None => Ok(0),
        });
        match locked {
            Ok(revision) => Ok((revision, client)),
            Err(error) => {
                apart(|| drop(client));
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place()).finish_non_exhaustive()
    }
}

impl StateReader for PostgresStore {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let statement = self.sql(
            "SELECT i.layout, i.phase, i.place, s.value FROM {s}.instance i \
             LEFT JOIN {s}.slots s ON s.name = $1 WHERE i.id = 'seatline'",
        );
        let row = self.pool.with(|client| client.query_typed_opt(&statement, &[(&slot.name(), Type::TEXT)]))?;
        self.check(row.as_ref())?;
        let value: Option<Vec<u8>> = row.as_ref().map(|row| self.column(row, 3)).transpose()?.flatten();
        Ok(value.map(Zeroizing::new))
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        let check = self.sql("SELECT layout, phase, place FROM {s}.instance WHERE id = 'seatline'");
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '{}s'",
            STANDSTILL.as_secs()
        );
        let (row, mut client) = self.pool.begin(|client| {
            // One moment for all portions, whoever changes the log meanwhile.
            client.batch_execute(&begin)?;
            client.query_typed_opt(&check, &[])
        })?;
        let mut walk = Walk::over(log, self);
        let visited = self.check(row.as_ref()).and_then(|()| {
            walk.visit(|walk| self.done(apart(|| walk.portion(&mut client))), &mut |_, record| take(record))
        });
        self.end(client, visited)
    }
}

impl PostgresStore {
    /// Ends a transaction that has changed nothing.
    fn end(&self, mut client: Client, result: Result<(), StoreError>) -> Result<(), StoreError> {
        match apart(|| client.batch_execute("ROLLBACK").map(|()| client)) {
            Ok(client) => self.pool.give_back(client),
            Err(error) => tracing::debug!(%error, "a connection is not used again"),
        }
        result
    }
}

impl StateStore for PostgresStore {
    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        let statement = self.sql(
            "SELECT i.layout, i.phase, i.place, s.name, s.revision FROM {s}.instance i \
             LEFT JOIN {s}.slots s ON TRUE WHERE i.id = 'seatline'",
        );
        let rows = self.pool.with(|client| client.query_typed(&statement, &[]))?;
        self.check(rows.first())?;
        let stamp = |slot: &Slot| {
            for row in &rows {
                if self.column::<Option<&str>>(row, 3)? == Some(slot.name()) {
                    let revision: i64 = self.column(row, 4)?;
                    return Ok(Stamp::new([revision.cast_unsigned()]));
                }
            }
            Ok(Stamp::EMPTY)
        };
        slots.iter().map(stamp).collect()
    }

    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        let (revision, client) = self.lock()?;
        Ok(Box::new(Change::new(self, client, revision)))
    }
}
