//! Reports arrive: each is opened by its link's key, admitted to the chain, and answered by a receipt (`b1`, `b2`).

use std::collections::HashMap;
use std::sync::Arc;

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::seal;
use seatline_protocol::{Digest, ExchangeResponse, KeyId, OpenError, Receipt, Refusal, Report};

use super::exchange::ExchangeError;
use crate::central::Central;
use crate::domain::{Admitted, Incoming, Link};

/// A report that was opened, or why it was not.
type Opened = Result<(Arc<Link>, Incoming), Refusal>;

/// The place of a report in the request: refusals name it.
type Place = usize;

/// The opened reports of one link.
struct Batch {
    link: Arc<Link>,
    reports: Vec<(Place, Incoming)>,
}

/// Answers reports with receipts and refusals, and gives the link that they came over.
pub(super) async fn answer(
    central: &Central,
    sealed: Vec<String>,
    response: &mut ExchangeResponse,
) -> Result<Option<Link>, ExchangeError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let links = links(central, &sealed).await?;
    let opened = computed(sealed.len(), move || open_all(sealed, &links)).await?;
    let mut batches: Vec<Batch> = Vec::new();
    for (place, opened) in opened.into_iter().enumerate() {
        match opened {
            Err(refusal) => response.refusals.push(refusal),
            Ok((link, incoming)) => match batches.iter_mut().find(|batch| batch.link.id == link.id) {
                Some(batch) => batch.reports.push((place, incoming)),
                None => batches.push(Batch { link, reports: vec![(place, incoming)] }),
            },
        }
    }
    let link = batches.first().map(|batch| Link::clone(&batch.link));
    for batch in batches {
        admit(central, batch, response).await?;
    }
    Ok(link)
}

/// The links of the keys that the reports say they were sealed by.
async fn links(central: &Central, sealed: &[String]) -> Result<HashMap<KeyId, Arc<Link>>, ExchangeError> {
    let mut links = HashMap::new();
    for key in sealed.iter().filter_map(|sealed| seal::key_id::<Report>(sealed).ok()) {
        if !links.contains_key(&key)
            && let Some(link) = central.store().link_of_key(&key).await?
        {
            links.insert(key, Arc::new(link));
        }
    }
    Ok(links)
}

fn open_all(sealed: Vec<String>, links: &HashMap<KeyId, Arc<Link>>) -> Vec<Opened> {
    sealed
        .into_iter()
        .enumerate()
        .map(|(place, sealed)| {
            open(sealed, links).map_err(|(code, message)| Refusal::new("report", Some(place), code, &message))
        })
        .collect()
}

fn open(sealed: String, links: &HashMap<KeyId, Arc<Link>>) -> Result<(Arc<Link>, Incoming), (&'static str, String)> {
    let refused = |error: OpenError| (error.code(), error.to_string());
    let unknown = RefusalCode::LinkUnknown.name();
    let key = seal::key_id::<Report>(&sealed).map_err(refused)?;
    let Some(link) = links.get(&key) else {
        let message = "the key of this report belongs to no link here: make the link anew at the product";
        return Err((unknown, message.to_owned()));
    };
    let report: Report = seal::open(&sealed, std::slice::from_ref(&link.key)).map_err(refused)?;
    if report.link != link.id {
        return Err((unknown, "the report names another link than the one that its key belongs to".to_owned()));
    }
    let digest = Digest::of(sealed.as_bytes());
    Ok((Arc::clone(link), Incoming { sealed, digest, report }))
}

/// Stores the reports of one link; receipts and refusals are added once that is committed.
async fn admit(
    central: &Central,
    Batch { link, reports }: Batch,
    response: &mut ExchangeResponse,
) -> Result<(), ExchangeError> {
    let (places, incoming): (Vec<Place>, Vec<Incoming>) = reports.into_iter().unzip();
    let named: Vec<_> = incoming.iter().map(|report| (report.report.sequence, report.digest.clone())).collect();
    let admitted = central.store().admit(&link.id, incoming, central.now()).await?;
    let mut receipts = Vec::new();
    for ((place, (sequence, report)), admitted) in places.into_iter().zip(named).zip(admitted) {
        match admitted {
            Admitted::Stored { received_at, verdict } => {
                receipts.push(Receipt { link: link.id.clone(), sequence, report, received_at, verdict });
            }
            Admitted::Refused(code) => {
                tracing::warn!(link = %link.id, %sequence, code = code.name(), "a report was refused");
                response.refusals.push(Refusal::new("report", Some(place), code.name(), reason(code)));
            }
        }
    }
    let key = central.keys().secret().clone();
    let sealed = computed(receipts.len(), move || {
        receipts.iter().map(|receipt| seal::seal(receipt, &key)).collect::<Result<Vec<_>, _>>()
    });
    response.receipts.extend(sealed.await??);
    Ok(())
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

/// Why a store refused a report, and the way out.
fn reason(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Fork => {
            "another report has this sequence number: two copies of this instance report, or it was restored from a \
             backup; switch the copy off, or make a new link for it"
        }
        RefusalCode::BrokenChain => {
            "the report does not follow the one that is stored before it: this instance was copied, or restored from \
             a backup; make a new link for it"
        }
        RefusalCode::FutureReport => {
            "the report was observed more than a day ahead of the central server's time: set the product's clock"
        }
        RefusalCode::LinkPending => "the link waits for approval by the administrator of the central server",
        RefusalCode::LinkSuspended => "the link is suspended: ask the administrator of the central server",
        _ => "the report cannot be taken: make the link anew at the product",
    }
}
