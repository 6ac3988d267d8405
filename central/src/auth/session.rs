//! Signing in and out. A session is a cookie with 32 random bytes; a new one is made at every sign-in.
//!
//! A session ends by itself after twelve hours, or after two without a request; its owner or an administrator ends it
//! at any time. Before accounts are changed its owner confirms the password again (`c2`), which holds for ten minutes.
//! All of it stands in the store, so it holds on every replica.

use std::net::IpAddr;

use axum::http::header::{HeaderMap, HeaderValue, USER_AGENT};
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::text;
use seatline_web::Gate;
use seatline_web::cookie::SessionCookie;
use seatline_web::gate::{Attempt, GateError};
use seatline_web::secret::{random, random_secret};

use super::{SignedIn, Via};
use crate::actions::accounts::AccountError;
use crate::central::{ActionError, Central};
use crate::domain::{Account, AccountName, Actor, ActorKind, NewSession, SessionId, SessionLife, TokenHash};
use crate::sso::SsoError;
use crate::store::StoreError;

/// How long a confirmed password holds.
pub const CONFIRMED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The most characters that are kept of what a browser says of itself.
const MAX_BROWSER: usize = 200;

/// Why nobody is signed in. What is shown never tells whether the name or the password was wrong.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The gate lets nobody through.
    #[error(transparent)]
    Gate(#[from] GateError<StoreError>),
    /// Single sign-on did not let anybody in.
    #[error(transparent)]
    Sso(#[from] SsoError),
    /// The session could not be kept, or a password not be changed.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

impl From<ActionError> for SignInError {
    fn from(error: ActionError) -> Self {
        Self::Account(error.into())
    }
}

impl From<getrandom::Error> for SignInError {
    fn from(error: getrandom::Error) -> Self {
        Self::Account(error.into())
    }
}

/// Signs somebody in: gives the `Set-Cookie` header of a new session, and ends the one that `headers` carry.
///
/// # Errors
/// See [`SignInError`].
pub async fn sign_in(
    gate: &Gate,
    central: &Central,
    life: SessionLife,
    peer: IpAddr,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<HeaderValue, SignInError> {
    let account = checked(gate, central, peer, headers, name, password).await?;
    let actor = Actor {
        kind: ActorKind::Person,
        name: account.name.to_string(),
        token: None,
        address: Some(gate.client(peer, headers)),
    };
    Ok(begin(central, life, &actor, account.name, headers).await?)
}

/// The account of who knows its password.
async fn checked(
    gate: &Gate,
    central: &Central,
    peer: IpAddr,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<Account, GateError<StoreError>> {
    let account = async || match name.parse::<AccountName>() {
        // Who comes by single sign-on has no password, and is no account to this door.
        Ok(name) => Ok(central.store().account(&name).await?.filter(|account| account.password().is_some())),
        Err(_) => Ok(None),
    };
    let attempt = Attempt { peer, headers, name, password };
    gate.check(attempt, central.now(), account, |account| account.password().unwrap_or_default()).await
}

/// Begins a session of somebody who has proved who he is: gives its `Set-Cookie` header, and ends the one that
/// `headers` carry.
pub(super) async fn begin(
    central: &Central,
    life: SessionLife,
    actor: &Actor,
    account: AccountName,
    headers: &HeaderMap,
) -> Result<HeaderValue, AccountError> {
    let (act, token) = (central.act(actor)?, random_secret()?);
    let says = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let session = NewSession {
        id: SessionId::from_random(random()?),
        token: TokenHash::of(token.as_bytes()),
        account,
        created_at: act.at,
        expires_at: act.at.checked_add(life.longest).unwrap_or(Timestamp::MAX),
        address: actor.address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
        browser: text::line(says, MAX_BROWSER),
    };
    central.store().begin_session(&act, &session, presented(central, headers).as_ref()).await?;
    Ok(cookie(central).set(&token, life.longest.as_secs()))
}

/// Signs out: ends the session of `who`, and gives the `Set-Cookie` header that removes the cookie.
///
/// # Errors
/// Where the store cannot end it.
pub async fn sign_out(central: &Central, who: &SignedIn) -> Result<HeaderValue, ActionError> {
    if let Via::Session(session) = &who.via {
        central.end_session(&who.actor(), &who.name, &session.id).await?;
    }
    Ok(cookie(central).remove())
}

/// Removes the cookie of a browser that has no session.
pub fn forget(central: &Central) -> HeaderValue {
    cookie(central).remove()
}

/// That somebody has proved again who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Until when.
    pub until: Timestamp,
}

/// Takes the password of who has a session again, before accounts are changed.
///
/// # Errors
/// As [`sign_in`]: guessing is slowed down here too.
pub async fn confirm(
    gate: &Gate,
    central: &Central,
    peer: IpAddr,
    headers: &HeaderMap,
    who: &SignedIn,
    password: &str,
) -> Result<Confirmed, SignInError> {
    checked(gate, central, peer, headers, who.name.as_str(), password).await?;
    Ok(confirmed(central, who).await?)
}

/// Notes that `who` has proved again who he is.
pub(super) async fn confirmed(central: &Central, who: &SignedIn) -> Result<Confirmed, StoreError> {
    let until = central.now().checked_add(CONFIRMED_FOR).unwrap_or(Timestamp::MAX);
    if let Via::Session(session) = &who.via {
        central.store().confirm_session(&session.id, Some(until)).await?;
    }
    Ok(Confirmed { until })
}

/// Changes one's own password, by the present one. All other sessions end.
///
/// # Errors
/// As [`sign_in`], and where the new password breaks its rule.
pub async fn change_password(
    gate: &Gate,
    central: &Central,
    peer: IpAddr,
    headers: &HeaderMap,
    who: &SignedIn,
    (old, new): (&str, &str),
) -> Result<(), SignInError> {
    checked(gate, central, peer, headers, who.name.as_str(), old).await?;
    let keep = who.session().map(|session| session.id.clone());
    Ok(central.set_password(&who.actor(), &who.name, new, keep.as_ref()).await?)
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
