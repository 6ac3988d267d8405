//! Pages that say what could not be done, why, and the way out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use seatline_ui::{Banner, Failure, Prose, Tone};
use seatline_web::{Repeated, refusal};

use crate::actions::accounts::AccountError;
use crate::actions::counts::CountError;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::Role;
use crate::pages::frame::page_apart;
use crate::store::StoreError;

/// A rule that is broken, and the field that breaks it.
pub type Broken = (&'static str, String);

/// The rule that a form breaks, and with which status it is shown again, as it was sent.
///
/// # Errors
/// The page of what else was in the way.
pub fn broken(error: ActionError) -> Result<(StatusCode, Broken), PageError> {
    match error {
        ActionError::Invalid { field, reason } => Ok((StatusCode::UNPROCESSABLE_ENTITY, (field, reason))),
        ActionError::Store(StoreError::Conflict(what)) => {
            Ok((StatusCode::CONFLICT, ("name", format!("there is already {what}"))))
        }
        error => Err(error.into()),
    }
}

/// An action that failed, as the answer to a request for a page. What broke a rule of a field is shown at the field
/// instead, where there is one.
#[derive(Debug, Clone)]
pub struct PageError(StatusCode, Failure);

impl PageError {
    /// The answer where there is nothing at an address.
    pub fn not_found(what: &str) -> Self {
        let why = format!("There is no such {what} here, or not any more. Begin again from the list of applications.");
        Self::new(StatusCode::NOT_FOUND, "Not found", Tone::Warning, "Nothing is at this address", why)
    }

    /// The answer to somebody whose role does not suffice.
    pub(crate) fn role_too_low(who: &SignedIn, needed: Role) -> Self {
        let why = format!("You are {}, and this needs the role {needed}. Ask an administrator for it.", who.role);
        Self::new(StatusCode::FORBIDDEN, "Not allowed", Tone::Warning, "Your role does not allow this", why)
    }

    /// The answer of a status that came from below the pages: the guard, the CSRF layer, the limits of the server.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        Self(status, refusal::of_status(status, way_out()))
    }

    fn unavailable() -> Self {
        Self::of_status(StatusCode::SERVICE_UNAVAILABLE)
    }

    fn new(status: StatusCode, title: &'static str, tone: Tone, what: &str, why: impl Into<Prose>) -> Self {
        Self(status, Failure { title, banner: Banner::new(tone, what, why), way_out: way_out() })
    }
}

fn way_out() -> (&'static str, String) {
    ("To the applications", "/applications".to_owned())
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
                static NOT_SHOWN: Repeated = Repeated::new();
                if let Some(left_out) = NOT_SHOWN.due() {
                    tracing::error!(code = error.code(), left_out, "a page could not be shown: {error}");
                }
                Self::unavailable()
            }
        }
    }
}

impl From<AccountError> for PageError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Action(error) => error.into(),
            error => {
                let why = Prose::sentence(&error.to_string());
                Self::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "This could not be done", why)
            }
        }
    }
}

impl From<CountError> for PageError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Action(error) => error.into(),
            CountError::Full | CountError::FullSchedule => {
                let why = Prose::sentence(&error.to_string());
                Self::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "This could not be done", why)
            }
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        ActionError::from(error).into()
    }
}

impl PageError {
    fn shown_to(self, who: Option<&SignedIn>) -> Response {
        let mut response = page_apart(self.0, self.1.title, who, &self.1);
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.shown_to(None)
    }
}

/// An answer as somebody sees it who is signed in: a page that says what could not be done gets his navigation.
pub fn seen_by(mut response: Response, who: &SignedIn) -> Response {
    match response.extensions_mut().remove::<PageError>() {
        Some(page) => page.shown_to(Some(who)),
        None => response,
    }
}
