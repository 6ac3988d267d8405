//! Exchanging documents with the central server: what is sent, what an answer changes, and when to try again.
//!
//! The same two steps serve online and by file (`g4`): [`request`] makes what leaves, [`take`] applies what comes back.

use std::time::Duration;

use jiff::Timestamp;
use seatline_protocol::exchange::{ExchangeRequest, ExchangeResponse, MAX_REPORTS, MAX_REQUEST_BYTES, Refusal};
use seatline_protocol::{Document as _, Join, OpenError, PublicKey, Receipt, Sequence, Settings, Welcome, seal, text};
use serde::{Deserialize, Serialize};

use crate::client::ClientError;
use crate::link::{Link, State};
use crate::outbox::{self, Outbox};
use crate::slots;
use crate::store::{LockedStore, Slot, StateStore, StoreError};

/// The wait after the first failure.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// The longest wait that failures add up to.
const LAST_RETRY: Duration = Duration::from_secs(3600);
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
            Self::Refused { code, .. } => code,
            Self::Store(error) => error.code(),
        }
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        Self::Refused {
            document: text::line(&refusal.document, 64),
            code: text::line(&refusal.code, 64),
            message: text::line(&refusal.message, 400),
        }
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

/// How the exchanges go, over all restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeState {
    /// When the last one was tried.
    pub tried_at: Option<Timestamp>,
    /// When the last one succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// How many have failed since.
    pub failures: u32,
    /// What went wrong with the last one.
    pub problem: Option<Problem>,
    /// Before this time no further one is tried of its own accord.
    pub next_attempt_at: Option<Timestamp>,
    /// The latest receipt.
    pub last_receipt: Option<ReceiptFacts>,
    /// The highest time that a receipt has proven: a floor under the clock (`b2`).
    pub clock_floor: Option<Timestamp>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code.
    pub code: String,
    /// One line for an administrator.
    pub message: String,
}

/// What is shown of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFacts {
    /// The report's place in the chain.
    pub sequence: Sequence,
    /// When the central server stored it.
    pub received_at: Timestamp,
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

/// The sealed documents of an answer, opened with the key that the link is pinned to. All are verified before any is used.
struct Answer {
    welcome: Option<Welcome>,
    settings: Option<Settings>,
    receipts: Vec<(Receipt, String)>,
}

impl Answer {
    fn open(response: &ExchangeResponse, key: &PublicKey) -> Result<Self, ExchangeError> {
        let keys = std::slice::from_ref(key);
        let refused = |document| move |source| ExchangeError::Answer { document, source };
        let welcome = response.welcome.as_deref().map(|sealed| seal::open(sealed, keys)).transpose();
        let settings = response.settings.as_deref().map(|sealed| seal::open(sealed, keys)).transpose();
        let receipts = response.receipts.iter().take(MAX_REPORTS);
        let receipts = receipts.map(|sealed| Ok((seal::open::<Receipt>(sealed, keys)?, sealed.clone())));
        Ok(Self {
            welcome: welcome.map_err(refused("welcome"))?,
            settings: settings.map_err(refused("settings"))?,
            receipts: receipts.collect::<Result<_, _>>().map_err(refused("receipt"))?,
        })
    }
}

/// Applies an answer: the link goes on, settings change, receipts are stored and their reports leave the outbox.
pub(crate) fn take(
    locked: &mut dyn LockedStore,
    response: &ExchangeResponse,
    now: Timestamp,
) -> Result<ExchangeOutcome, ExchangeError> {
    let mut link = Link::read(locked.store())?.ok_or(ExchangeError::NotLinked)?;
    let answer = Answer::open(response, &link.central_key)?;
    let mut outcome = ExchangeOutcome::default();
    if let Some(welcome) = answer.welcome {
        link.take_welcome(welcome);
        link.write(locked)?;
    }
    if let Some(settings) = answer.settings
        && link.take_settings(settings)
    {
        outcome.settings_changed = true;
        link.write(locked)?;
    }
    if let Some(approved) = link.approved() {
        outcome.receipts = outbox::receive(locked, approved.link, answer.receipts)?;
    }
    let refusals = response.refusals.iter().take(MAX_REPORTS + 2);
    outcome.refusals = refusals.cloned().map(clean).collect();
    let mut state: ExchangeState = slots::read(locked.store(), Slot::LastExchange)?.unwrap_or_default();
    for receipt in &outcome.receipts {
        let (sequence, received_at) = (receipt.sequence, receipt.received_at);
        state.clock_floor = state.clock_floor.max(Some(received_at));
        if state.last_receipt.as_ref().is_none_or(|last| last.sequence < sequence) {
            state.last_receipt = Some(ReceiptFacts { sequence, received_at });
        }
    }
    match outcome.refusals.first() {
        Some(refusal) => state.failed(&ExchangeError::refused(refusal), now, slots::random()?),
        None => state.succeeded(now),
    }
    slots::write(locked, Slot::LastExchange, &state)?;
    Ok(outcome)
}

fn clean(refusal: Refusal) -> Refusal {
    Refusal::new(&text::line(&refusal.document, 64), refusal.index, &refusal.code, &refusal.message)
}

impl ExchangeState {
    pub(crate) fn read(store: &dyn StateStore) -> Result<Self, StoreError> {
        Ok(slots::read(store, Slot::LastExchange)?.unwrap_or_default())
    }

    fn succeeded(&mut self, now: Timestamp) {
        self.tried_at = Some(now);
        self.succeeded_at = Some(now);
        self.failures = 0;
        self.problem = None;
        self.next_attempt_at = None;
    }

    /// Notes a failure, and when to try again: `random` decides the jitter.
    pub(crate) fn failed(&mut self, error: &ExchangeError, now: Timestamp, random: [u8; 2]) {
        self.tried_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.problem = Some(Problem { code: error.code().to_owned(), message: text::line(&error.to_string(), 400) });
        let asked = match error {
            ExchangeError::Client(error) => error.retry_after(),
            _ => None,
        };
        let wait = retry_after(self.failures, u16::from_le_bytes(random)).max(asked.unwrap_or_default());
        self.next_attempt_at = now.checked_add(wait).ok();
    }
}

/// How long to wait after `failures` in a row: twice as long each time up to an hour, and then between three and five
/// quarters of it as `random` decides, so that a fleet does not come back all at once (`g3`).
fn retry_after(failures: u32, random: u16) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = doubled.min(LAST_RETRY);
    wait * 3 / 4 + (wait / 2) * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn g3_retries_back_off_with_jitter_and_stay_within_an_hour_and_a_quarter(failures in 1u32.., random: u16) {
            let wait = retry_after(failures, random);
            prop_assert!(wait >= FIRST_RETRY * 3 / 4);
            prop_assert!(wait <= LAST_RETRY * 5 / 4);
            prop_assert!(retry_after(failures, 0) <= retry_after(failures.saturating_add(1), 0));
        }
    }

    #[test]
    fn a_failure_is_told_and_a_success_takes_it_back() {
        let mut state = ExchangeState::default();
        let now = Timestamp::UNIX_EPOCH;
        state.failed(&ExchangeError::NotLinked, now, [0, 0]);
        state.failed(&ExchangeError::NotLinked, now, [0, 0]);
        assert_eq!((state.failures, state.problem.as_ref().map(|p| p.code.as_str())), (2, Some("not-linked")));
        assert_eq!(state.next_attempt_at, now.checked_add(Duration::from_secs(45)).ok());
        state.succeeded(now);
        assert_eq!((state.failures, state.problem, state.next_attempt_at), (0, None, None));
    }
}
