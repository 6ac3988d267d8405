//! Exchanging documents with the central server: what is sent, what an answer changes, and when to try again.
//!
//! The same two steps serve online and by file (`g4`): a request is made of what waits, and an answer is taken.

mod answer;
mod state;

use seatline_protocol::exchange::{ExchangeRequest, MAX_REPORTS, MAX_REQUEST_BYTES, Refusal};
use seatline_protocol::{Document as _, Join, OpenError, Receipt};
use serde::Serialize;

use crate::client::ClientError;
use crate::link::{Link, State};
use crate::outbox::Outbox;
use crate::store::StoreError;

pub(crate) use answer::take;
pub use state::{ExchangeState, Problem, ReceiptFacts};

/// Room in a request for what stands around the reports: the join, and the JSON.
const OVERHEAD: usize = Join::MAX_BYTES + 64 * 1024;

/// Why an exchange did not do all that it was meant to. The reports stay in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// There is no link.
    #[error("the product is not linked; accept an invite first (`seatline link accept`)")]
    NotLinked,
    /// No answer came.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A document in the answer is not from the central server that the link is pinned to.
    #[error("a {document} in the answer was refused: {source}")]
    Answer {
        /// Which document.
        document: &'static str,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The answer is for a link that was removed or made anew meanwhile. Nothing of it was taken.
    #[error("the answer is for another link than the present one, which was made later; synchronise again")]
    OtherLink,
    /// The central server refused a document.
    #[error("the central server refused the {document}: {message}")]
    Refused {
        /// Which document.
        document: String,
        /// Its code.
        code: String,
        /// Its reason.
        message: String,
    },
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExchangeError {
    /// A stable code for machines. For a refusal, the central server's own.
    pub fn code(&self) -> &str {
        match self {
            Self::NotLinked => "not-linked",
            Self::Client(error) => error.code(),
            Self::Answer { source, .. } => source.code(),
            Self::OtherLink => "other-link",
            Self::Refused { code, .. } => code,
            Self::Store(error) => error.code(),
        }
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let Refusal { document, code, message, .. } = refusal.clone();
        Self::Refused { document, code, message }
    }
}

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ExchangeOutcome {
    /// How many reports were sent.
    pub sent: usize,
    /// The receipts that were stored: their reports have left the outbox.
    pub receipts: Vec<Receipt>,
    /// Whether the settings of the link have changed.
    pub settings_changed: bool,
    /// What the central server did not take.
    pub refusals: Vec<Refusal>,
}

/// What is to be sent: the join until the link is approved, then the oldest waiting reports, as many as one request takes.
pub(crate) fn request(link: &Link, outbox: &Outbox) -> ExchangeRequest {
    let join = (!matches!(link.state, State::Approved { .. })).then(|| link.join.clone());
    let mut room = MAX_REQUEST_BYTES - OVERHEAD;
    let fits = |sealed: &&String| {
        let fits = sealed.len() <= room;
        room = room.saturating_sub(sealed.len() + 3);
        fits
    };
    let sealed = outbox.pending.iter().map(|report| &report.sealed);
    ExchangeRequest { join, reports: sealed.take(MAX_REPORTS).take_while(fits).cloned().collect() }
}
