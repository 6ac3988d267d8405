//! Strangers: whoever sends what no product that is linked here could have sent. A few such exchanges are a mistake; an address
//! from which they come without an end waits, and is told so before anything of the next one is read.

use axum::http::request::Parts;
use seatline_protocol::ExchangeResponse;
use seatline_protocol::exchange::RefusalCode;
use seatline_web::Repeated;
use seatline_web::rate::block;

use super::exchange::ExchangeError;
use crate::auth::address;
use crate::server::App;

/// Why a request is not even read: too much that was strange has come from its address.
pub(super) fn held_up(app: &App, parts: &Parts) -> Option<ExchangeError> {
    let from = block(address(app, parts));
    let seconds = app.rates.strangers.wait(&from, app.central.now())?;
    static FLOOD: Repeated = Repeated::new();
    if let Some(left_out) = FLOOD.due() {
        tracing::warn!(%from, left_out, "strangers flood the link from one address: what comes from there waits");
    }
    Some(ExchangeError::Flood { seconds })
}

/// Counts what was strange of a request that was answered.
pub(super) fn count(app: &App, parts: &Parts, result: &Result<ExchangeResponse, ExchangeError>) {
    let strange = strange(result);
    if strange > 0 {
        app.rates.strangers.charge(&block(address(app, parts)), strange, app.central.now());
    }
}

/// How many documents came that nobody here could have sealed; one for a request that is none. A single one of a link that is
/// known, in force or not, speaks for all of them.
fn strange(result: &Result<ExchangeResponse, ExchangeError>) -> usize {
    match result {
        Err(ExchangeError::Malformed(_) | ExchangeError::TooLarge | ExchangeError::Slow) => 1,
        Err(_) => 0,
        Ok(response) => {
            let ExchangeResponse { welcome, settings, pseudonym_key, receipts, noted, removal, refusals } = response;
            let is_known = welcome.is_some()
                || settings.is_some()
                || pseudonym_key.is_some()
                || removal.is_some()
                || !receipts.is_empty()
                || !noted.is_empty()
                || refusals.iter().any(|refusal| is_of_a_link(&refusal.code));
            if is_known { 0 } else { refusals.len() }
        }
    }
}

/// Whether a document was refused for the sake of the link whose key had sealed it.
fn is_of_a_link(code: &str) -> bool {
    use RefusalCode::{
        BrokenChain, Fork, FutureReport, InviteExpired, KeyInUse, KeyReplaced, LinkPending, LinkRemoved, LinkSuspended,
        OverQuota, PastReport, RepeatUnknown, TooManyKeys, WrongClock,
    };
    let codes = [
        BrokenChain,
        RepeatUnknown,
        Fork,
        FutureReport,
        InviteExpired,
        KeyInUse,
        KeyReplaced,
        LinkPending,
        LinkRemoved,
        LinkSuspended,
        OverQuota,
        PastReport,
        TooManyKeys,
        WrongClock,
    ];
    codes.iter().any(|known| known.name() == code)
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
    fn only_what_no_linked_product_could_have_sent_is_strange() {
        assert_eq!(strange(&Ok(refused(&["link-unknown", "bad-signature"]))), 2);
        assert_eq!(strange(&Ok(refused(&["not-a-document", "fork"]))), 0, "a link that is known sent the other one");
        assert_eq!(strange(&Ok(refused(&["link-suspended"]))), 0);
        let settings = Some("sealed".to_owned());
        assert_eq!(strange(&Ok(ExchangeResponse { settings, ..refused(&["damaged"]) })), 0);
        assert_eq!(strange(&Err(ExchangeError::Malformed("no JSON".to_owned()))), 1);
        assert_eq!(strange(&Err(ExchangeError::Busy)), 0, "that is our trouble");
    }
}
