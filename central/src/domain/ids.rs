//! The random names of things. No serial number is ever shown, so nothing can be counted or guessed from outside.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Declares an id of 96 random bits, written as 24 hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        seatline_protocol::checked_string!(
            $(#[$doc])*
            $name,
            $what,
            "24 hexadecimal digits in lower case",
            |text| text.len() == 24 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );

        impl $name {
            /// The id of 12 random bytes.
            pub fn from_random(random: [u8; 12]) -> Self {
                Self(hex(&random))
            }
        }
    };
}

random_id!(
    /// An application.
    ApplicationId,
    "an application id"
);
random_id!(
    /// An invite.
    InviteId,
    "an invite id"
);
random_id!(
    /// An API token; not its secret.
    TokenId,
    "a token id"
);

/// The SHA-256 of a secret that was handed out: of an invite, a session or an API token. The secret itself, 32 random
/// bytes, is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The hash as 64 hexadecimal digits, as the store keeps it.
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_nothing_else_is_one() {
        let id = ApplicationId::from_random([0xab; 12]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "abab", "ABABABABABABABABABABABAB", "../../../../../etc/passwd", "abababababababababababa\n"] {
            assert!(bad.parse::<ApplicationId>().is_err(), "{bad}");
        }
    }
}
