//! A state that is moved into the database, from the directory where it has lived.
//!
//! It arrives as a whole, in one transaction, after which it is there and cannot be used (`arriving`); then the
//! directory is marked as left; and then it is `live`. Whatever interrupts this, it lives in one place at the most, and
//! the same move, made again, ends it.

use std::ops::ControlFlow;

use seatline_host::store::{LockedStore, Log, Slot, StateReader, StoreError};
use seatline_postgres::Parameter;
use seatline_protocol::ProductId;
use tokio_postgres::types::Type;

use super::change::Change;
use super::departure::LEFT;
use super::store::PostgresStore;

/// How many bytes of a log are handed over at once.
const PORTION: usize = 4 * 1024 * 1024;

/// Why a state cannot be moved into a database.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// Either of the two places.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a state already.
    #[error(
        "there is a state in {what} already, of the product `{product}`: name another `schema` in [state] of \
         seatline.toml, or move the state before another node begins one there"
    )]
    Occupied {
        /// The database.
        what: String,
        /// Whose state it is.
        product: String,
    },
    /// Another one is on its way.
    #[error("the state of {from} is being moved into {what}: run `seatline state move` there again, to its end")]
    Another {
        /// The database.
        what: String,
        /// Where that one comes from.
        from: String,
    },
}

impl MoveError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Occupied { .. } => "state-occupied",
            Self::Another { .. } => "state-arriving",
        }
    }
}

impl PostgresStore {
    /// Takes in the state of `product` that `from` reads, which lives in `place`; of an earlier attempt nothing is
    /// left. It can be used after [`settle`](Self::settle).
    ///
    /// # Errors
    /// When there is another state, or one of the two cannot be used. Then nothing has arrived.
    pub fn take_in(&self, from: &dyn StateReader, place: &str, product: &ProductId) -> Result<(), MoveError> {
        let look = "SELECT layout, phase, place, product, revision, (SELECT COUNT(*) FROM {s}.slots) \
                    FROM {s}.instance WHERE id = 'seatline' FOR UPDATE";
        let (row, client) = self.lock(look)?;
        let phase: String = self.column(&row, 1)?;
        let of: Option<String> = self.column(&row, 3)?;
        let of = of.unwrap_or_else(|| product.to_string());
        let mut change = Change::new(self, client, self.column(&row, 4)?);
        match phase.as_str() {
            "live" if self.column::<i64>(&row, 5)? == 0 && of == product.as_str() => {}
            "live" => return Err(MoveError::Occupied { what: self.place(), product: of }),
            // What is left of one that was brought back into files is of no use any more.
            LEFT if of == product.as_str() => {}
            LEFT => return Err(MoveError::Occupied { what: self.place(), product: of }),
            _ => {
                let other: Option<String> = self.column(&row, 2)?;
                if let Some(from) = other.filter(|other| other != place) {
                    return Err(MoveError::Another { what: self.place(), from });
                }
            }
        }
        change.execute("DELETE FROM {s}.slots", &[])?;
        change.execute("DELETE FROM {s}.records", &[])?;
        copy(from, &mut change)?;
        let arriving: [Parameter<'_>; 2] = [(&place, Type::TEXT), (&product.as_str(), Type::TEXT)];
        change.execute(
            "UPDATE {s}.instance SET phase = 'arriving', place = $1, product = $2 WHERE id = 'seatline'",
            &arriving,
        )?;
        Ok(Box::new(change).commit()?)
    }

    /// Lets the state that has arrived from `place` be used. Gives whether one had.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub fn settle(&self, place: &str) -> Result<bool, StoreError> {
        let settle = self.sql(
            "UPDATE {s}.instance SET phase = 'live', place = NULL \
             WHERE id = 'seatline' AND phase = 'arriving' AND place = $1",
        );
        Ok(self.pool().with(|client| client.execute(&settle, &[(&place, Type::TEXT)]))? > 0)
    }
}

pub(super) fn copy(from: &dyn StateReader, to: &mut dyn LockedStore) -> Result<(), StoreError> {
    for slot in Slot::ALL {
        if let Some(value) = from.read(slot)? {
            to.write(slot, &value)?;
        }
    }
    for log in Log::ALL {
        let (mut portion, mut bytes, mut failed) = (Vec::new(), 0, None);
        from.visit(log, &mut |record| {
            bytes += record.len();
            portion.push(record.to_vec());
            if bytes < PORTION {
                return ControlFlow::Continue(());
            }
            bytes = 0;
            match to.append(log, &std::mem::take(&mut portion)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)?;
        to.append(log, &portion)?;
    }
    Ok(())
}
