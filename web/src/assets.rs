//! The route of the files that pages load.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The pattern of the route.
pub const ROUTE: &str = "/assets/{*path}";

/// `GET /assets/…`: a file that pages load, for ever the same under its address.
pub async fn asset(Path(path): Path<String>) -> Response {
    match seatline_ui::asset(&path) {
        Some(asset) => (asset.headers(), asset.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_route_is_the_one_that_pages_name() {
        assert_eq!(super::ROUTE.strip_suffix("{*path}"), Some(seatline_ui::PREFIX));
    }
}
