//! Linking and synchronising: from the invite to the receipts.

use std::sync::PoisonError;
use std::time::Duration;

use seatline_protocol::exchange::{ExchangeRequest, ExchangeResponse};

use super::{CollectError, Collected, Host};
use crate::exchange::{self, ExchangeError, ExchangeOutcome, ExchangeState};
use crate::link::{self, Link, LinkError, LinkFacts, OpenedInvite};
use crate::outbox::{self, Outbox};
use crate::sandbox::Trigger;
use crate::slots;
use crate::store::{Slot, StoreError};

/// Why a synchronisation was not completed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Collecting failed.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Exchange(error.into())
    }
}

impl SyncError {
    /// A stable code for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::Collect(error) => error.code(),
            Self::Exchange(error) => error.code(),
        }
    }
}

impl Host {
    /// Opens a pasted invite, for a person to confirm whom it links to. Nothing is sent or kept.
    ///
    /// # Errors
    /// When it is no invite, its time is over, or the product is linked already.
    pub fn open_invite(&self, pasted: &str) -> Result<OpenedInvite, LinkError> {
        if let Some(link) = Link::read(&*self.store)? {
            return Err(LinkError::AlreadyLinked { central_url: link.central_url });
        }
        OpenedInvite::open(pasted, self.now()?)
    }

    /// Links the product by an invite that a person has confirmed. The next exchange sends the join.
    ///
    /// # Errors
    /// When the product is linked already, or the state cannot be written.
    pub fn accept_invite(&self, invite: &OpenedInvite) -> Result<LinkFacts, LinkError> {
        let product = self.product().map_err(LinkError::Product)?;
        let link = Link::from_invite(invite, product, self.now()?)?;
        let mut locked = self.store.lock()?;
        if let Some(link) = Link::read(locked.store())? {
            return Err(LinkError::AlreadyLinked { central_url: link.central_url });
        }
        link.write(&mut *locked)?;
        locked.clear(Slot::LastExchange)?;
        Ok(link.facts()?)
    }

    /// The link, where there is one.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn link(&self) -> Result<Option<LinkFacts>, StoreError> {
        Link::read(&*self.store)?.as_ref().map(Link::facts).transpose()
    }

    /// Removes the link and its key. Reports that were never received are kept apart; gives how many.
    ///
    /// # Errors
    /// When there is no link, or the state cannot be written.
    pub fn remove_link(&self) -> Result<usize, LinkError> {
        let mut locked = self.store.lock()?;
        if Link::read(locked.store())?.is_none() {
            return Err(LinkError::NotLinked);
        }
        let retired = outbox::retire(&mut *locked)?;
        locked.clear(Slot::Link)?;
        Ok(retired)
    }

    /// The synchronisation interval: the central server's, or an hour.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn interval(&self) -> Result<Duration, StoreError> {
        let (seconds, _, _) = link::settings_of(Link::read(&*self.store)?.as_ref());
        Ok(Duration::from_secs(u64::from(seconds)))
    }

    /// Sends what waits, until the outbox is empty or something is in the way. With nothing to send, nothing is sent.
    ///
    /// # Errors
    /// What was in the way. It is kept for [`Self::status`], with the time of the next attempt.
    pub fn exchange(&self) -> Result<ExchangeOutcome, ExchangeError> {
        let _one = self.exchanging.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = ExchangeOutcome::default();
        loop {
            let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
            let request = exchange::request(&link, &Outbox::read(&*self.store)?);
            if request == ExchangeRequest::default() {
                return Ok(total);
            }
            let applied = self
                .client
                .exchange(&link.central_url, &request)
                .map_err(ExchangeError::from)
                .and_then(|response| exchange::take(&mut *self.store.lock()?, &response, self.clock.now()));
            let outcome = match applied {
                Ok(outcome) => outcome,
                Err(error) => {
                    self.note_failure(&error)?;
                    return Err(error);
                }
            };
            let progress = !outcome.receipts.is_empty();
            total.sent += request.reports.len();
            total.receipts.extend(outcome.receipts);
            total.settings_changed |= outcome.settings_changed;
            total.refusals = outcome.refusals;
            if let Some(refusal) = total.refusals.first() {
                return Err(ExchangeError::refused(refusal));
            }
            if !progress {
                return Ok(total);
            }
        }
    }

    fn note_failure(&self, error: &ExchangeError) -> Result<(), StoreError> {
        let mut locked = self.store.lock()?;
        let mut state = ExchangeState::read(locked.store())?;
        state.failed(error, self.clock.now(), slots::random()?);
        slots::write(&mut *locked, Slot::LastExchange, &state)
    }

    /// What waits, as a file for a central server that cannot be reached (`g4`).
    ///
    /// # Errors
    /// When there is no link, or the state cannot be read.
    pub fn export_reports(&self) -> Result<ExchangeRequest, ExchangeError> {
        let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
        Ok(exchange::request(&link, &Outbox::read(&*self.store)?))
    }

    /// Applies the central server's answer that came as a file.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub fn import_response(&self, response: &ExchangeResponse) -> Result<ExchangeOutcome, ExchangeError> {
        exchange::take(&mut *self.store.lock()?, response, self.clock.now())
    }

    /// Makes the link's next step if it has one to make, collects, and exchanges: what happens at every interval, and on
    /// "synchronise now".
    ///
    /// # Errors
    /// The first thing that was in the way. A report that was made stays in the outbox.
    pub fn sync(&self, trigger: Trigger) -> Result<(Collected, ExchangeOutcome), SyncError> {
        if self.link()?.is_some_and(|link| link.state != "approved") {
            self.exchange()?;
        }
        let collected = self.collect(trigger)?;
        let outcome = self.exchange()?;
        Ok((collected, outcome))
    }
}
