//! Passwords: argon2id, with the parameters that the `argon2` crate recommends (19 MiB, two passes).

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use argon2::{Argon2, Params, PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use seatline_protocol::text;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::secret::{random, random_secret};

/// The least characters of a password.
pub const MIN_PASSWORD: usize = 12;
/// The most bytes of a password: hashing takes no more.
pub const MAX_PASSWORD: usize = 512;
/// How many characters a password has that is made here: 144 random bits.
const MADE_PASSWORD: usize = 24;
/// How many passwords are hashed at once: each takes 19 MiB and some 30 ms of a processor.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a password has no hash.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is too short or too long.
    #[error("a password has at least {MIN_PASSWORD} characters, and at most {MAX_PASSWORD} bytes")]
    Length,
    /// It holds what nobody can type or see.
    #[error("a password holds no control characters")]
    Unprintable,
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// Checks passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    patience: Duration,
    /// The hash of a password that nobody knows, so that a name that does not exist costs as much as one that does.
    nobody: Arc<str>,
}

impl Passwords {
    /// Ready to check.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new() -> Result<Self, PasswordError> {
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), patience: PATIENCE, nobody: hash_of_nobody()?.into() })
    }

    /// A turn to check a password; `None` where too many are being checked.
    pub async fn turn(&self) -> Option<Turn> {
        let permit = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _permit: permit, nobody: Arc::clone(&self.nobody) })
    }
}

/// A turn to check a password. The next one begins when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
    nobody: Arc<str>,
}

impl Turn {
    /// Whether `password` has the hash `stored`; never, but as slowly, where there is no hash. `None` where the server
    /// ends meanwhile.
    pub async fn check(self, password: &str, stored: Option<&str>) -> Option<(Self, bool)> {
        let (password, known) = (Zeroizing::new(password.to_owned()), stored.is_some());
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        // The turn goes along: it lasts as long as the work, also where whoever asked is gone.
        let checked = tokio::task::spawn_blocking(move || {
            let right = Argon2::default().verify_password(password.as_bytes(), stored.as_str()).is_ok();
            (self, right && known)
        });
        checked.await.ok()
    }
}

/// The hash of a password with a salt of its own, as a PHC string. Takes some 30 ms.
///
/// # Errors
/// See [`PasswordError`].
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
        return Err(PasswordError::Length);
    }
    if password.chars().any(text::is_unprintable) {
        return Err(PasswordError::Unprintable);
    }
    let salt = random::<16>()?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.map_err(PasswordError::Hash)?.to_string())
}

/// What looks like the hash of a password, and is random: checking a password against it costs what any check costs.
/// None is made to get it, because the allocator keeps megabytes at hand for ever once it was asked for the memory of a
/// hash.
fn hash_of_nobody() -> Result<String, getrandom::Error> {
    let base64 = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let (salt, output) = (random::<16>()?, random::<{ Params::DEFAULT_OUTPUT_LEN }>()?);
    let (memory, passes, lanes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}", base64(&salt), base64(&output)))
}

/// A new password that nobody has to think of.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn make() -> Result<Zeroizing<String>, PasswordError> {
    Ok(Zeroizing::new(random_secret()?[..MADE_PASSWORD].to_owned()))
}

/// The password in the first line of `input`. What is too long is cut to a length that [`hash`] refuses.
///
/// # Errors
/// When it cannot be read.
pub fn read(input: impl BufRead) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    // A byte more than is allowed, and the line break.
    input.take(MAX_PASSWORD as u64 + 3).read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_held_against_its_own_hash_alone() {
        let passwords = Passwords::new().expect("ready");
        let stored = hash("correct horse battery").expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let check = async |password: &str, stored: Option<&str>| {
            let turn = passwords.turn().await.expect("it is free");
            turn.check(password, stored).await.expect("checked").1
        };
        assert!(check("correct horse battery", Some(&stored)).await);
        assert!(!check("correct horse battery ", Some(&stored)).await);
        assert!(!check("correct horse battery", None).await);
        assert!(!check("x", Some("not a hash")).await);
    }

    #[tokio::test]
    async fn so_many_passwords_are_checked_at_once_and_the_next_waits_for_its_turn_and_not_for_ever() {
        let passwords = Passwords { patience: Duration::from_millis(20), ..Passwords::new().expect("randomness") };
        let mut turns = Vec::new();
        for _ in 0..AT_ONCE {
            turns.push(passwords.turn().await.expect("a turn"));
        }
        assert!(passwords.turn().await.is_none(), "too many are being checked");
        let passwords = Passwords { patience: Duration::from_secs(60), ..passwords };
        let next = passwords.turn();
        let ((), next) = tokio::join!(async { drop(turns.pop()) }, next);
        assert!(next.is_some(), "one has ended");
    }

    #[test]
    fn a_name_that_does_not_exist_costs_as_much_as_one_that_does() {
        let (nobody, stored) = (hash_of_nobody().expect("random"), hash("correct horse battery").expect("hashed"));
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!((cost(&nobody), nobody.len()), (cost(&stored), stored.len()));
        let checked = Argon2::default().verify_password(b"correct horse battery", nobody.as_str());
        assert_eq!(checked, Err(argon2::password_hash::Error::PasswordInvalid), "it was read, hashed and compared");
    }

    #[test]
    fn a_password_is_the_first_line_and_one_that_is_too_long_stays_so() {
        let read = |text: &str| read(text.as_bytes()).expect("text").to_string();
        assert_eq!(read("correct horse\r\nmore"), "correct horse");
        assert_eq!(read(" as it is "), " as it is ");
        assert!(hash(&read(&"x".repeat(3 * MAX_PASSWORD))).is_err());
        let made = make().expect("made");
        assert!(hash(&made).is_ok() && made != make().expect("another"));
    }
}
