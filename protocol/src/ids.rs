//! The names that documents use for things: each a type that only a checked value can make.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct IdError {
    what: &'static str,
    rule: &'static str,
}

impl IdError {
    /// The error of a text that is no `what`, with the rule that it breaks.
    pub const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }

    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        "invalid-id"
    }
}

/// Declares a checked string type: what it is, its rule in words, the predicate that decides, and, where that is not
/// the text itself, what is kept of a text. Who uses it depends on `serde`.
///
/// ```
/// seatline_protocol::checked_string!(
///     /// A colour.
///     Colour,
///     "a colour",
///     "a word in lower case",
///     |text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase()),
///     |text| text.trim().to_owned()
/// );
///
/// assert_eq!(" red ".parse::<Colour>().map(String::from).as_deref(), Ok("red"));
/// assert_eq!("RED".parse::<Colour>().unwrap_err().to_string(), "a colour must be a word in lower case");
/// ```
#[macro_export]
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr $(, $kept:expr)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// It as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(text: &str) -> Result<Self, $crate::IdError> {
                let valid: fn(&str) -> bool = $valid;
                $(
                    let kept: fn(&str) -> String = $kept;
                    let text = kept(text);
                    let text = text.as_str();
                )?
                if valid(text) { Ok(Self(text.to_owned())) } else { Err($crate::IdError::new($what, $rule)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::IdError;
            fn try_from(text: String) -> Result<Self, $crate::IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Whether `text` has 1 to `max` characters, starts with a lower-case letter, and holds only `a-z 0-9 - _ .`.
fn is_name(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether `text` is `groups` groups of four characters of Crockford's base 32, joined by hyphens.
fn is_grouped_base32(text: &str, groups: usize) -> bool {
    text.len() == groups * 5 - 1
        && text.bytes().enumerate().all(|(i, b)| if i % 5 == 4 { b == b'-' } else { BASE32.contains(&b) })
}

/// Crockford's base 32: no I, L, O and U, so that an id survives being read aloud.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `bytes` as groups of four base-32 characters, five bits of each byte.
fn grouped_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 5 / 4);
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(BASE32[usize::from(byte & 31)]));
    }
    text
}

checked_string!(
    /// A named quantity that a license can limit, such as `users` or `lines-of-code`.
    Dimension,
    "a dimension",
    "1 to 64 characters of a-z 0-9 - _ . that start with a letter",
    |text| is_name(text, 64)
);

impl Dimension {
    /// The dimension of counted accounts, which every product has.
    pub fn users() -> Self {
        Self("users".to_owned())
    }

    /// The dimension of running nodes of a cluster (`c8`).
    pub fn nodes() -> Self {
        Self("nodes".to_owned())
    }
}

checked_string!(
    /// A product or add-on, such as `acme-wiki`.
    ProductId,
    "a product id",
    "1 to 64 characters of a-z 0-9 - _ . that start with a letter",
    |text| is_name(text, 64)
);

checked_string!(
    /// A license, named by its vendor.
    LicenseId,
    "a license id",
    "1 to 64 characters of A-Z a-z 0-9 - _ .",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
);

impl LicenseId {
    /// A license id of 80 random bits.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(grouped_base32(&random))
    }
}

checked_string!(
    /// The identity of an instance of a product (`c7`): five groups of four characters, `B7K2-9QXM-…`.
    ServerId,
    "a server ID",
    "five groups of four characters (0-9 A-Z without I L O U), joined by hyphens",
    |text| is_grouped_base32(text, 5)
);

impl ServerId {
    /// A server ID of 100 random bits, taken from 20 random bytes.
    pub fn from_random(random: [u8; 20]) -> Self {
        Self(grouped_base32(&random))
    }
}

checked_string!(
    /// An application link, named by the central server: six groups of four characters.
    LinkId,
    "a link id",
    "six groups of four characters (0-9 A-Z without I L O U), joined by hyphens",
    |text| is_grouped_base32(text, 6)
);

impl LinkId {
    /// A link id of 120 random bits, taken from 24 random bytes.
    pub fn from_random(random: [u8; 24]) -> Self {
        Self(grouped_base32(&random))
    }
}

checked_string!(
    /// SHA-256 over exact bytes, as `sha256:` and 64 hexadecimal digits.
    Digest,
    "a digest",
    "`sha256:` and 64 hexadecimal digits",
    |text| text
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f')))
);

/// The digest of bytes that come piece by piece.
#[derive(Clone, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn digest(self) -> Digest {
        Digest::of_hash(self.0.finalize().into())
    }
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_hash(Sha256::digest(bytes).into())
    }

    /// The digest whose 32 bytes these are.
    pub fn of_hash(hash: [u8; 32]) -> Self {
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in hash {
            text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
            text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        }
        Self(text)
    }

    /// The 32 bytes: what [`Digest::of_hash`] takes.
    pub fn hash(&self) -> [u8; 32] {
        let digit = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 };
        let digits = self.hex().as_bytes();
        std::array::from_fn(|at| (digit(digits[2 * at]) << 4) | digit(digits[2 * at + 1]))
    }

    /// The 64 hexadecimal digits alone.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }
}

/// The greatest count, limit or other number of a document: what SQL's `bigint` and JSON's safe integers both hold.
pub const MAX_COUNT: u64 = (1 << 53) - 1;

/// The place of a report in the chain of its link: 1 for the first, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence number of the first report of a link.
    pub const FIRST: Self = Self(1);
    /// The greatest sequence number.
    pub const MAX: u64 = MAX_COUNT;

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The one after, or none at the end of the range.
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0 + 1).ok()
    }

    /// The one before, or none for the first.
    pub fn previous(self) -> Option<Self> {
        Self::try_from(self.0 - 1).ok()
    }
}

impl TryFrom<u64> for Sequence {
    type Error = IdError;
    fn try_from(number: u64) -> Result<Self, IdError> {
        if (1..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(IdError::new("a sequence number", "from 1 to 9007199254740991"))
        }
    }
}

impl From<Sequence> for u64 {
    fn from(sequence: Sequence) -> u64 {
        sequence.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_of_its_own_kind_and_no_other() {
        let server = ServerId::from_random([31; 20]).to_string();
        assert_eq!(server, "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert!(server.parse::<ServerId>().is_ok() && server.parse::<LinkId>().is_err());
        assert!(LinkId::from_random([0; 24]).as_str().parse::<LinkId>().is_ok());
        assert!("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZI".parse::<ServerId>().is_err(), "I is not in the alphabet");
    }

    #[test]
    fn a_dimension_is_a_short_lower_case_name() {
        for good in ["users", "lines-of-code", "a1_.x"] {
            assert!(good.parse::<Dimension>().is_ok(), "{good}");
        }
        for bad in ["", "Users", "1st", "-x", "a b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Dimension>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(digest.as_str().parse::<Digest>().is_ok());
        assert_eq!(Digest::of_hash(digest.hash()), digest);
        assert!(digest.as_str().to_uppercase().parse::<Digest>().is_err());
        let mut pieces = Digester::default();
        [b"a".as_slice(), b"", b"bc"].into_iter().for_each(|piece| pieces.update(piece));
        assert_eq!(pieces.digest(), digest);
    }

    #[test]
    fn a_sequence_stays_in_its_range() {
        assert_eq!(Sequence::FIRST.previous(), None);
        assert_eq!(Sequence::try_from(Sequence::MAX).expect("the greatest").next(), None);
        assert!(Sequence::try_from(0).is_err());
    }
}
