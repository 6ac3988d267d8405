//! The state of all nodes of a cluster, in PostgreSQL.
//!
//! A change is one transaction that begins by locking the row of the instance, so that changes take turns, and ends in
//! one commit: of a change that is interrupted, nothing is there. Whoever stands still in the middle of one is put out
//! by the server after [`STANDSTILL`], and with its connection it has lost the lock and everything it did: a node that
//! wakes up later cannot write into a state that went on without it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use seatline_host::store::{LockedStore, Log, Slot, Stamp, StateReader, StateStore, StoreError};
use seatline_postgres::{Connection, PATIENCE, QueryError, neighbours};
use seatline_protocol::ProductId;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use zeroize::Zeroizing;

use super::change::Change;
use super::departure::LEFT;
use super::layout::{LATEST, is_inhabited, prepare, sql};
use super::pool::{Pool, apart};
use super::walk::Walk;
use crate::config::PostgresState;

/// How long a node waits for others to end their changes.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// How long a node may do nothing in the middle of a change. Changes do no more between their statements than to
/// compute.
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
    /// When the database cannot be reached or used, a central server lives there, or the state was written by a newer
    /// version.
    pub fn open(state: &PostgresState) -> Result<Self, StoreError> {
        let schema = state.schema.to_string();
        let store = Self { pool: Pool::new(state.clone()), schema };
        if let Some(neighbour) = store.pool.with(|client| neighbours::of_agent(client, &store.schema))? {
            return Err(store.unavailable(&neighbour));
        }
        let layout = store.pool.with(|client| prepare(client, &store.schema))?;
        if layout > LATEST { Err(StoreError::Newer { what: store.place() }) } else { Ok(store) }
    }

    /// Whether a state lives where `state` says. Nothing is made or changed.
    ///
    /// # Errors
    /// When the database cannot be reached or used.
    pub fn lives_in(state: &PostgresState) -> Result<bool, StoreError> {
        Pool::new(state.clone()).with(|client| is_inhabited(client, &state.schema.to_string()))
    }

    /// Makes the state that of `product`, unless it is already that of another one.
    ///
    /// # Errors
    /// When it is, or the database cannot be used.
    pub fn claim(&self, product: &ProductId) -> Result<(), StoreError> {
        let claim = self.sql("UPDATE {s}.instance SET product = $1 WHERE id = 'seatline' AND product IS NULL");
        let look = self.sql("SELECT layout, phase, product FROM {s}.instance WHERE id = 'seatline'");
        let look = || self.pool.with(|client| client.query_opt(&look, &[]));
        let owner = |row: Option<Row>| -> Result<Option<String>, StoreError> { self.column(&self.check(row)?, 2) };
        let mut of = owner(look()?)?;
        if of.is_none() {
            self.pool.with(|client| client.execute(&claim, &[(&product.as_str(), Type::TEXT)]))?;
            of = owner(look()?)?;
        }
        self.is_of(of, product)
    }

    /// Refuses a state that is `of` another product.
    pub(super) fn is_of(&self, of: Option<String>, product: &ProductId) -> Result<(), StoreError> {
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

    /// That the state was brought back into files, and where they are.
    fn left(&self) -> Result<StoreError, StoreError> {
        let look = self.sql("SELECT place FROM {s}.instance WHERE id = 'seatline'");
        let row = self.pool.with(|client| client.query_one(&look, &[]))?;
        let to: Option<String> = self.column(&row, 0)?;
        Ok(StoreError::Moved { what: self.place(), to: to.unwrap_or_default() })
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

    /// Whether the state is one that we may use, as a row says whose first columns are `layout` and `phase` of the
    /// instance.
    pub(super) fn check(&self, row: impl Into<Option<Row>>) -> Result<Row, StoreError> {
        let row = self.known(row.into())?;
        match self.column(&row, 1)? {
            "live" => Ok(row),
            LEFT => Err(self.left()?),
            _ => Err(self.unavailable(
                "a state is being moved here; if `seatline state move` was interrupted, run it again to its end",
            )),
        }
    }

    pub(super) fn column<'r, T: FromSql<'r>>(&self, row: &'r Row, index: usize) -> Result<T, StoreError> {
        self.done(row.try_get(index).map_err(QueryError::from))
    }

    pub(super) fn trouble(&self, error: &QueryError) -> StoreError {
        self.pool.trouble(error)
    }

    /// What a statement has given.
    pub(super) fn done<T>(&self, result: Result<T, QueryError>) -> Result<T, StoreError> {
        result.map_err(|error| self.trouble(&error))
    }

    /// Begins a transaction that has locked the instance's row, with `look`, whose first column is `layout`. Gives the
    /// row.
    pub(super) fn lock(&self, look: &str) -> Result<(Row, Connection), StoreError> {
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = '{}s'; SET LOCAL idle_in_transaction_session_timeout = '{}s'",
            LOCK_WAIT.as_secs(),
            STANDSTILL.as_secs()
        );
        let look = self.sql(look);
        let (row, client) = self.pool.begin(|client| {
            client.batch(&begin)?;
            // Here others may be waited for, and nowhere after it.
            client.be_patient(LOCK_WAIT + PATIENCE);
            let row = client.query_opt(&look, &[]);
            client.be_patient(PATIENCE);
            row
        })?;
        match self.known(row) {
            Ok(row) => Ok((row, client)),
            Err(error) => {
                apart(|| drop(client));
                Err(error)
            }
        }
    }

    /// The row of the instance, if it is there and of a layout that we know.
    fn known(&self, row: Option<Row>) -> Result<Row, StoreError> {
        let row = row.ok_or_else(|| self.unavailable("its first row is gone; restore it from a backup"))?;
        let layout: i64 = self.column(&row, 0)?;
        if layout > LATEST { Err(StoreError::Newer { what: self.place() }) } else { Ok(row) }
    }

    fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { what: self.place(), reason: reason.to_owned() }
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
            "SELECT i.layout, i.phase, s.value FROM {s}.instance i \
             LEFT JOIN {s}.slots s ON s.name = $1 WHERE i.id = 'seatline'",
        );
        let row = self.pool.with(|client| client.query_opt(&statement, &[(&slot.name(), Type::TEXT)]))?;
        let value: Option<Vec<u8>> = self.column(&self.check(row)?, 2)?;
        Ok(value.map(Zeroizing::new))
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        let check = self.sql("SELECT layout, phase FROM {s}.instance WHERE id = 'seatline'");
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '{}s'",
            STANDSTILL.as_secs()
        );
        let (row, mut client) = self.pool.begin(|client| {
            // One moment for all portions, whoever changes the log meanwhile.
            client.batch(&begin)?;
            client.query_opt(&check, &[])
        })?;
        let mut walk = Walk::over(log, self);
        let visited = self.check(row).and_then(|_| {
            walk.visit(|walk| self.done(apart(|| walk.portion(&mut client))), &mut |_, record| take(record))
        });
        self.end(client, visited)
    }
}

