//! The headers that every answer has, and the form of errors that no handler made.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use seatline_ui::SECURITY_HEADERS;

/// After how many seconds to come again to a server that cannot answer now, where it says no other time.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Adds the headers to an answer; to one of 503 also when to come again. For `axum::middleware::from_fn`.
pub async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(RETRY_SECONDS);
    }
    response
}

/// Gives an error that has no form yet (a method that a route does not take, a body that is too large, a request that
/// is too slow) the one that `form` makes of its status. An error is in form if its content is of the type `expected`.
pub fn in_form(response: Response, expected: &str, form: impl FnOnce(StatusCode) -> Response) -> Response {
    let (status, headers) = (response.status(), response.headers());
    let failed = status.is_client_error() || status.is_server_error();
    let is_formed = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(expected.as_bytes()));
    if !failed || is_formed {
        return response;
    }
    let allowed = headers.get(header::ALLOW).cloned();
    let mut formed = form(status);
    formed.headers_mut().extend(allowed.map(|methods| (header::ALLOW, methods)));
    formed
}
