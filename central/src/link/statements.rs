//! Statements of continuity arrive: each is opened by its link's key, and noted (`b4`).

use std::sync::Arc;

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Continuity, Digest, ExchangeResponse, Refusal};

use super::exchange::{ExchangeError, InForce};
use super::reports::{Addressed, Reason, Senders, addressed, reason};
use super::{Toll, removed};
use crate::central::Central;
use crate::domain::{Sender, Stated};

/// The opened statements of one link.
struct Batch {
    sender: Arc<Sender>,
    stated: Vec<(usize, Stated)>,
}

/// Notes statements, and gives the link that they came over, if that is in force.
pub(super) async fn answer(
    central: &Central,
    sealed: Vec<String>,
    toll: &mut Toll<'_>,
    response: &mut ExchangeResponse,
) -> Result<Option<InForce>, ExchangeError> {
    let mut senders = Senders::default();
    let mut batches: Vec<Batch> = Vec::new();
    for (place, sealed) in sealed.into_iter().enumerate() {
        let addressed = addressed(central, &mut senders, toll, &sealed).await?;
        match addressed.and_then(|addressed| open(addressed, sealed, toll)) {
            Err((code, message)) => response.refusals.push(refusal(place, code, &message)),
            Ok((sender, stated)) => match batches.iter_mut().find(|batch| batch.sender == sender) {
                Some(batch) => batch.stated.push((place, stated)),
                None => batches.push(Batch { sender, stated: vec![(place, stated)] }),
            },
        }
    }
    removed::tell(central, senders.removed, response)?;
    let mut in_force = None;
    for Batch { sender, stated } in batches {
        let (places, stated): (Vec<usize>, Vec<Stated>) = stated.into_iter().unzip();
        let digests: Vec<Digest> = stated.iter().map(|stated| stated.digest.clone()).collect();
        match central.store().note(&sender.link, stated, central.now()).await? {
            Ok(settings) => {
                tracing::info!(link = %sender.link, statements = digests.len(), "the server ID of a product has changed");
                response.noted.extend(digests);
                in_force = in_force.or(Some((sender.link.clone(), settings)));
            }
            Err(code) => {
                if code == RefusalCode::LinkRemoved && response.removal.is_none() {
                    removed::tell_of(central, &sender.link, response).await?;
                }
                response.refusals.extend(places.into_iter().map(|place| refusal(place, code.name(), reason(code))));
            }
        }
    }
    Ok(in_force)
}

fn open(
    addressed: Addressed<Continuity>,
    sealed: String,
    toll: &mut Toll<'_>,
) -> Result<(Arc<Sender>, Stated), Reason> {
    let statement = toll.open(&addressed)?;
    let sender = addressed.sender;
    if statement.link != sender.link {
        let message = "the statement names another link than the one that its key belongs to";
        return Err((RefusalCode::LinkUnknown.name(), message.to_owned()));
    }
    let digest = Digest::of(sealed.as_bytes());
    Ok((sender, Stated { sealed, digest, statement }))
}

fn refusal(place: usize, code: &str, message: &str) -> Refusal {
    Refusal::new("statement", Some(place), code, message)
}
