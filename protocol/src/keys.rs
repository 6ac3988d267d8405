//! Ed25519 keys as PASERK strings: `k4.public.…`, `k4.secret.…` and the key id `k4.pid.…`.
//!
//! Source: the PASERK specification, types `public`, `secret` and `pid`, version 4.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use blake2::digest::consts::U33;
use blake2::{Blake2b, Digest as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text has another prefix than the kind of key that was asked for.
    #[error("this is not a {expected} key: it must start with `{expected}.`")]
    WrongType {
        /// The prefix that was expected, such as `k4.public`.
        expected: &'static str,
    },
    /// The rest of the text is not the base64url of a key.
    #[error("the key is damaged: {0}")]
    Damaged(&'static str),
}

impl KeyError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongType { .. } => "key-wrong-type",
            Self::Damaged(_) => "key-damaged",
        }
    }
}

/// The bytes after `prefix.`, decoded.
fn decode<const N: usize>(text: &str, prefix: &'static str) -> Result<Zeroizing<[u8; N]>, KeyError> {
    let body = text
        .trim()
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('.'))
        .ok_or(KeyError::WrongType { expected: prefix })?;
    let bytes = Zeroizing::new(BASE64.decode(body).map_err(|_| KeyError::Damaged("it is not base64url"))?);
    let array = <[u8; N]>::try_from(bytes.as_slice()).map_err(|_| KeyError::Damaged("it has a wrong length"))?;
    Ok(Zeroizing::new(array))
}

/// The id of a public key, `k4.pid.…`: what a token names the key by that sealed it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 33]);

impl KeyId {
    const PREFIX: &'static str = "k4.pid";

    fn of_text(public_key: &str) -> Self {
        let hash = Blake2b::<U33>::new().chain_update(b"k4.pid.").chain_update(public_key);
        Self(hash.finalize().into())
    }

