//! API tokens: what a program carries as `Authorization: Bearer slt_…` to use the API in an administrator's name.
//!
//! A token is 32 random bytes, so its plain hash is enough to keep; a password, which people choose, is never asked of
//! a program. The prefix lets a scanner of source code find one that was committed by mistake.

use axum::http::HeaderMap;
use seatline_protocol::text;
use seatline_web::secret::{bearer, random, random_secret};

use crate::central::{ActionError, Central};
use crate::domain::{AdminName, ApiToken, TokenHash, TokenId};

/// What every API token begins with.
pub const PREFIX: &str = "slt_";
/// The most characters of a token's label.
const MAX_LABEL: usize = 100;

/// Makes an API token in the name of `admin`: gives the token itself, which cannot be had again, and what is kept.
///
/// # Errors
/// [`ActionError::Invalid`] for a name or label that breaks its rule, [`ActionError::NotFound`] where there is no such
/// administrator.
pub async fn create(central: &Central, admin: &str, label: &str) -> Result<(String, ApiToken), ActionError> {
    let admin: AdminName = admin.parse().map_err(|error| ActionError::invalid("admin", error))?;
    if label.is_empty() || !text::is_line(label, MAX_LABEL) {
        return Err(ActionError::invalid("label", format!("a label is one line of 1 to {MAX_LABEL} characters")));
    }
    let token = format!("{PREFIX}{}", *random_secret()?);
    let kept = ApiToken {
        id: TokenId::from_random(random()?),
        token: TokenHash::of(token.as_bytes()),
        admin,
        label: label.to_owned(),
        created_at: central.now(),
    };
    central.store().add_api_token(&kept).await?;
    Ok((token, kept))
}

/// The hash of the token that a request carries.
pub(super) fn presented(headers: &HeaderMap) -> Option<TokenHash> {
    bearer(headers, PREFIX).map(|token| TokenHash::of(token.as_bytes()))
}
