//! A walk along a log, a portion of its records after the other.

use std::ops::ControlFlow;

use seatline_host::store::{Log, StoreError};
use seatline_postgres::{Connection, Parameter, QueryError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::store::PostgresStore;

/// How many bytes of a log are to be in memory at once, as far as the sizes of its records can be foreseen.
const PORTION: usize = 1024 * 1024;
/// How many records are read at once before their sizes are known, and at the most.
const RECORDS: (i64, i64) = (4, 1000);

/// Where a walk along a log has come to.
pub struct Walk<'s> {
    store: &'s PostgresStore,
    statement: String,
    log: Log,
    /// The position of the last record that was read; they begin at 1.
    after: i64,
    /// How many records the next portion has.
    records: i64,
}

impl<'s> Walk<'s> {
    /// The beginning of a log.
    pub fn over(log: Log, store: &'s PostgresStore) -> Self {
        let statement = store.sql(
            "SELECT position, record FROM {s}.records WHERE log = $1 AND position > $2 ORDER BY position LIMIT $3",
        );
        Self { store, statement, log, after: 0, records: RECORDS.0 }
    }

    /// The next records, of which there are fewer than were asked for at the end alone.
    pub fn portion(&self, client: &mut Connection) -> Result<Vec<Row>, QueryError> {
        let parameters: [Parameter<'_>; 3] =
            [(&self.log.name(), Type::TEXT), (&self.after, Type::INT8), (&self.records, Type::INT8)];
        client.query(&self.statement, &parameters)
    }

    /// Gives all records with their positions to `take`, until it breaks off. `next` fetches a portion of the walk.
    pub fn visit(
        &mut self,
        mut next: impl FnMut(&Self) -> Result<Vec<Row>, StoreError>,
        take: &mut dyn FnMut(i64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        loop {
            let rows = next(self)?;
            let mut longest = 1;
            for row in &rows {
                let (position, record): (i64, &[u8]) = (self.store.column(row, 0)?, self.store.column(row, 1)?);
                self.after = position;
                longest = longest.max(record.len());
                if take(position, record).is_break() {
                    return Ok(());
                }
            }
            if (rows.len() as i64) < self.records {
                return Ok(());
            }
            // At least one, however long they are; and at the most twice as many as before, so that a few short records
            // before long ones do not mislead.
            self.records = ((PORTION / longest) as i64).clamp(1, (2 * self.records).min(RECORDS.1));
        }
    }
}