    /// Eight groups of four characters, for two people to compare aloud.
    pub fn fingerprint(&self) -> String {
        let hex: String = self.0[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let groups: Vec<&str> = (0..8).map(|i| &hex[i * 4..i * 4 + 4]).collect();
        groups.join(" ")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Self::PREFIX, BASE64.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        decode::<33>(text, Self::PREFIX).map(|bytes| Self(*bytes))
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

/// A public key, and its id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    const PREFIX: &'static str = "k4.public";

    /// The key's id: BLAKE2b of 264 bits over `k4.pid.` and the key's text (PASERK `pid`).
    pub fn id(&self) -> KeyId {
        KeyId::of_text(&self.to_string())
    }

    /// The id's fingerprint, for two people to compare.
    pub fn fingerprint(&self) -> String {
        self.id().fingerprint()
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` over `message` is this key's, by the strict rules of `verify_strict` (no small-order keys).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Self::PREFIX, BASE64.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = decode::<32>(text, Self::PREFIX)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Damaged("it is not a point of the curve"))?;
        if key.is_weak() { Err(KeyError::Damaged("it is a weak key")) } else { Ok(Self(key)) }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

/// A secret key. Its memory is zeroed when it is dropped, and it never shows itself in `Debug`.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    const PREFIX: &'static str = "k4.secret";

    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut())?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The key as `k4.secret.…`, for a file of mode 0600.
    pub fn to_paserk(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(self.0.to_keypair_bytes());
        // The text is built in the room that it needs, so that no copy stays behind.
        let mut text = Zeroizing::new(String::with_capacity(Self::PREFIX.len() + 1 + 88));
        text.push_str(Self::PREFIX);
        text.push('.');
        BASE64.encode_string(bytes.as_slice(), &mut text);
        text
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().id())
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = decode::<64>(text, Self::PREFIX)?;
        let key = SigningKey::from_keypair_bytes(&bytes)
            .map_err(|_| KeyError::Damaged("its public half does not belong to it"))?;
        Ok(Self(key))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::Value;

    /// The bytes of a vector's hexadecimal digits.
    pub(crate) fn unhex<const N: usize>(hex: &str) -> Option<[u8; N]> {
        let digits = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        digits.collect::<Option<Vec<u8>>>()?.try_into().ok()
    }

    /// The published vectors of one PASERK type.
    fn vectors(prefix: &str) -> Vec<Value> {
        let file: Value = serde_json::from_str(include_str!("../tests/vectors/paserk-k4.json")).expect("the vectors");
        let all = file["tests"].as_array().expect("a list").iter();
        all.filter(|vector| vector["name"].as_str().is_some_and(|name| name.starts_with(prefix))).cloned().collect()
    }

    fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
        vector[field].as_str().expect("a text of the vector")
    }

    #[test]
    fn a_key_id_is_the_published_one() {
        let vectors = vectors("k4.pid-");
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            // A key of a wrong length has no text, and so no id.
            let public_key = unhex::<32>(text(&vector, "key")).map(|key| format!("k4.public.{}", BASE64.encode(key)));
            let id = public_key.map(|text| KeyId::of_text(&text).to_string());
            assert_eq!(id.as_deref(), vector["paserk"].as_str(), "{}", vector["name"]);
        }
    }

    #[test]
    fn the_published_public_keys_are_read_and_then_refused_because_no_one_can_hold_them() {
        let vectors = vectors("k4.public-");
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let Some(paserk) = vector["paserk"].as_str() else {
                let key = unhex::<49>(text(&vector, "key")).expect("the key of another version");
                assert!(format!("k4.public.{}", BASE64.encode(key)).parse::<PublicKey>().is_err());
                continue;
            };
            // They show the encoding: one is of small order, the others are no points of the curve.
            let bytes = decode::<32>(paserk, PublicKey::PREFIX).expect("the encoding");
            assert_eq!(Some(*bytes), unhex(text(&vector, "key")), "{}", vector["name"]);
            assert_eq!(paserk.parse::<PublicKey>().expect_err("no key").code(), "key-damaged", "{}", vector["name"]);
        }
    }

    #[test]
    fn a_secret_key_has_the_published_text() {
        let vectors = vectors("k4.secret-");
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let Some(paserk) = vector["paserk"].as_str() else {
                let key = text(&vector, "key").as_bytes().chunks(2);
                let key: Vec<u8> = key.flat_map(|pair| unhex::<1>(std::str::from_utf8(pair).ok()?)).flatten().collect();
                assert!(format!("k4.secret.{}", BASE64.encode(key)).parse::<SecretKey>().is_err());
                continue;
            };
            let key = SecretKey::from_seed(&unhex(text(&vector, "secret-key-seed")).expect("a seed"));
            assert_eq!(key.to_paserk().as_str(), paserk, "{}", vector["name"]);
            assert_eq!(Some(*key.public().as_bytes()), unhex(text(&vector, "public-key")), "{}", vector["name"]);
            assert_eq!(paserk.parse::<SecretKey>().expect("a secret key").public(), key.public());
        }
    }

    #[test]
    fn a_key_survives_its_text() {
        let secret = SecretKey::from_seed(&[7; 32]);
        let again: SecretKey = secret.to_paserk().parse().expect("its own text");
        assert_eq!(again.public(), secret.public());
        assert_eq!(secret.public().to_string().parse(), Ok(secret.public()));
        assert_eq!(secret.public().id().to_string().parse(), Ok(secret.public().id()));
    }

    #[test]
    fn a_key_of_another_kind_is_refused_by_name() {
        let secret = SecretKey::from_seed(&[7; 32]);
        let error = secret.to_paserk().parse::<PublicKey>().expect_err("a secret key is no public key");
        assert_eq!(error.code(), "key-wrong-type");
        let text = secret.public().to_string();
        assert_eq!(text[..text.len() - 2].parse::<PublicKey>().expect_err("cut off").code(), "key-damaged");
    }

    #[test]
    fn a_secret_key_never_shows_itself() {
        let secret = SecretKey::from_seed(&[7; 32]);
        assert_eq!(format!("{secret:?}"), format!("SecretKey({})", secret.public().id()));
    }

    #[test]
    fn a_small_order_public_key_is_refused() {
        let identity = format!("k4.public.{}", BASE64.encode([&[1u8][..], &[0; 31]].concat()));
        assert_eq!(identity.parse::<PublicKey>(), Err(KeyError::Damaged("it is a weak key")));
    }
}