impl PostgresStore {
    /// Ends a transaction that has changed nothing.
    fn end(&self, mut client: Connection, result: Result<(), StoreError>) -> Result<(), StoreError> {
        if result.is_err() {
            // Whoever does not answer is not asked again.
            apart(|| drop(client));
            return result;
        }
        match apart(|| client.batch("ROLLBACK").map(|()| client)) {
            Ok(client) => self.pool.give_back(client),
            Err(error) => tracing::debug!(%error, "a connection is not used again"),
        }
        result
    }
}

impl StateStore for PostgresStore {
    fn kind(&self) -> &'static str {
        "PostgreSQL"
    }

    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        let statement = self.sql(
            "SELECT i.layout, i.phase, s.name, s.revision FROM {s}.instance i \
             LEFT JOIN {s}.slots s ON TRUE WHERE i.id = 'seatline'",
        );
        let mut rows = self.pool.with(|client| client.query(&statement, &[]))?.into_iter();
        let first = self.check(rows.next())?;
        let mut revisions: HashMap<String, i64> = HashMap::new();
        for row in std::iter::once(first).chain(rows) {
            if let Some(name) = self.column(&row, 2)? {
                revisions.insert(name, self.column(&row, 3)?);
            }
        }
        let stamp = |revision: &i64| Stamp::new([revision.cast_unsigned()]);
        Ok(slots.iter().map(|slot| revisions.get(slot.name()).map_or(Stamp::EMPTY, stamp)).collect())
    }

    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        let (row, client) =
            self.lock("SELECT layout, phase, revision FROM {s}.instance WHERE id = 'seatline' FOR UPDATE")?;
        let revision = self.check(row).and_then(|row| self.column(&row, 2));
        match revision {
            Ok(revision) => Ok(Box::new(Change::new(self, client, revision))),
            Err(error) => {
                apart(|| drop(client));
                Err(error)
            }
        }
    }
}
