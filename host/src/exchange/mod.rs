//! Exchanging documents with the central server: what is sent, what an answer changes, and when to try again.
//!
//! The same two steps serve online and by file (`g4`): a request is made of what waits, and an answer is taken.

mod answer;
mod state;

use std::ops::ControlFlow;

use seatline_protocol::continuity::{MAX_STATEMENTS, parts_in_words};
use seatline_protocol::exchange::{ExchangeRequest, Fate, MAX_REPORTS, MAX_REQUEST_BYTES, Refusal, RefusalCode};
use seatline_protocol::{Continuity, Document as _, Join, OpenError, Receipt, Rotation};
use serde::Serialize;

use crate::client::ClientError;
use crate::identity::{self, Unconfirmed};
use crate::link::{Link, State};
use crate::outbox;
use crate::repeats;
use crate::store::{StateReader, StoreError};

pub(crate) use answer::{take, take_news};
pub use state::{ExchangeState, NeverReceived, Problem, ReceiptFacts};

/// Room in a request for what stands around the reports: the join, statements, a rotation, and the JSON.
const OVERHEAD: usize = Join::MAX_BYTES + MAX_STATEMENTS * Continuity::MAX_BYTES + Rotation::MAX_BYTES + 64 * 1024;

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
    /// The central server refused the join, and will not take it any more; or it has removed the link.
    #[error("{}; remove this link (`seatline link remove`), and accept a new invite", ended(.0))]
    JoinRefused(Problem),
    /// The server ID is another one than the link was made for, and nobody has said yet what that means.
    #[error(
        "the server ID was {} when the product was linked, and is {} since ({}): nothing is sent until somebody says whether \
         this is the same instance or a copy of it (`seatline server-id confirm`)",
        .0.linked_as, .0.present, parts_in_words(&.0.changed)
    )]
    Unconfirmed(Box<Unconfirmed>),
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
            Self::JoinRefused(refusal) => &refusal.code,
            Self::Unconfirmed(_) => "server-id-unconfirmed",
            Self::Store(error) => error.code(),
        }
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let Refusal { document, code, message, .. } = refusal.clone();
        match ends_the_join(refusal) {
            true => Self::JoinRefused(Problem { code, message }),
            false => Self::Refused { document, code, message },
        }
    }
}

/// Why a link comes into force no more.
fn ended(problem: &Problem) -> String {
    match problem.code == RefusalCode::LinkRemoved.name() {
        true => problem.message.clone(),
        false => format!("the central server refused the join: {}", problem.message),
    }
}

/// Whether the same join would be refused for ever: an invite that is unknown or over does not come back, nor does a
/// link that was removed.
fn ends_the_join(refusal: &Refusal) -> bool {
    refusal.document == "join" && RefusalCode::of(&refusal.code).is_some_and(|code| code.fate() == Fate::Ended)
}

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ExchangeOutcome {
    /// How many reports were sent.
    pub sent: usize,
    /// The receipts that were stored: their reports have left the outbox.
    pub receipts: Vec<Receipt>,
    /// How many statements about the server ID the central server has noted.
    pub noted: usize,
    /// Whether the settings of the link have changed.
    pub settings_changed: bool,
    /// Whether the central server has asked for a new key of the link, and one was made.
    pub key_replaced: bool,
    /// Whether the central server has handed over another pseudonym key.
    pub pseudonym_key_replaced: bool,
    /// What the central server did not take.
    pub refusals: Vec<Refusal>,
}

impl ExchangeOutcome {
    /// Adds what a later exchange did.
    pub(crate) fn add(&mut self, later: Self) {
        let Self { sent, receipts, noted, settings_changed, key_replaced, pseudonym_key_replaced, refusals } = later;
        self.sent += sent;
        self.noted += noted;
        self.receipts.extend(receipts);
        self.settings_changed |= settings_changed;
        self.key_replaced |= key_replaced;
        self.pseudonym_key_replaced |= pseudonym_key_replaced;
        self.refusals = refusals;
    }
}

/// What is to be sent: the join until the link is approved, then the oldest waiting reports, as many as one request
/// takes; and what the central server has still to know about the server ID. As long as the link waits for a person's
/// word on that (`b4`), it is nothing else.
pub(crate) fn request(link: &Link, store: &dyn StateReader) -> Result<ExchangeRequest, StoreError> {
    let continuity = statements(Some(link), store)?;
    let rotation = link.untold_rotation().cloned();
    if unconfirmed(link, store)?.is_some() {
        return Ok(ExchangeRequest { continuity, rotation, ..ExchangeRequest::default() });
    }
    let join = (!matches!(link.state, State::Approved { .. })).then(|| link.join.clone());
    let mut room = MAX_REQUEST_BYTES - OVERHEAD;
    let (mut reports, mut lacking) = (Vec::new(), repeats::lacking(store)?);
    outbox::visit(store, &mut |report| {
        // What the central server lacks goes before the first report that repeats it.
        let repeated = lacking.iter().position(|(sequence, _)| Some(*sequence) == report.repeats);
        let repeated = repeated.map(|place| lacking.remove(place).1);
        for sealed in repeated.into_iter().chain([report.sealed]) {
            if reports.len() == MAX_REPORTS || sealed.len() > room {
                return ControlFlow::Break(());
            }
            room = room.saturating_sub(sealed.len() + 3);
            reports.push(sealed);
        }
        ControlFlow::Continue(())
    })?;
    Ok(ExchangeRequest { join, reports, continuity, rotation })
}

