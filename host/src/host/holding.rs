//! Holding reports for approval (`b6`), and what left last.

use super::Host;
use crate::held::{self, HeldReport, HoldError, HoldStatus, Which};
use crate::outbox::PendingReport;
use crate::runs::PastRun;
use crate::slots;
use crate::store::{Slot, StoreError, change};

impl Host {
    /// Whether reports are held for approval, and how many wait.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn hold_status(&self) -> Result<HoldStatus, StoreError> {
        HoldStatus::read(&*self.store)
    }

    /// Holds every report from now on until an administrator approves it; or lets reports leave by themselves again.
    ///
    /// # Errors
    /// When reports wait that were neither approved nor discarded, or the state cannot be written.
    pub fn hold_reports(&self, on: bool) -> Result<HoldStatus, HoldError> {
        let now = self.now()?;
        change(&*self.store, |locked| held::switch(locked, on, now))?;
        Ok(self.hold_status()?)
    }

    /// The reports that wait for approval, the oldest first, with the exact bytes that would leave.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn held_reports(&self) -> Result<Vec<HeldReport>, HoldError> {
        Ok(held::waiting(&*self.store)?)
    }

    /// Approves a report that waits, and all before it: they leave with the next exchange. Gives them.
    ///
    /// # Errors
    /// When none with this digest waits, the outbox is full, or the state cannot be written.
    pub fn approve_reports(&self, which: &Which) -> Result<Vec<PendingReport>, HoldError> {
        change(&*self.store, |locked| held::approve(locked, which))
    }

    /// Throws a report away that waits, or all of them; gives how many. The chain has no gap by it.
    ///
    /// # Errors
    /// When none with this digest waits, or the state cannot be written.
    pub fn discard_reports(&self, which: &Which) -> Result<usize, HoldError> {
        change(&*self.store, |locked| held::discard(locked, which))
    }

    /// The report that was put into the outbox last, with its exact bytes, whether it has left or not.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn last_report(&self) -> Result<Option<PendingReport>, StoreError> {
        slots::read(&*self.store, Slot::LastReport)
    }

    /// What kind of store the state is kept in, in a word or two.
    pub fn state_store(&self) -> &'static str {
        self.store.kind()
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn past_runs(&self) -> Result<Vec<PastRun>, StoreError> {
        PastRun::read_all(&*self.store)
    }
}
