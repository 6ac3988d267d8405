//! Notices: when administrators are told what, and what became of it.

use seatline_protocol::Standing;
use seatline_protocol::notices::{Notice, Reminders};

use super::{Host, HostError};
use crate::exchange::Problem;
use crate::notices::{self, Book, Delivered, Probe, Refused, SetRemindersError};
use crate::runs::LastRun;
use crate::slots;
use crate::store::{Slot, Stamp, StoreError, change};

/// What a change of must lead to a look at what is due. The clock is apart.
const WATCHED: [Slot; 7] = [
    Slot::Licenses,
    Slot::Link,
    Slot::LastRun,
    Slot::LastExchange,
    Slot::Hold,
    Slot::Reminders,
    Slot::NotificationSettings,
];

impl Host {
    /// When administrators are reminded, and from which threshold on they are told of a limit (`s4`, `s5`).
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn reminders(&self) -> Result<Reminders, StoreError> {
        Ok(slots::read(&*self.store, Slot::Reminders)?.unwrap_or_default())
    }

    /// Changes the reminders as `act` does, while nobody else does; gives what they are then.
    ///
    /// # Errors
    /// When they break their rules, or the state cannot be written. They are then as they were.
    pub fn change_reminders(&self, act: impl FnOnce(&mut Reminders)) -> Result<Reminders, SetRemindersError> {
        change(&*self.store, |locked| {
            let mut reminders: Reminders = slots::read(locked.store(), Slot::Reminders)?.unwrap_or_default();
            act(&mut reminders);
            notices::checked(&reminders)?;
            slots::write(locked, Slot::Reminders, &reminders)?;
            Ok(reminders)
        })
    }

    /// What was told, and what became of it.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn book_of_notices(&self) -> Result<Book, StoreError> {
        Book::read(&*self.store)
    }

    /// Takes what is due now (`s5`, `s6`), for `channels` by their names: it is in the book, to be delivered, when this
    /// returns. Without a channel nothing is taken, and all of it stays due. `refused` are the license keys that lie
    /// ready and are refused.
    ///
    /// # Errors
    /// When the state cannot be read or written, or the product does not say what it is.
    pub fn take_notices(&self, channels: &[String], refused: &[Refused]) -> Result<Vec<Notice>, HostError> {
        let (reminders, now) = (self.reminders()?, self.now()?);
        let states = notices::states(self, &reminders, refused, now)?;
        change(&*self.store, |locked| {
            let mut book = Book::read(locked.store())?;
            let notices = book.take(&states, channels, now);
            book.write(locked)?;
            Ok(notices)
        })
    }

    /// Notes what came of deliveries.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn note_deliveries(&self, delivered: &[Delivered]) -> Result<(), StoreError> {
        let now = self.now()?;
        change(&*self.store, |locked| {
            let mut book = Book::read(locked.store())?;
            delivered.iter().for_each(|delivered| book.note(delivered, now));
            book.write(locked)
        })
    }

    /// Keeps how the mail server was found: what is wrong with it, if anything is.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn note_probe(&self, problem: Option<Problem>) -> Result<(), StoreError> {
        let at = self.now()?;
        change(&*self.store, |locked| {
            let mut book = Book::read(locked.store())?;
            book.probe = Some(Probe { at, problem });
            book.write(locked)
        })
    }

    /// Lets every delivery that waits be due at once: somebody has changed where notices go, which the program keeps in
    /// [`Slot::NotificationSettings`], and may have mended what was in their way.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn hurry_deliveries(&self) -> Result<(), StoreError> {
        change(&*self.store, |locked| {
            let mut book = Book::read(locked.store())?;
            book.hurry();
            book.write(locked)
        })
    }

    /// A mark of everything that can make a notice due: while it is the same, only the time can.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn notices_stamp(&self) -> Result<Vec<Stamp>, StoreError> {
        self.store.stamps(&WATCHED)
    }

    /// What the licenses of now come to at another time, with the latest counts.
    pub(crate) fn standing_at(&self, at: jiff::Timestamp) -> Result<Standing, HostError> {
        let description = self.product.describe()?;
        let counts = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        Ok(self.standing_with(&description, counts, at)?)
    }
}