/// What the central server has still to know about the server ID, sealed.
pub(crate) fn statements(link: Option<&Link>, store: &dyn StateReader) -> Result<Vec<String>, StoreError> {
    match (link, identity::state::read(store)?) {
        (Some(link), Some(record)) => identity::state::statements(&record, link),
        _ => Ok(Vec::new()),
    }
}

/// What keeps the link from being used, if anything does.
pub(crate) fn unconfirmed(link: &Link, store: &dyn StateReader) -> Result<Option<Unconfirmed>, StoreError> {
    Ok(identity::state::read(store)?.and_then(|record| identity::state::unconfirmed(&record, link)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::OpenedInvite;
    use crate::outbox::PendingReport;
    use crate::store::{Memory, change};
    use jiff::{SignedDuration, Timestamp};
    use seatline_protocol::pairing::Secret;
    use seatline_protocol::report::{MAX_NODES, NodeFacts, ProductFacts};
    use seatline_protocol::{Invite, Report, SecretKey, Sequence, ServerId, exchange::ExchangeResponse};

    /// A link that waits for its welcome; its join is as large as a product can make it.
    fn joining() -> Link {
        let (key, now) = (SecretKey::from_seed(&[3; 32]), Timestamp::UNIX_EPOCH);
        let invite = Invite {
            central_url: "https://licenses.example.org".to_owned(),
            central_name: "Example Central".to_owned(),
            secret: Secret::from_bytes([6; 32]),
            issued_at: now,
            expires_at: now + SignedDuration::from_mins(30),
            application: None,
            return_url: None,
        };
        // Each character takes as many bytes as there are.
        let long = |length: usize| "\u{1F600}".repeat(length);
        let product = ProductFacts {
            id: "acme-wiki".parse().expect("a product id"),
            name: long(200),
            version: long(64),
            edition: Some(long(200)),
            server_id: ServerId::from_random([1; 20]),
            staging: false,
            nodes: vec![NodeFacts { id: long(64), version: long(64) }; MAX_NODES],
        };
        Link::from_invite(&OpenedInvite { invite, central_key: key.public() }, product, now).expect("a link")
    }

    fn outbox(reports: u64, bytes: usize) -> Memory {
        let store = Memory::default();
        let report = |sequence| PendingReport {
            sequence: Sequence::try_from(sequence).expect("a sequence"),
            made_at: Timestamp::UNIX_EPOCH,
            sealed: "x".repeat(bytes),
            repeats: None,
        };
        let filled: Result<(), StoreError> =
            change(&store, |locked| (1..=reports).try_for_each(|sequence| outbox::append(locked, &report(sequence))));
        filled.expect("an outbox");
        store
    }

    #[test]
    fn a_request_stays_within_its_bounds_and_always_has_room_for_a_report() {
        let link = joining();
        for (waiting, bytes, sent) in [(5, Report::MAX_BYTES, 3), (1, Report::MAX_BYTES, 1), (70, 10, MAX_REPORTS)] {
            let request = request(&link, &outbox(waiting, bytes)).expect("a request");
            assert_eq!((request.join.as_ref(), request.reports.len()), (Some(&link.join), sent));
            assert!(serde_json::to_vec(&request).expect("JSON").len() <= MAX_REQUEST_BYTES);
        }
    }

    #[test]
    fn an_answer_to_what_was_asked_for_a_link_is_not_taken_for_the_one_after_it() {
        let store = Memory::default();
        let (asked, present) = (joining(), joining());
        let made: Result<(), StoreError> = change(&store, |locked| present.write(locked));
        made.expect("the link was made anew");
        let refused = Refusal::new("join", None, "invite-unknown", "ask for a new one");
        let answer = ExchangeResponse { refusals: vec![refused], ..Default::default() };
        let now = Timestamp::UNIX_EPOCH;
        let taken = |asked| change(&store, |locked| take(locked, &answer, Some(asked), now));
        assert_eq!(taken(&asked).expect_err("it is for another link").code(), "other-link");
        assert_eq!(ExchangeState::read(&store).expect("the state"), ExchangeState::default());
        taken(&present).expect("taken");
        assert_eq!(ExchangeState::read(&store).expect("the state").failures, 1);
    }
}
