//! A product joins: its invite is used, its link is made, and it is welcomed.

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::pairing::WelcomeState;
use seatline_protocol::seal;
use seatline_protocol::{ExchangeResponse, Join, LinkId, Refusal, Welcome};

use super::exchange::{ExchangeError, InForce};
use super::{Toll, removed};
use seatline_web::secret::random;

use crate::central::Central;
use crate::domain::{Link, LinkState, Redeemed, Redemption, TokenHash};

/// Answers a join with a welcome or a refusal, and gives the link that it came to, if that is in force.
pub(super) async fn answer(
    central: &Central,
    sealed: &str,
    toll: &mut Toll<'_>,
    response: &mut ExchangeResponse,
) -> Result<Option<InForce>, ExchangeError> {
    let (join, key) = match seal::open_introduced::<Join>(sealed) {
        Ok(opened) => opened,
        Err(error) => {
            response.refusals.push(Refusal::new("join", None, error.code(), &error.to_string()));
            return Ok(None);
        }
    };
    let redemption = Redemption {
        secret: TokenHash::of(join.secret.expose()),
        key,
        product: join.product,
        link: LinkId::from_random(random()?),
        now: central.now(),
    };
    let refuse = |code: RefusalCode, message: &str| Refusal::new("join", None, code.name(), message);
    let redeemed = central.store().redeem(&redemption).await?;
    // Anybody can make a key. It is a product's only once it has come with an invite.
    if redeemed != Redeemed::Unknown {
        toll.pay(&redemption.key.id());
    }
    match redeemed {
        Redeemed::Link(link) if link.state == LinkState::Suspended => {
            let message = "the link is suspended: ask the administrator of the central server";
            response.refusals.push(refuse(RefusalCode::LinkSuspended, message));
            Ok(None)
        }
        Redeemed::Link(link) => {
            tracing::info!(link = %link.id, state = link.state.name(), "a product joined");
            response.welcome = Some(seal::seal(&welcome(central, &link).await?, central.keys().secret())?);
            Ok((link.state == LinkState::Approved).then_some((link.id, link.settings)))
        }
        Redeemed::Removed(removed) => {
            removed::tell(central, Some(removed), response)?;
            let message = "the link was removed at the central server: ask for a new invite";
            response.refusals.push(refuse(RefusalCode::LinkRemoved, message));
            Ok(None)
        }
        Redeemed::Unknown => {
            let message =
                "the invite is unknown here, was withdrawn, or was used by another product: ask for a new one";
            response.refusals.push(refuse(RefusalCode::InviteUnknown, message));
            Ok(None)
        }
        Redeemed::Expired => {
            let message = "the invite's thirty minutes are over: ask for a new one";
            response.refusals.push(refuse(RefusalCode::InviteExpired, message));
            Ok(None)
        }
        Redeemed::KeyInUse => {
            let message = "the key of this join already belongs to another link: make the link anew at the product";
            response.refusals.push(refuse(RefusalCode::InviteUnknown, message));
            Ok(None)
        }
    }
}

/// The welcome to a link that was welcomed before, sealed; none where it is gone meanwhile.
pub(super) async fn welcome_again(central: &Central, link: &LinkId) -> Result<Option<String>, ExchangeError> {
    let Some(link) = central.store().link(link).await? else { return Ok(None) };
    Ok(Some(seal::seal(&welcome(central, &link).await?, central.keys().secret())?))
}

/// The welcome to a link. The pseudonym key is in it only once an administrator has vouched for the link.
pub(super) async fn welcome(central: &Central, link: &Link) -> Result<Welcome, ExchangeError> {
    let application = match &link.application {
        Some(id) => central.store().application(id).await?,
        None => None,
    };
    let state = match link.state {
        LinkState::Approved => WelcomeState::Approved { pseudonym_key: central.pseudonym_key().await?.key },
        LinkState::Pending | LinkState::Suspended => WelcomeState::Pending,
    };
    Ok(Welcome {
        key: link.key.id(),
        link: link.id.clone(),
        application: application.map_or_else(|| link.product.name.clone(), |application| application.name.to_string()),
        issued_at: link.approved_at.unwrap_or(link.created_at),
        state,
    })
}
