//! Pages that say what could not be done, why, and the way out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use seatline_host::HostError;
use seatline_host::store::StoreError;
use seatline_ui::{Banner, Failure, Prose, Tone};
use seatline_web::refusal;

use super::{Content, Need};

/// A page that could not be shown, or something that could not be done.
#[derive(Debug, thiserror::Error)]
#[error("{}", failure.title)]
pub struct PageError {
    status: StatusCode,
    failure: Box<Failure>,
}

impl PageError {
    /// What has this status.
    pub fn of_status(status: StatusCode) -> Self {
        Self { status, failure: Box::new(refusal::of_status(status, way_out())) }
    }

    /// There is nothing of this name.
    pub fn not_found(what: &str) -> Self {
        let why = format!("There is no such {what} here, or not any more.");
        Self::new(StatusCode::NOT_FOUND, "Not found", Tone::Warning, "Nothing is at this address", why)
    }

    /// What was sent breaks a rule that belongs to no field of its form.
    pub fn invalid(why: impl AsRef<str>) -> Self {
        let why = Prose::sentence(why.as_ref());
        Self::new(StatusCode::BAD_REQUEST, "Not done", Tone::Warning, "This could not be done", why)
    }

    /// The state cannot be read or written.
    pub fn of_state(error: &StoreError) -> Self {
        Self::unavailable(error.code(), &error.to_string())
    }

    /// The host cannot look at its own state.
    pub fn of_host(error: &HostError) -> Self {
        Self::unavailable(error.code(), &error.to_string())
    }

    /// Something that the page needs is not to be had now; `message` says what, why, and the way out.
    pub fn unavailable(code: &str, message: &str) -> Self {
        tracing::error!(code, "a page could not be shown: {message}");
        let why = Prose::sentence(message);
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", Tone::Danger, "This cannot be shown now", why)
    }

    /// A defect.
    pub(super) fn internal() -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The role does not suffice.
    pub(super) fn forbidden(need: Need) -> Self {
        let why = match need {
            Need::Nothing | Need::View => "You are signed in, and may not see these pages. Ask an administrator.",
            Need::Administer | Need::Confirmed => {
                "You may look at these pages, and change nothing. Ask an administrator."
            }
        };
        Self::new(StatusCode::FORBIDDEN, "Not permitted", Tone::Warning, "This is for administrators", why)
    }

    /// Nobody is signed in, and the product has told no address to do so.
    pub(super) fn not_signed_in() -> Self {
        let why = "Sign in to the product first, and then come back.";
        Self::new(StatusCode::UNAUTHORIZED, "Not signed in", Tone::Warning, "You are not signed in", why)
    }

    /// A change that waited for the password waits no longer, or was done.
    pub(super) fn no_longer_kept() -> Self {
        let why = "Your password is confirmed, but what you sent before was done already, or waited for too long. \
                   Look at what holds now, and send it again if it is still needed.";
        Self::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "Nothing was changed", why)
    }

    /// An answer with a title, and a banner of what and why.
    pub fn new(status: StatusCode, title: &'static str, tone: Tone, what: &str, why: impl Into<Prose>) -> Self {
        let banner = Banner::new(tone, what, why);
        Self { status, failure: Box::new(Failure { title, banner, way_out: way_out() }) }
    }

    /// The same with another way out: what it is called, and its path.
    pub fn way_out(mut self, label: &'static str, path: impl Into<String>) -> Self {
        self.failure.way_out = (label, path.into());
        self
    }
}

fn way_out() -> (&'static str, String) {
    ("To the license", "/license".to_owned())
}

impl From<PageError> for Content {
    fn from(error: PageError) -> Self {
        Content::of_failure(error.status, *error.failure)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        Content::from(self).into_response()
    }
}
