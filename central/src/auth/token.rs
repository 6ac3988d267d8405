//! API tokens: what a program carries as `Authorization: Bearer slt_…` to use the API in somebody's name.
//!
//! A token is 32 random bytes, so its plain hash is enough to keep; a password, which people choose, is never asked of
//! a program. The prefix lets a scanner of source code find one that was committed by mistake.

use axum::http::HeaderMap;
use seatline_web::secret::bearer;

use crate::domain::TokenHash;

/// What every API token begins with.
pub const PREFIX: &str = "slt_";

/// The hash of the token that a request carries.
pub(super) fn presented(headers: &HeaderMap) -> Option<TokenHash> {
    bearer(headers, PREFIX).map(|token| TokenHash::of(token.as_bytes()))
}
