//! Refuses what another site makes a browser send, by what the browser says (`Sec-Fetch-Site`, `Origin`): no form
//! carries a token that could be forgotten. It relies on no route changing anything by `GET`.

use axum::response::{IntoResponse as _, Response};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};

use crate::api::ApiError;

/// What answers a request that was refused as another site's.
type Refused = fn(ProtectionError) -> Response;

/// The layer that refuses them. The `origins` (such as `https://licenses.example.org`) are ours, also behind a proxy
/// that changes the `Host` header.
///
/// # Errors
/// Where one is no origin that a browser could name.
pub fn layer<'o>(origins: impl IntoIterator<Item = &'o str>) -> Result<CsrfLayer<Refused>, ConfigError> {
    let mut layer = CsrfLayer::new();
    for origin in origins {
        layer = layer.add_trusted_origin(origin)?;
    }
    Ok(layer.with_rejection_response(|_| ApiError::cross_origin().into_response()))
}
