//! Passwords: argon2id, with the parameters that the `argon2` crate recommends (19 MiB, two passes).

use std::sync::Arc;
use std::time::Duration;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::central::{ActionError, random};

/// How many passwords are hashed at once: each takes 19 MiB and some 30 ms of a processor.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody knows, so that a name that does not exist costs as much as one that does.
    nobody: Arc<str>,
}

impl Passwords {
    /// Ready to check.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new() -> Result<Self, ActionError> {
        let password: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), nobody: hash(&password)?.into() })
    }

    /// Whether `password` has the hash `stored`; never, but as slowly, where there is no hash. `None` where too many
    /// passwords are being checked.
    pub async fn check(&self, password: &str, stored: Option<&str>) -> Option<bool> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await.ok()?.ok()?;
        let (password, known) = (zeroize::Zeroizing::new(password.to_owned()), stored.is_some());
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            Argon2::default().verify_password(password.as_bytes(), stored.as_str()).is_ok()
        });
        Some(checked.await.ok()? && known)
    }
}

/// The hash of a password with a salt of its own, as a PHC string. Takes some 30 ms.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn hash(password: &str) -> Result<String, ActionError> {
    let salt = random::<16>()?;
    let hash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| ActionError::invalid("password", error))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_held_against_its_own_hash_alone() {
        let passwords = Passwords::new().expect("ready");
        let stored = hash("correct horse battery").expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(passwords.check("correct horse battery", Some(&stored)).await, Some(true));
        assert_eq!(passwords.check("correct horse battery ", Some(&stored)).await, Some(false));
        assert_eq!(passwords.check("correct horse battery", None).await, Some(false));
        assert_eq!(passwords.check("x", Some("not a hash")).await, Some(false));
    }
}
