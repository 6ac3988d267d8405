//! What a product is told whose link was removed: a sealed removal, after which it gives the link up.

use seatline_protocol::{ExchangeResponse, LinkId, Removal, seal};

use super::exchange::ExchangeError;
use crate::central::Central;
use crate::domain::RemovedLink;

/// Adds the removal of a link, of which a document came.
pub(super) async fn tell_of(
    central: &Central,
    link: &LinkId,
    response: &mut ExchangeResponse,
) -> Result<(), ExchangeError> {
    let removed = central.store().removed_link(link).await?;
    tell(central, removed, response)
}

/// Adds a removal, if there is one to be told of.
pub(super) fn tell(
    central: &Central,
    removed: Option<RemovedLink>,
    response: &mut ExchangeResponse,
) -> Result<(), ExchangeError> {
    if let Some(RemovedLink { link, removed_at }) = removed {
        response.removal = Some(seal::seal(&Removal { link, removed_at }, central.keys().secret())?);
    }
    Ok(())
}
