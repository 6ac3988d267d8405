//! The form of the JSON APIs: what comes with a request, checked, and what is answered where it cannot be done.

use std::error::Error as _;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seatline_protocol::text;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error: a status for the transport, a stable code for programs, a line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// After how many seconds to try again.
    retry_after: Option<i64>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    /// An error that a request brought about.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// The same, with the seconds after which to try again.
    pub fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// An error of a status that came from below the API.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method-not-allowed", "this API route does not take this method")
            }
            StatusCode::REQUEST_TIMEOUT => {
                Self::new(status, "slow", "the request did not come whole in time: send it again")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too-large", "the request is too large"),
            status if status.is_client_error() => Self::new(status, "invalid", "the request could not be read"),
            status => Self::new(status, "unavailable", "the server cannot do this now: see its log"),
        }
    }

    /// Nobody is signed in, and the way to do so.
    pub fn unauthorised(way_in: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", way_in)
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

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(Body { code: self.code, message: &self.message });
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The JSON object of a request's body, with the API's own errors where it is not what it should be.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !content_type.trim().eq_ignore_ascii_case("application/json") {
            let message = "the body must be JSON, with the header `Content-Type: application/json`";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", message));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| ApiError::of_status(rejection.status()))?;
        // A list would be taken for the fields of an object, in their order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(ApiError::invalid("the body must be a JSON object"));
        }
        match Json::from_bytes(&body) {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) => {
                // What lies below names the field; what stands above it speaks of types that only this program knows.
                let below = error.source().map_or_else(|| error.body_text(), ToString::to_string);
                Err(ApiError::invalid(text::line(&format!("the body cannot be read: {below}"), 400)))
            }
        }
    }
}
