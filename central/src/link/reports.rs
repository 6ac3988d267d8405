//! Reports arrive: each is opened by its link's key, admitted to the chain, and answered by a receipt (`b1`, `b2`).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::seal::{self, Unopened};
use seatline_protocol::{Digest, Document, ExchangeResponse, KeyId, LinkId, Receipt, Refusal, Report, Sequence};
use seatline_web::Rate;

use super::exchange::{ExchangeError, InForce};
use super::removed;
use super::toll::{Toll, holds};
use crate::central::Central;
use crate::domain::{Admitted, Incoming, LinkSettings, RemovedLink, Sender};

/// What opening a report has come to.
struct Opened {
    /// Whose seal has held.
    by: Option<KeyId>,
    /// The report and who sealed it, or why it is refused.
    report: Result<(Arc<Sender>, Incoming), Refusal>,
}

/// The place of a report in the request: refusals name it.
type Place = usize;

/// Why a report is refused: the code, and the line for an administrator.
pub(super) type Reason = (&'static str, String);

/// The opened reports of one link.
struct Batch {
    sender: Arc<Sender>,
    reports: Vec<(Place, Incoming)>,
}

/// Answers reports with receipts and refusals, and gives the link that they came over, if that is in force.
pub(super) async fn answer(
    central: &Central,
    sealed: Vec<String>,
    toll: &mut Toll<'_>,
    response: &mut ExchangeResponse,
) -> Result<Option<InForce>, ExchangeError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let mut sent = Vec::new();
    let mut senders = Senders::default();
    for (place, sealed) in sealed.into_iter().enumerate() {
        sent.push((place, addressed(central, &mut senders, toll, &sealed).await?, sealed));
    }
    removed::tell(central, senders.removed, response)?;
    let opened = computed(sent.len(), move || sent.into_iter().map(open).collect::<Vec<_>>()).await?;
    let mut batches: Vec<Batch> = Vec::new();
    for (place, Opened { by, report }) in opened.into_iter().enumerate() {
        by.iter().for_each(|key| toll.pay(key));
        match report {
            Err(refusal) => response.refusals.push(refusal),
            Ok((sender, incoming)) => match batches.iter_mut().find(|batch| batch.sender == sender) {
                Some(batch) => batch.reports.push((place, incoming)),
                None => batches.push(Batch { sender, reports: vec![(place, incoming)] }),
            },
        }
    }
    let mut in_force = None;
    for batch in batches {
        let link = batch.sender.link.clone();
        let settings = admit(central, batch, response).await?;
        in_force = in_force.or(settings.map(|settings| (link, settings)));
    }
    Ok(in_force)
}

/// A document that was read and not verified, and the link whose key it says that it was sealed by.
pub(super) struct Addressed<D> {
    pub(super) sender: Arc<Sender>,
    pub(super) document: Unopened<D>,
}

/// Who the keys of a request belong to, as far as they were looked up: a stranger pays for one look by each new key.
#[derive(Default)]
pub(super) struct Senders {
    known: HashMap<KeyId, Option<Arc<Sender>>>,
    /// A removed link that one of them belonged to.
    pub(super) removed: Option<RemovedLink>,
}

/// Reads a document and looks up who sealed it, or says why it is refused already. What names the key of a removed link
/// pays by that alone: there is no product any more that could be kept waiting by it.
pub(super) async fn addressed<D: Document>(
    central: &Central,
    senders: &mut Senders,
    toll: &mut Toll<'_>,
    sealed: &str,
) -> Result<Result<Addressed<D>, Reason>, ExchangeError> {
    let document = match Unopened::<D>::read(sealed) {
        Ok(document) => document,
        Err(error) => return Ok(Err((error.code(), error.to_string()))),
    };
    let sender = match senders.known.get(document.key_id()) {
        Some(known) => known.clone(),
        None => {
            let sender = central.sender(document.key_id()).await?;
            if sender.is_none() && senders.removed.is_none() {
                senders.removed = central.store().removed_by_key(document.key_id()).await?;
                senders.removed.iter().for_each(|_| toll.pay(document.key_id()));
            }
            senders.known.insert(document.key_id().clone(), sender.clone());
            sender
        }
    };
    Ok(match sender {
        Some(sender) => Ok(Addressed { sender, document }),
        None if senders.removed.is_some() => {
            Err((RefusalCode::LinkRemoved.name(), reason(RefusalCode::LinkRemoved).to_owned()))
        }
        None => {
            let message = "the key of this document belongs to no link here: make the link anew at the product";
            Err((RefusalCode::LinkUnknown.name(), message.to_owned()))
        }
    })
}

/// A report that was sent: its place, what was read of it, and its bytes.
type Sent = (Place, Result<Addressed<Report>, Reason>, String);

