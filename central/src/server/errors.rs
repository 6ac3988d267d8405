//! Errors that no handler made (a method that a route does not take, a body that is too large, a request that is too slow)
//! get the form of all others: whoever looks at pages never sees JSON or a bare line, and a program always gets JSON.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::ApiError;
use crate::pages::PageError;

/// Gives an error that has no form yet the one that fits who asked.
pub(super) async fn in_form(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let (status, headers) = (response.status(), response.headers());
    let failed = status.is_client_error() || status.is_server_error();
    let in_form =
        is(headers, if is_api { "application/json" } else { "text/html" }) || headers.contains_key("hx-redirect");
    if !failed || in_form {
        return response;
    }
    let allowed = headers.get(header::ALLOW).cloned();
    let mut formed = match is_api {
        true => ApiError::of_status(status).into_response(),
        false => PageError::of_status(status).into_response(),
    };
    formed.headers_mut().extend(allowed.map(|methods| (header::ALLOW, methods)));
    formed
}

fn is(headers: &HeaderMap, content_type: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|found| found.as_bytes().starts_with(content_type.as_bytes()))
}
