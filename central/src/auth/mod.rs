//! Who may look: administrators sign in with a password and get a session, programs carry an API token.
//!
//! A password is kept as its argon2id hash, a session and a token as the SHA-256 of their 32 random bytes. The guard
//! stands before every page and every API route, also before those that do not exist.

pub mod guard;
pub mod password;
pub mod peer;
pub mod session;
pub mod throttle;
pub mod token;

use std::sync::{Arc, Mutex};

use seatline_protocol::text;

use crate::central::{ActionError, Central};
use crate::domain::{Admin, AdminName};
pub use guard::{SignedIn, Via, require_sign_in};
pub use peer::{Peer, Proxies};
pub use session::{SignInError, after_sign_in};
use throttle::Throttle;

/// The least characters of a password.
pub const MIN_PASSWORD: usize = 12;
/// The most bytes of a password: hashing takes no more.
pub const MAX_PASSWORD: usize = 512;

/// What sign-in needs beside the store. Cloning it is cheap: all clones share the same counters.
#[derive(Clone)]
pub struct Gate {
    passwords: password::Passwords,
    throttle: Arc<Mutex<Throttle>>,
    proxies: Proxies,
}

impl Gate {
    /// A gate that has seen no failure yet.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new() -> Result<Self, ActionError> {
        Ok(Self { passwords: password::Passwords::new()?, throttle: Arc::default(), proxies: Proxies::default() })
    }

    /// The gate behind these reverse proxies.
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }
}

/// Adds an administrator.
///
/// # Errors
/// [`ActionError::Invalid`] for a name or password that breaks its rule; a conflict where the name is taken.
pub async fn create_admin(central: &Central, name: &str, password: &str) -> Result<Admin, ActionError> {
    let name: AdminName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
    if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
        let rule = format!("a password has at least {MIN_PASSWORD} characters, and at most {MAX_PASSWORD} bytes");
        return Err(ActionError::invalid("password", rule));
    }
    if password.chars().any(text::is_unprintable) {
        return Err(ActionError::invalid("password", "a password holds no control characters"));
    }
    let admin = Admin { name, password: password::hash(password)?, created_at: central.now() };
    central.store().add_admin(&admin).await?;
    Ok(admin)
}
