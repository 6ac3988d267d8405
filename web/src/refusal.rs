//! What pages say where a request is refused: by the gate, by the guard, by the limits of the server.

use axum::http::StatusCode;
use seatline_ui::{Banner, Failure, Tone, format};

use crate::gate::GateError;

/// The status and the banner of a sign-in that the gate refused; none where it is the store that failed.
pub fn of_gate<E>(error: &GateError<E>) -> Option<(StatusCode, Banner)>
where
    GateError<E>: std::error::Error,
{
    let (status, way_out) = match error {
        GateError::Wrong => (StatusCode::UNAUTHORIZED, "Check both and try again."),
        GateError::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, ""),
        GateError::Busy => (StatusCode::SERVICE_UNAVAILABLE, ""),
        GateError::Store(_) => return None,
    };
    let what = format!("{}.", format::capitalised(&error.to_string()));
    Some((status, Banner::new(Tone::Danger, what, way_out)))
}

/// The page for a status that came from below the pages; `way_out` is what the way out is called, and its address.
pub fn of_status(status: StatusCode, way_out: (&'static str, String)) -> Failure {
    let (title, tone, what, why) = match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            let why = "There is no such page here, or not any more.";
            ("Not found", Tone::Warning, "Nothing is at this address", why)
        }
        StatusCode::FORBIDDEN => {
            let why = "Nothing was changed, because the request did not come from one of this server's own pages. \
                       Open the page here and try again.";
            ("Refused", Tone::Warning, "The request came from another site", why)
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("Not done", Tone::Warning, "What was sent is too large", "Send less, and try again.")
        }
        status if status.is_client_error() => {
            let why = "Go back, reload the page and try again.";
            ("Not done", Tone::Warning, "The request could not be read", why)
        }
        _ => {
            let why = "Try again in a moment. If it stays so, the server's log says more.";
            ("Not available", Tone::Danger, "The server cannot do this now", why)
        }
    };
    Failure { title, banner: Banner::new(tone, what, why), way_out }
}
