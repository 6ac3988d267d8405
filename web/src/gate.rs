//! The check of a name and a password: a few at a time, and slower for whoever guesses.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use jiff::Timestamp;

use crate::password::{MAX_PASSWORD, PasswordError, Passwords};
use crate::peer::Proxies;
use crate::throttle::Throttle;

/// Why nobody is let in. What is shown never tells whether the name or the password was wrong.
#[derive(Debug, thiserror::Error)]
pub enum GateError<E> {
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
    Store(E),
}

/// Who tries to get in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The name that was typed.
    pub name: &'a str,
    /// The password that was typed.
    pub password: &'a str,
}

/// What a sign-in needs beside the store. Cloning it is cheap: all clones share the same counters.
#[derive(Clone)]
pub struct Gate {
    passwords: Passwords,
    throttle: Arc<Mutex<Throttle>>,
    proxies: Proxies,
}

impl Gate {
    /// A gate that has seen no failure yet.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new() -> Result<Self, PasswordError> {
        Ok(Self { passwords: Passwords::new()?, throttle: Arc::default(), proxies: Proxies::default() })
    }

    /// The gate behind these reverse proxies.
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Who sent a request that came from `peer`: the other end of the connection, or whom a trusted proxy names.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer, headers)
    }

    /// Lets pass whoever knows the password of the account that `account` finds, and gives the account. `hash` is the
    /// account's, as [`crate::password::hash`] made it.
    ///
    /// # Errors
    /// See [`GateError`].
    pub async fn check<A, E>(
        &self,
        attempt: Attempt<'_>,
        now: Timestamp,
        account: impl AsyncFnOnce() -> Result<Option<A>, E>,
        hash: impl FnOnce(&A) -> &str,
    ) -> Result<A, GateError<E>> {
        let peer = self.proxies.client(attempt.peer, attempt.headers);
        // What is no name at all is counted as one, and cut, so that it cannot fill the memory.
        let asked: String = attempt.name.trim().to_lowercase().chars().take(64).collect();
        self.wait(&asked, peer, now)?;
        let turn = self.passwords.turn().await.ok_or(GateError::Busy)?;
        // Whoever guesses at many passwords at once waits for the failures of those that were checked meanwhile.
        self.wait(&asked, peer, now)?;
        let account = account().await.map_err(GateError::Store)?;
        let stored = account.as_ref().filter(|_| attempt.password.len() <= MAX_PASSWORD).map(hash);
        let (_turn, right) = turn.check(attempt.password, stored).await.ok_or(GateError::Busy)?;
        let Some(account) = account.filter(|_| right) else {
            self.throttle().failed(&asked, peer, now);
            tracing::warn!(%peer, "a sign-in failed");
            return Err(GateError::Wrong);
        };
        self.throttle().succeeded(&asked, peer);
        Ok(account)
    }

    /// Lets pass whoever `is_right` recognises by the password that was typed: for passwords that are kept elsewhere.
    ///
    /// # Errors
    /// See [`GateError`].
    pub async fn check_by<E>(
        &self,
        attempt: Attempt<'_>,
        now: Timestamp,
        is_right: impl AsyncFnOnce() -> bool,
    ) -> Result<(), GateError<E>> {
        let peer = self.proxies.client(attempt.peer, attempt.headers);
        let asked: String = attempt.name.chars().take(64).collect();
        self.wait(&asked, peer, now)?;
        let _turn = self.passwords.turn().await.ok_or(GateError::Busy)?;
        self.wait(&asked, peer, now)?;
        if attempt.password.len() > MAX_PASSWORD || !is_right().await {
            self.throttle().failed(&asked, peer, now);
            tracing::warn!(%peer, "a confirmation failed");
            return Err(GateError::Wrong);
        }
        self.throttle().succeeded(&asked, peer);
        Ok(())
    }

    fn wait<E>(&self, name: &str, peer: IpAddr, now: Timestamp) -> Result<(), GateError<E>> {
        match self.throttle().waits_until(name, peer, now) {
            Some(until) => Err(GateError::Throttled { seconds: until.duration_since(now).as_secs().max(1) }),
            None => Ok(()),
        }
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
