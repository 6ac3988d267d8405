//! A state that leaves the database, back into a directory.
//!
//! It is copied as a whole while nobody changes it, and the commit that ends the copying marks it as `left`; only then
//! the directory takes its place. Whatever interrupts this, it lives in one place at the most, and the same command
//! ends it.

use seatline_host::store::{LockedStore as _, StateReader, StoreError};
use seatline_protocol::ProductId;
use tokio_postgres::types::Type;

use super::arrival::copy;
use super::change::Change;
use super::store::PostgresStore;

/// What leaving came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The state has left now.
    Now,
    /// It had left to this place before.
    Before,
    /// There is none.
    Nothing,
}

impl PostgresStore {
    /// Lets the state of `product` leave to `place`, to which `hand_over` brings it. When this returns, it does not
    /// live in the database any more, and whoever still uses it there is told so. The tables stay as they were.
    ///
    /// # Errors
    /// When it left to another place, is that of another product, or one of the two places cannot be used. Then it goes
    /// on where it is.
    pub fn leave(
        &self,
        place: &str,
        product: &ProductId,
        hand_over: impl FnOnce(&dyn StateReader) -> Result<(), StoreError>,
    ) -> Result<Left, StoreError> {
        let look = "SELECT layout, phase, place, product, revision, (SELECT COUNT(*) FROM {s}.slots) \
                    FROM {s}.instance WHERE id = 'seatline' FOR UPDATE";
        let (row, client) = self.lock(look)?;
        let to: Option<String> = self.column(&row, 2)?;
        if self.column::<&str>(&row, 1)? == LEFT && to.as_deref() == Some(place) {
            return Ok(Left::Before);
        }
        let row = self.check(row)?;
        if self.column::<i64>(&row, 5)? == 0 {
            return Ok(Left::Nothing);
        }
        self.is_of(self.column(&row, 3)?, product)?;
        let change = Change::new(self, client, self.column(&row, 4)?);
        hand_over(change.store())?;
        let leave = "UPDATE {s}.instance SET phase = 'left', place = $1 WHERE id = 'seatline'";
        change.execute(leave, &[(&place, Type::TEXT)])?;
        Box::new(change).commit()?;
        Ok(Left::Now)
    }
}

/// The phase of a state that has left.
pub(super) const LEFT: &str = "left";

/// Copies a state into another store, which has none.
///
/// # Errors
/// When one of the two cannot be used.
pub fn copy_into(to: &dyn seatline_host::store::StateStore, from: &dyn StateReader) -> Result<(), StoreError> {
    seatline_host::store::change(to, |locked| copy(from, locked))
}
