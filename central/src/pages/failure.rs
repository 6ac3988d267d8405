//! Pages that say what could not be done, why, and the way out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use seatline_ui::{Banner, Failure, Prose, Tone};

use crate::central::ActionError;
use crate::pages::frame::page_with;
use crate::store::StoreError;

/// An action that failed, as the answer to a request for a page. What broke a rule of a field is shown at the field
/// instead, where there is one.
#[derive(Debug)]
pub struct PageError(StatusCode, Failure);

impl PageError {
    /// The answer where there is nothing at an address.
    pub fn not_found(what: &str) -> Self {
        let why = format!("There is no such {what} here, or not any more. Begin again from the list of applications.");
        Self::new(StatusCode::NOT_FOUND, "Not found", Tone::Warning, "Nothing is at this address", why)
    }

    /// The answer of a status that came from below the pages: the guard, the CSRF layer, the limits of the server.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (title, what, why) = match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return Self::not_found("page"),
            StatusCode::FORBIDDEN => {
                let why = "Nothing was changed, because the request did not come from one of this server's own pages. \
                           Open the page here and try again.";
                ("Refused", "The request came from another site", why)
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("Not done", "What was sent is too large", "Send less, and try again."),
            status if status.is_client_error() => {
                ("Not done", "The request could not be read", "Go back, reload the page and try again.")
            }
            _ => return Self::unavailable(),
        };
        Self::new(status, title, Tone::Warning, what, why)
    }

    fn unavailable() -> Self {
        let way_out = "Try again in a moment. If it stays so, the server's log says more.";
        let what = "The server cannot do this now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", Tone::Danger, what, way_out)
    }

    fn new(status: StatusCode, title: &'static str, tone: Tone, what: &str, why: impl Into<Prose>) -> Self {
        let way_out = ("To the applications", "/applications");
        Self(status, Failure { title, banner: Banner::new(tone, what, why), way_out })
    }
}

impl From<ActionError> for PageError {
    fn from(error: ActionError) -> Self {
        let why = Prose::sentence(&error.to_string());
        match error {
            ActionError::NotFound(what) => Self::not_found(what),
            ActionError::Invalid { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(StoreError::Conflict(_)) => {
                Self::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(StoreError::Cursor) => {
                Self::new(StatusCode::BAD_REQUEST, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(_) | ActionError::Random(_) => {
                tracing::error!(code = error.code(), %error, "a page could not be shown");
                Self::unavailable()
            }
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        ActionError::from(error).into()
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        page_with(self.0, self.1.title, None, self.1)
    }
}
