//! A change of the state: one transaction.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;

use seatline_host::store::{LockedStore, Log, Slot, StateReader, StoreError};
use seatline_postgres::{Connection, Parameter, QueryError};
use tokio_postgres::types::Type;
use zeroize::Zeroizing;

use super::pool::apart;
use super::store::PostgresStore;
use super::walk::Walk;

/// How many bytes of records are sent with one statement, and how many records.
const BATCH: (usize, usize) = (4 * 1024 * 1024, 500);
/// The longest record and the longest slot, as in the store on files: what could be moved here can be moved back.
const MAX_RECORD: usize = 2 * 1024 * 1024;
const MAX_SLOT_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a log, as in the store on files.
const MAX_LOG_BYTES: i64 = 160 * 1024 * 1024;

/// A transaction that has locked the state.
pub struct Change<'s> {
    store: &'s PostgresStore,
    /// Until it has ended. A transaction that failed ends with its connection.
    client: RefCell<Option<Connection>>,
    /// Raised with every write of a slot, which takes it as its own.
    revision: i64,
    /// The last position and the bytes of the logs that were appended to.
    ends: HashMap<Log, (i64, i64)>,
}

impl<'s> Change<'s> {
    /// A change over a connection that is in a transaction and has locked the state, which has this `revision`.
    pub fn new(store: &'s PostgresStore, client: Connection, revision: i64) -> Self {
        Self { store, client: RefCell::new(Some(client)), revision, ends: HashMap::new() }
    }

    /// Does `work` within the transaction. After one that failed there is no further one.
    fn with<T: Send>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, QueryError> + Send,
    ) -> Result<T, StoreError> {
        let mut held = self.client.borrow_mut();
        let Some(client) = held.as_mut() else {
            let reason = "the change had failed before; try again".to_owned();
            return Err(StoreError::Unavailable { what: self.store.place(), reason });
        };
        let done = apart(|| work(client));
        if done.is_err() {
            let failed = held.take();
            apart(|| drop(failed));
        }
        self.store.done(done)
    }

    /// Runs a statement within the transaction.
    pub(super) fn execute(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<u64, StoreError> {
        let statement = self.store.sql(statement);
        self.with(|client| client.execute(&statement, parameters))
    }

    /// The last position of a log, and its bytes.
    fn end(&self, log: Log) -> Result<(i64, i64), StoreError> {
        if let Some(end) = self.ends.get(&log) {
            return Ok(*end);
        }
        let statement = self.store.sql(
            "SELECT COALESCE(MAX(position), 0), CAST(COALESCE(SUM(LENGTH(record)), 0) AS bigint) \
             FROM {s}.records WHERE log = $1",
        );
        let row = self.with(|client| client.query_one(&statement, &[(&log.name(), Type::TEXT)]))?;
        Ok((self.store.column(&row, 0)?, self.store.column(&row, 1)?))
    }

    fn too_long(&self, what: &str) -> StoreError {
        let source = std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it would become too long");
        StoreError::Io { action: "cannot write", what: format!("`{what}` in {}", self.store.place()), source }
    }

    /// Removes the records at these positions.
    fn remove(&self, log: Log, positions: &[i64]) -> Result<(), StoreError> {
        let statement = "DELETE FROM {s}.records WHERE log = $1 AND position = ANY($2)";
        for positions in positions.chunks(BATCH.1) {
            self.execute(statement, &[(&log.name(), Type::TEXT), (&positions, Type::INT8_ARRAY)])?;
        }
        Ok(())
    }
}

impl StateReader for Change<'_> {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let statement = self.store.sql("SELECT value FROM {s}.slots WHERE name = $1");
        let row = self.with(|client| client.query_opt(&statement, &[(&slot.name(), Type::TEXT)]))?;
        let value: Option<Vec<u8>> = row.as_ref().map(|row| self.store.column(row, 0)).transpose()?;
        Ok(value.map(Zeroizing::new))
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        Walk::over(log, self.store)
            .visit(|walk| self.with(|client| walk.portion(client)), &mut |_, record| take(record))
    }
}

impl LockedStore for Change<'_> {
    fn store(&self) -> &dyn StateReader {
        self
    }

    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > MAX_SLOT_BYTES {
            return Err(self.too_long(slot.name()));
        }
        let revision = self.revision + 1;
        self.execute(
            "INSERT INTO {s}.slots (name, revision, value) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET revision = $2, value = $3",
            &[(&slot.name(), Type::TEXT), (&revision, Type::INT8), (&value, Type::BYTEA)],
        )?;
        self.revision = revision;
        Ok(())
    }

    fn clear(&mut self, slot: Slot) -> Result<(), StoreError> {
        self.execute("DELETE FROM {s}.slots WHERE name = $1", &[(&slot.name(), Type::TEXT)]).map(|_| ())
    }

    fn append(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let (mut position, mut bytes) = self.end(log)?;
        bytes += records.iter().map(|record| record.len() as i64).sum::<i64>();
        if bytes > MAX_LOG_BYTES || records.iter().any(|record| record.len() > MAX_RECORD) {
            return Err(self.too_long(log.name()));
        }
        let mut rest = records;
        while !rest.is_empty() {
            let mut room = BATCH.0;
            let fits = |record: &&Vec<u8>| {
                let fits = record.len() <= room;
                room = room.saturating_sub(record.len());
                fits
            };
            let count = rest.iter().take(BATCH.1).take_while(fits).count().max(1);
            let (batch, later) = rest.split_at(count);
            let positions: Vec<i64> = (position + 1..).take(count).collect();
            let name = log.name();
            let mut parameters: Vec<Parameter<'_>> = vec![(&name, Type::TEXT)];
            for (position, record) in positions.iter().zip(batch) {
                parameters.push((position, Type::INT8));
                parameters.push((record, Type::BYTEA));
            }
            let rows: Vec<String> = (0..count).map(|row| format!("($1, ${}, ${})", 2 * row + 2, 2 * row + 3)).collect();
            let statement = format!("INSERT INTO {{s}}.records (log, position, record) VALUES {}", rows.join(", "));
            self.execute(&statement, &parameters)?;
            position += count as i64;
            rest = later;
        }
        self.ends.insert(log, (position, bytes));
        Ok(())
    }

    fn rewrite(&mut self, log: Log, keep: &mut dyn FnMut(&[u8]) -> bool, more: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut dropped = Vec::new();
        Walk::over(log, self.store).visit(
            |walk| self.with(|client| walk.portion(client)),
            &mut |position, record| {
                if !keep(record) {
                    dropped.push(position);
                }
                ControlFlow::Continue(())
            },
        )?;
        self.remove(log, &dropped)?;
        self.ends.remove(&log);
        self.append(log, more)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        // Also where no slot was written: in a transaction that has failed, this fails too, and a commit would not.
        self.execute("UPDATE {s}.instance SET revision = $1 WHERE id = 'seatline'", &[(&self.revision, Type::INT8)])?;
        self.with(|client| client.batch("COMMIT"))?;
        if let Some(client) = self.client.take() {
            self.store.pool().give_back(client);
        }
        Ok(())
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let Some(mut client) = self.client.take() else { return };
        // The lock is free when the server has heard of it.
        if let Ok(client) = apart(|| client.batch("ROLLBACK").map(|()| client)) {
            self.store.pool().give_back(client);
        }
    }
}