fn open((place, addressed, sealed): Sent) -> Opened {
    let refused = |(code, message): Reason| Refusal::new("report", Some(place), code, &message);
    let Addressed { sender, document } = match addressed {
        Ok(addressed) => addressed,
        Err(reason) => return Opened { by: None, report: Err(refused(reason)) },
    };
    let (opened, key) = (document.open_entry(&sender.key), document.key_id().clone());
    let by = holds(&opened).then(|| key.clone());
    let report = match opened {
        Err(error) => Err(refused((error.code(), error.to_string()))),
        Ok(entry) if *entry.link() != sender.link => {
            let message = "the report names another link than the one that its key belongs to";
            Err(refused((RefusalCode::LinkUnknown.name(), message.to_owned())))
        }
        Ok(entry) => {
            let digest = Digest::of(sealed.as_bytes());
            Ok((sender, Incoming { sealed, digest, entry, key }))
        }
    };
    Opened { by, report }
}

/// Stores the reports of one link; receipts and refusals are added once that is committed. Gives the link's settings,
/// if it is in force.
async fn admit(
    central: &Central,
    Batch { sender, reports }: Batch,
    response: &mut ExchangeResponse,
) -> Result<Option<LinkSettings>, ExchangeError> {
    let link = &sender.link;
    let (places, incoming): (Vec<Place>, Vec<Incoming>) = reports.into_iter().unzip();
    let named: Vec<_> = incoming.iter().map(|report| (report.entry.sequence(), report.digest.clone())).collect();
    let admissions = central.store().admit(link, incoming, central.now()).await?;
    let mut receipts = Vec::new();
    for ((place, (sequence, report)), answer) in places.into_iter().zip(named).zip(admissions.answers) {
        match answer {
            Admitted::Stored { received_at, verdict } => {
                receipts.push(Receipt { link: link.clone(), sequence, report, received_at, verdict });
            }
            Admitted::Refused(code) => {
                if code == RefusalCode::LinkRemoved && response.removal.is_none() {
                    removed::tell_of(central, link, response).await?;
                }
                note_refused(link, sequence, code, central.now());
                response.refusals.push(Refusal::new("report", Some(place), code.name(), reason(code)));
            }
        }
    }
    let key = central.keys().secret().clone();
    let sealed = computed(receipts.len(), move || {
        receipts.iter().map(|receipt| seal::seal(receipt, &key)).collect::<Result<Vec<_>, _>>()
    });
    response.receipts.extend(sealed.await??);
    Ok(admissions.settings)
}

/// Logs a refusal: a copy that reports on and on fills no disk, and hides no other link's.
fn note_refused(link: &LinkId, sequence: Sequence, code: RefusalCode, now: Timestamp) {
    static REFUSED: LazyLock<Rate<LinkId>> = LazyLock::new(|| Rate::new(3, SignedDuration::from_mins(10)));
    if REFUSED.take(link, now).is_ok() {
        tracing::warn!(%link, %sequence, code = code.name(), "a report was refused; more of the link are logged rarely");
    }
}

/// How many seals are made or opened at once where it takes less time than to hand the work to another thread would.
const FEW_SEALS: usize = 4;

/// Runs what only computes: many seals on a thread of their own, so that the ones that serve the network stay free.
async fn computed<T: Send + 'static>(
    seals: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ExchangeError> {
    if seals <= FEW_SEALS {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| ExchangeError::Ending)
}

/// Why a store refused a report or a statement, and the way out.
pub(super) fn reason(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Fork => {
            "another report has this sequence number: two copies of this instance report, or it was restored from a \
             backup; switch the copy off, or make a new link for it"
        }
        RefusalCode::BrokenChain => {
            "the report does not follow the one that is stored before it: this instance was copied, or restored from \
             a backup; make a new link for it"
        }
        RefusalCode::RepeatUnknown => {
            "the report that this one repeats is not stored here: synchronise again, the product then sends it once more"
        }
        RefusalCode::FutureReport => {
            "the report was observed more than a day ahead of the central server's time: set the product's clock"
        }
        RefusalCode::PastReport => {
            "the report says that it was made more than a day before its link was: set the product's clock"
        }
        RefusalCode::OverQuota => {
            "this product has sent more than its link may bring within a day: the report waits there, and comes when there is \
             room; the administrator of the central server can give the link more"
        }
        RefusalCode::TooManyKeys => {
            "the key of this link was replaced as often as it may be within a day, or at all: what waits goes when a day has \
             passed; if it is refused then, too, make the link anew"
        }
        RefusalCode::LinkPending => "the link waits for approval by the administrator of the central server",
        RefusalCode::LinkRemoved => "the link was removed at the central server: remove it at the product, too",
        RefusalCode::KeyReplaced => {
            "this key was replaced by another one: a copy of this instance has made a new key of its own; make a new link"
        }
        RefusalCode::KeyInUse => "the new key already belongs to a link: make another one",
        RefusalCode::WrongClock => {
            "the product's clock and the central server's differ by more than a day: set the one that is wrong"
        }
        RefusalCode::LinkSuspended => "the link is suspended: ask the administrator of the central server",
        _ => "what was sent cannot be taken: make the link anew at the product",
    }
}
