//! What the API answers where it cannot do what was asked.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::central::ActionError;
use crate::store::StoreError;

/// An error: a status for the transport, a stable code for programs, a line for people.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    /// An error that a request brought about.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// An error of a status that came from below the API.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method-not-allowed", "this API route does not take this method")
            }
            StatusCode::REQUEST_TIMEOUT => Self::new(status, "slow", "the request took too long: send it again"),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too-large", "the request is too large"),
            status if status.is_client_error() => Self::new(status, "invalid", "the request could not be read"),
            status => Self::new(status, "unavailable", "the server cannot do this now: see its log"),
        }
    }

    /// Nobody is signed in.
    pub fn unauthorised() -> Self {
        let message = "sign in, or send an API token: `Authorization: Bearer slt_…` (`seatline-central token create`)";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", message)
    }

    /// A browser sent the request for another site.
    pub fn cross_origin() -> Self {
        let message = "this request comes from another site: open the page on this server and try again";
        Self::new(StatusCode::FORBIDDEN, "cross-origin", message)
    }

    /// There is nothing of this name.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"))
    }

    /// The request breaks a rule.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::Conflict(_) => StatusCode::CONFLICT,
            StoreError::Missing(_) => StatusCode::NOT_FOUND,
            StoreError::Cursor => StatusCode::BAD_REQUEST,
            StoreError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Unavailable(_) | StoreError::Corrupt { .. } => {
                // What the database says is for the administrator of the server, not for whoever asks.
                tracing::error!("{error}");
                let message = "the store cannot be used at this moment: see the log of the central server";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), message);
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Store(error) => error.into(),
            ActionError::Invalid { .. } => Self::new(StatusCode::BAD_REQUEST, error.code(), error.to_string()),
            ActionError::NotFound(what) => Self::not_found(what),
            ActionError::Random(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(Body { code: self.code, message: &self.message });
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        response
    }
}
