//! A product replaces the key of its link: the old key's word is opened, and the new one takes its place in one commit.

use std::sync::Arc;

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{ExchangeResponse, Refusal, Rotation, seal};

use super::exchange::{ExchangeError, InForce};
use super::join::welcome;
use super::reports::{Addressed, Reason, Senders, addressed, reason};
use super::{Toll, removed};
use crate::central::Central;
use crate::domain::{KeyChange, KeyChanged, LinkState, Sender};

/// Answers a rotation with a welcome for the new key, or a refusal, and gives the link, if that is in force.
pub(super) async fn answer(
    central: &Central,
    sealed: &str,
    toll: &mut Toll<'_>,
    response: &mut ExchangeResponse,
) -> Result<Option<InForce>, ExchangeError> {
    let mut senders = Senders::default();
    let addressed = addressed::<Rotation>(central, &mut senders, toll, sealed).await?;
    removed::tell(central, senders.removed, response)?;
    let change = match addressed.and_then(|addressed| open(addressed, toll)) {
        Ok(change) => change,
        Err((code, message)) => {
            response.refusals.push(Refusal::new("rotation", None, code, &message));
            return Ok(None);
        }
    };
    let code = match central.store().change_key(&change, central.now()).await? {
        KeyChanged::Link(link) => {
            let fingerprint = link.key.fingerprint();
            tracing::info!(link = %link.id, fingerprint, "a product has replaced the key of its link");
            response.welcome = Some(seal::seal(&welcome(central, &link).await?, central.keys().secret())?);
            return Ok(Some((link.id, link.settings)));
        }
        KeyChanged::Replaced => RefusalCode::KeyReplaced,
        KeyChanged::InUse => RefusalCode::KeyInUse,
        KeyChanged::TooMany => RefusalCode::TooManyKeys,
        KeyChanged::NotInForce(LinkState::Pending) => RefusalCode::LinkPending,
        KeyChanged::NotInForce(_) => RefusalCode::LinkSuspended,
        KeyChanged::Unknown => {
            removed::tell_of(central, &change.link, response).await?;
            RefusalCode::LinkRemoved
        }
    };
    tracing::warn!(link = %change.link, code = code.name(), "a new key was refused");
    response.refusals.push(Refusal::new("rotation", None, code.name(), reason(code)));
    Ok(None)
}

fn open(addressed: Addressed<Rotation>, toll: &mut Toll<'_>) -> Result<KeyChange, Reason> {
    let rotation = toll.open(&addressed)?;
    let Sender { link, key: old } = Arc::unwrap_or_clone(addressed.sender);
    if rotation.link != link {
        let message = "the rotation names another link than the one that its key belongs to";
        return Err((RefusalCode::LinkUnknown.name(), message.to_owned()));
    }
    Ok(KeyChange { link, old, new: rotation.key, from: rotation.from })
}
