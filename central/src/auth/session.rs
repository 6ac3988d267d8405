//! Signing in and out. A session is a cookie with 32 random bytes; a new one is made at every sign-in.

use std::net::IpAddr;
use std::sync::PoisonError;

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use super::{Gate, MAX_PASSWORD};
use crate::central::{Central, random_secret};
use crate::domain::{AdminName, NewSession, TokenHash};
use crate::store::StoreError;

/// After how many hours a session ends by itself.
pub const SESSION_HOURS: i64 = 12;

/// Why nobody is signed in. What is shown never tells whether the name or the password was wrong.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is wrong.
    #[error("the name or the password is wrong")]
    Wrong,
    /// There were too many failures.
    #[error("too many attempts: try again in {seconds} seconds")]
    Throttled {
        /// How long to wait, in seconds.
        seconds: i64,
    },
    /// Too many people sign in at this moment.
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl SignInError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "sign-in-wrong",
            Self::Throttled { .. } => "sign-in-throttled",
            Self::Busy => "sign-in-busy",
            Self::Store(error) => error.code(),
            Self::Random(_) => "no-randomness",
        }
    }
}

impl Gate {
    /// Signs an administrator in: gives the `Set-Cookie` header of a new session, and ends the one that `headers` carry.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in(
        &self,
        central: &Central,
        peer: IpAddr,
        headers: &HeaderMap,
        name: &str,
        password: &str,
    ) -> Result<HeaderValue, SignInError> {
        let now = central.now();
        let peer = self.proxies.client(peer, headers);
        // What is no name at all is counted as one, and cut, so that it cannot fill the memory.
        let asked: String = name.trim().to_lowercase().chars().take(64).collect();
        self.wait(&asked, peer, now)?;
        let turn = self.passwords.turn().await.ok_or(SignInError::Busy)?;
        // Whoever guesses at many passwords at once waits for the failures of those that were checked meanwhile.
        self.wait(&asked, peer, now)?;
        let name = name.parse::<AdminName>().ok();
        let admin = match &name {
            Some(name) => central.store().admin(name).await?,
            None => None,
        };
        let hash = admin.as_ref().filter(|_| password.len() <= MAX_PASSWORD).map(|admin| admin.password.as_str());
        let (_turn, right) = turn.check(password, hash).await.ok_or(SignInError::Busy)?;
        let Some(admin) = admin.filter(|_| right) else {
            self.throttle.lock().unwrap_or_else(PoisonError::into_inner).failed(&asked, peer, now);
            tracing::warn!(%peer, "a sign-in failed");
            return Err(SignInError::Wrong);
        };
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).succeeded(&asked, peer);
        end_presented(central, headers).await?;
        begin(central, admin.name, now).await
    }

    fn wait(&self, name: &str, peer: IpAddr, now: Timestamp) -> Result<(), SignInError> {
        match self.throttle.lock().unwrap_or_else(PoisonError::into_inner).waits_until(name, peer, now) {
            Some(until) => Err(SignInError::Throttled { seconds: until.duration_since(now).as_secs().max(1) }),
            None => Ok(()),
        }
    }

    /// Signs out: ends the session that `headers` carry, and gives the `Set-Cookie` header that removes the cookie.
    ///
    /// # Errors
    /// Where the store cannot end it.
    pub async fn sign_out(&self, central: &Central, headers: &HeaderMap) -> Result<HeaderValue, StoreError> {
        end_presented(central, headers).await?;
        Ok(set_cookie(central, "", 0))
    }
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
    Ok(set_cookie(central, &token, lifetime.as_secs()))
}

async fn end_presented(central: &Central, headers: &HeaderMap) -> Result<(), StoreError> {
    match presented(central, headers) {
        Some(token) => central.store().end_session(&token).await,
        None => Ok(()),
    }
}

/// The hash of the session that the cookies of a request name.
pub(super) fn presented(central: &Central, headers: &HeaderMap) -> Option<TokenHash> {
    let name = cookie_name(central);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(found, token)| *found == name && !token.is_empty())
        .map(|(_, token)| TokenHash::of(token.as_bytes()))
}

/// `__Host-` makes a browser refuse the cookie from anything but this very host over HTTPS. Plain HTTP is for the
/// loopback interface alone, see [`seatline_protocol::pairing::check_url`].
///
/// It is named after the program, as a browser keeps the cookies of a host's ports together.
fn cookie_name(central: &Central) -> &'static str {
    if is_https(central) { "__Host-seatline-central" } else { "seatline-central" }
}

fn is_https(central: &Central) -> bool {
    central.public_url().starts_with("https://")
}

fn set_cookie(central: &Central, token: &str, seconds: i64) -> HeaderValue {
    let secure = if is_https(central) { "; Secure" } else { "" };
    let name = cookie_name(central);
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).expect("a name, base64url and attributes are printable ASCII")
}

/// Where to go after sign-in: the page that was asked for if it is one of this server, else the first page. Whatever a
/// browser could read as the address of another host is not followed.
pub fn after_sign_in(next: Option<&str>) -> &str {
    let local = |next: &&str| {
        next.len() <= 500
            && next.starts_with('/')
            && !next.starts_with("//")
            && next.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'))
            && !next.starts_with("/sign-")
    };
    next.filter(local).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_of_another_host_is_followed_after_sign_in() {
        for good in ["/", "/applications/0a?tab=licenses", "/links#x"] {
            assert_eq!(after_sign_in(Some(good)), good);
        }
        let long = format!("/{}", "a".repeat(600));
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "",
            "/a\r\nSet-Cookie: x=y",
            "/sign-in?next=/",
            &long,
        ] {
            assert_eq!(after_sign_in(Some(bad)), "/", "{bad}");
        }
        assert_eq!(after_sign_in(None), "/");
    }
}
