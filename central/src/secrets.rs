//! Secrets that the server has to know in the clear and that any replica needs: the password of the mail server, what
//! webhooks are signed with. They stand in the store encrypted (ChaCha20-Poly1305) with a key that is made of the
//! server's sealing key (HKDF-SHA256), so that neither a backup nor the database alone discloses them, and nobody has
//! another file to keep.
//!
//! What is encrypted is bound to what it is for: a row that somebody copies to another place opens nothing there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use seatline_web::secret::random;
use zeroize::Zeroizing;

use crate::keyring::Keyring;

/// What the key is made for: another purpose has another key.
const PURPOSE: &[u8] = b"seatline/central/secrets/v1";

/// A secret in the store was not encrypted with this server's key, or not for this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored secret cannot be opened with this server's key: set it again")]
pub struct Unreadable;

/// Encrypts a secret that is for `place`.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn lock(keys: &Keyring, place: &str, secret: &str) -> Result<String, getrandom::Error> {
    // At random, 2^32 secrets could be kept before a nonce is feared to repeat; there are some dozens.
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut bytes = Zeroizing::new(secret.as_bytes().to_vec());
    let tag = key(keys)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut bytes)
        .map_err(|_| getrandom::Error::UNEXPECTED)?;
    Ok(BASE64.encode([&nonce, bytes.as_slice(), tag.as_ref()].concat()))
}

/// The secret that was encrypted for `place`.
///
/// # Errors
/// [`Unreadable`] where it was not.
pub fn unlock(keys: &Keyring, place: &str, locked: &str) -> Result<Zeroizing<String>, Unreadable> {
    let mut bytes = Zeroizing::new(BASE64.decode(locked).map_err(|_| Unreadable)?);
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(Unreadable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
    let opened = key(keys).open_in_place(nonce, Aad::from(place), sealed).map_err(|_| Unreadable)?;
    Ok(Zeroizing::new(std::str::from_utf8(opened).map_err(|_| Unreadable)?.to_owned()))
}

fn key(keys: &Keyring) -> LessSafeKey {
    let sealing = keys.secret().to_paserk();
    let secret = Salt::new(HKDF_SHA256, PURPOSE).extract(sealing.as_bytes());
    let made = secret.expand(&[], &CHACHA20_POLY1305).expect("HKDF gives keys of this length");
    LessSafeKey::new(UnboundKey::from(made))
}

#[cfg(test)]
mod tests {
    use seatline_protocol::SecretKey;
    use seatline_protocol::pairing::Secret;

    use super::*;

    fn keys(n: u8) -> Keyring {
        Keyring::new(SecretKey::from_seed(&[n; 32]), Secret::from_bytes([9; 32]))
    }

    #[test]
    fn a_secret_is_opened_with_its_key_and_for_its_place_alone() {
        let locked = lock(&keys(1), "channel/a", "hunter2").expect("locked");
        assert!(!locked.contains("hunter2"));
        assert_eq!(unlock(&keys(1), "channel/a", &locked).expect("opened").as_str(), "hunter2");
        assert_eq!(unlock(&keys(2), "channel/a", &locked), Err(Unreadable), "another server's key");
        assert_eq!(unlock(&keys(1), "channel/b", &locked), Err(Unreadable), "another channel's row");
        assert_ne!(lock(&keys(1), "channel/a", "hunter2").expect("locked"), locked, "the same secret does not show");
    }

    #[test]
    fn what_was_changed_or_cut_is_not_opened() {
        let locked = lock(&keys(1), "mail", "hunter2").expect("locked");
        let mut bytes = BASE64.decode(&locked).expect("base64");
        bytes[NONCE_LEN] ^= 1;
        for wrong in [BASE64.encode(&bytes), locked[..8].to_owned(), String::new(), "!".to_owned()] {
            assert_eq!(unlock(&keys(1), "mail", &wrong), Err(Unreadable), "{wrong}");
        }
    }
}
