//! Strangers: whoever sends what no product that is linked here could have sent. A few such exchanges are a mistake; an
//! address from which they come without an end waits, and is told so before anything of the next one is read.

use std::net::IpAddr;

use seatline_protocol::ExchangeResponse;
use seatline_web::Repeated;

use super::Toll;
use super::exchange::ExchangeError;
use crate::server::App;

/// Why a request is not even read: too much that was strange has come from its address.
pub(super) fn held_up(app: &App, from: IpAddr) -> Option<ExchangeError> {
    let seconds = app.rates.strangers.wait(&from, app.central.now())?;
    static FLOOD: Repeated = Repeated::new();
    if let Some(left_out) = FLOOD.due() {
        tracing::warn!(%from, left_out, "strangers flood the link from one address: what comes from there waits");
    }
    Some(ExchangeError::Flood { seconds })
}

/// Counts what was strange of a request that was answered. A single document that somebody known here has sealed speaks
/// for all of them: then he pays for it.
pub(super) fn count(app: &App, from: IpAddr, toll: &Toll<'_>, result: &Result<ExchangeResponse, ExchangeError>) {
    let strange = if toll.is_paid() { 0 } else { strange(result) };
    if strange > 0 {
        app.rates.strangers.charge(&from, strange, app.central.now());
    }
}

/// How many documents came that nobody here could have sealed; one for a request that is none.
fn strange(result: &Result<ExchangeResponse, ExchangeError>) -> usize {
    match result {
        Err(ExchangeError::Malformed(_) | ExchangeError::TooLarge | ExchangeError::Slow) => 1,
        Err(_) => 0,
        Ok(response) => response.refusals.len(),
    }
}

#[cfg(test)]
mod tests {
    use seatline_protocol::Refusal;

    use super::*;

    fn refused(codes: &[&str]) -> ExchangeResponse {
        let refusals = codes.iter().map(|code| Refusal::new("report", None, code, "no")).collect();
        ExchangeResponse { refusals, ..ExchangeResponse::default() }
    }

    #[test]
    fn only_what_came_over_the_network_and_was_no_document_of_anybody_is_strange() {
        assert_eq!(strange(&Ok(refused(&["link-unknown", "bad-signature"]))), 2);
        assert_eq!(strange(&Ok(ExchangeResponse::default())), 0);
        assert_eq!(strange(&Err(ExchangeError::Malformed("no JSON".to_owned()))), 1);
        assert_eq!(strange(&Err(ExchangeError::Busy)), 0, "that is our trouble");
    }
}
