//! The toll: what a linked product sends is counted, so that one that floods is told to wait, before a seal of it is
//! looked at.
//!
//! Documents are counted, as each costs a look at its seal and perhaps a write: by the key that has sealed them and by
//! the address that they came from, once the seal of one has held. So whoever only names a key costs its product
//! nothing, and whoever repeats elsewhere what it has sent waits there alone. All documents of the request are counted,
//! whatever else it carried.

use std::net::IpAddr;

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::seal::{self, Document};
use seatline_protocol::{KeyId, OpenError};

use super::exchange::ExchangeError;
use super::reports::{Addressed, Reason};
use crate::central::Central;
use crate::domain::quota::Bound;
use crate::server::App;
use crate::store::StoreError;

/// Who pays: a key, and from where what it has sealed is sent.
pub type Payer = (KeyId, IpAddr);

/// What one request pays.
pub struct Toll<'a> {
    /// Who is asked for it, and where the request came from; nobody, where it came as a file.
    gate: Option<(&'a App, IpAddr)>,
    documents: usize,
    paid_by: Vec<KeyId>,
}

impl<'a> Toll<'a> {
    /// For a request over the network.
    pub(super) fn of(app: &'a App, from: IpAddr) -> Self {
        Self { gate: Some((app, from)), documents: 0, paid_by: Vec::new() }
    }

    /// For what an administrator has brought as a file.
    pub fn free() -> Self {
        Self { gate: None, documents: 0, paid_by: Vec::new() }
    }

    /// Counts the documents of the request, before anything of them is verified.
    ///
    /// # Errors
    /// [`ExchangeError::TooMany`] where a key that one of them claims has to wait.
    pub(super) async fn enter(&mut self, documents: impl Iterator<Item = &str>) -> Result<(), ExchangeError> {
        let Some((app, from)) = self.gate else { return Ok(()) };
        let mut asked: Vec<KeyId> = Vec::new();
        for sealed in documents {
            self.documents += 1;
            let Some(key) = seal::claimed_key(sealed).filter(|key| !asked.contains(key)) else { continue };
            let payer = (key, from);
            if let Some(seconds) = app.rates.products.wait(&payer, app.central.now()) {
                note(app, &payer).await;
                return Err(ExchangeError::TooMany { seconds });
            }
            asked.push(payer.0);
        }
        Ok(())
    }

    /// Has the owner of a key pay, once for the whole request: a seal by it has held.
    pub(super) fn pay(&mut self, key: &KeyId) {
        if self.paid_by.contains(key) {
            return;
        }
        self.paid_by.push(key.clone());
        if let Some((app, from)) = self.gate {
            app.rates.products.charge(&(key.clone(), from), self.documents, app.central.now());
        }
    }

    /// Whether anybody who is known here has sealed anything of it.
    pub(super) fn is_paid(&self) -> bool {
        !self.paid_by.is_empty()
    }

    /// Opens a document by the key of its sender, who pays if the seal holds.
    pub(super) fn open<D: Document>(&mut self, Addressed { sender, document }: &Addressed<D>) -> Result<D, Reason> {
        let opened = document.open(&sender.key);
        if holds(&opened) {
            self.pay(document.key_id());
        }
        opened.map_err(|error| (error.code(), error.to_string()))
    }
}

/// Whether a seal held, also where what it seals was refused.
pub(super) fn holds<T>(opened: &Result<T, OpenError>) -> bool {
    matches!(opened, Ok(_) | Err(OpenError::Content(_) | OpenError::WrongPurpose { .. }))
}

/// Logs that a product has to wait, and has its application say so: once in a while for each key.
async fn note(app: &App, (key, from): &Payer) {
    if app.rates.held_up.take(key, app.central.now()).is_err() {
        return;
    }
    let code = RefusalCode::TooManyDocuments.name();
    tracing::warn!(code, %from, key = %key.fingerprint(), "a product sends more documents than any should, and waits");
    if let Err(error) = noted(&app.central, key).await {
        tracing::warn!(code = error.code(), "that a product sends too many documents is not noted: {error}");
    }
}

async fn noted(central: &Central, key: &KeyId) -> Result<(), StoreError> {
    let Some(sender) = central.sender(key).await? else { return Ok(()) };
    central.store().note_met(&sender.link, Bound::TooManyDocuments, central.now()).await
}
