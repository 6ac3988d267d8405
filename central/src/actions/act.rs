//! Acts: somebody's one change at one moment (see [`crate::domain::audit`]).

use seatline_web::secret::random;

use crate::central::{ActionError, Central};
use crate::domain::{Act, Actor, EntryId};

impl Central {
    /// An act of `actor` at this moment. Every changing function of the store demands one, and writes its entry of the
    /// audit log in the same commit.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn act(&self, actor: &Actor) -> Result<Act, ActionError> {
        Ok(Act { actor: actor.clone(), at: self.now(), id: EntryId::from_random(random()?) })
    }
}
