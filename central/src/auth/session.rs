//! Signing in and out. A session is a cookie with 32 random bytes; a new one is made at every sign-in.

use std::net::IpAddr;

use axum::http::header::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use seatline_web::Gate;
use seatline_web::cookie::SessionCookie;
use seatline_web::gate::{Attempt, GateError};
use seatline_web::secret::random_secret;

use crate::central::Central;
use crate::domain::{AdminName, NewSession, TokenHash};
use crate::store::StoreError;

/// After how many hours a session ends by itself.
pub const SESSION_HOURS: i64 = 12;

/// Why nobody is signed in. What is shown never tells whether the name or the password was wrong.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The gate lets nobody through.
    #[error(transparent)]
    Gate(#[from] GateError<StoreError>),
    /// The session could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// Signs an administrator in: gives the `Set-Cookie` header of a new session, and ends the one that `headers` carry.
///
/// # Errors
/// See [`SignInError`].
pub async fn sign_in(
    gate: &Gate,
    central: &Central,
    peer: IpAddr,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<HeaderValue, SignInError> {
    let now = central.now();
    let account = async || match name.parse::<AdminName>() {
        Ok(name) => central.store().admin(&name).await,
        Err(_) => Ok(None),
    };
    let attempt = Attempt { peer, headers, name, password };
    let admin = gate.check(attempt, now, account, |admin| &admin.password).await?;
    end_presented(central, headers).await?;
    begin(central, admin.name, now).await
}

/// Signs out: ends the session that `headers` carry, and gives the `Set-Cookie` header that removes the cookie.
///
/// # Errors
/// Where the store cannot end it.
pub async fn sign_out(central: &Central, headers: &HeaderMap) -> Result<HeaderValue, StoreError> {
    end_presented(central, headers).await?;
    Ok(cookie(central).remove())
}

async fn begin(central: &Central, admin: AdminName, now: Timestamp) -> Result<HeaderValue, SignInError> {
    let token = random_secret()?;
    let lifetime = SignedDuration::from_hours(SESSION_HOURS);
    let session = NewSession {
        token: TokenHash::of(token.as_bytes()),
        admin,
        created_at: now,
        expires_at: now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
    };
    central.store().begin_session(&session).await?;
    Ok(cookie(central).set(&token, lifetime.as_secs()))
}

async fn end_presented(central: &Central, headers: &HeaderMap) -> Result<(), StoreError> {
    match presented(central, headers) {
        Some(token) => central.store().end_session(&token).await,
        None => Ok(()),
    }
}

/// The hash of the session that the cookies of a request name.
pub(super) fn presented(central: &Central, headers: &HeaderMap) -> Option<TokenHash> {
    cookie(central).presented(headers)
}

/// Plain HTTP is for the loopback interface alone, see [`seatline_protocol::pairing::check_url`].
fn cookie(central: &Central) -> SessionCookie {
    let is_https = central.public_url().starts_with("https://");
    SessionCookie::new(is_https, "seatline-central", "__Host-seatline-central")
}
