//! Secrets that are handed out: 32 random bytes, of which the store keeps the hash alone.

use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// `N` random bytes from the operating system.
///
/// # Errors
/// Where it gives none.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret to be handed out: 32 random bytes in base64url.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn random_secret() -> Result<Zeroizing<String>, getrandom::Error> {
    let bytes = Zeroizing::new(random::<32>()?);
    Ok(Zeroizing::new(BASE64.encode(bytes.as_slice())))
}

/// The token of `Authorization: Bearer …`, if it begins with `prefix`.
pub fn bearer<'h>(headers: &'h HeaderMap, prefix: &str) -> Option<&'h str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(prefix)).then_some(token)
}

/// The SHA-256 of a secret that was handed out: of an invite, a session or an API token. The secret itself, 32 random
/// bytes, is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The hash as 64 hexadecimal digits, as a store keeps it.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl FromStr for TokenHash {
    type Err = HashError;
    fn from_str(text: &str) -> Result<Self, HashError> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(HashError);
        }
        for (i, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| HashError)?;
        }
        Ok(Self(hash))
    }
}

/// A text is not a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits")]
pub struct HashError;

/// Bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().expect("a value"));
        bearer(&headers, "slt_").map(str::to_owned)
    }

    #[test]
    fn a_bearer_token_of_ours_is_found_and_nothing_else() {
        assert_eq!(presented("Bearer slt_abc").as_deref(), Some("slt_abc"));
        assert_eq!(presented("bearer  slt_abc ").as_deref(), Some("slt_abc"));
        for other in ["", "Bearer", "Bearer abc", "Basic slt_abc", "slt_abc", "Bearerslt_abc"] {
            assert_eq!(presented(other), None, "{other}");
        }
    }

    #[test]
    fn a_hash_survives_its_text_and_nothing_else_is_one() {
        let hash = TokenHash::of(b"secret");
        assert_eq!(hash.hex().parse(), Ok(hash));
        let wide = "é".repeat(32);
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(63), &wide] {
            assert_eq!(bad.parse::<TokenHash>(), Err(HashError), "{bad}");
        }
    }
}
