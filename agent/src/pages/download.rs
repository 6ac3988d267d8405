//! A file to keep, as the answer to a request.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// A file to keep. The name is ours: ASCII without quotation marks.
pub fn download(content_type: &'static str, name: &str, content: impl Into<Vec<u8>>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, content.into()).into_response()
}
