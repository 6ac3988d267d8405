//! Errors that no handler made (a method that a route does not take, a body that is too large, a request that is too
//! slow) get the form of all others: whoever looks at pages never sees JSON or a bare line, and a program always gets
//! JSON.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use seatline_web::ApiError;
use seatline_web::headers::in_form as formed;

use crate::pages::PageError;

/// Gives an error that has no form yet the one that fits who asked.
pub(super) async fn in_form(request: Request, next: Next) -> Response {
    let is_api = super::is_for_programs(request.uri().path());
    let response = next.run(request).await;
    match is_api {
        true => formed(response, "application/json", |status| ApiError::of_status(status).into_response()),
        // htmx is told where to go, and shows nothing of the answer itself.
        false if response.headers().contains_key("hx-redirect") => response,
        false => formed(response, "text/html", |status| PageError::of_status(status).into_response()),
    }
}
