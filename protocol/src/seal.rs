//! Sealing and opening documents: PASETO `v4.public` with a PASERK key id in the footer.
//!
//! There is no algorithm field to confuse, and the document's purpose is the implicit assertion: a receipt never opens
//! as a license. What is opened is verified first, parsed then, and checked by the document's own rules last.
//!
//! Source: the PASETO specification, version 4, purpose `public`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyId, PublicKey, SecretKey};
use crate::text;

const HEADER: &str = "v4.public.";
const SIGNATURE_BYTES: usize = 64;
/// A footer holds a key id and at most a public key; a longer one is not ours, and is not parsed before the seal holds.
const MAX_FOOTER_BYTES: usize = 256;

/// A kind of sealed document.
pub trait Document: Serialize + DeserializeOwned {
    /// What the document is for, and its version: the implicit assertion of its seal, such as `seatline/report/v1`.
    const PURPOSE: &'static str;
    /// The greatest length of a sealed document of this kind, in bytes.
    const MAX_BYTES: usize;

    /// The rules that its types alone do not hold.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    fn check(&self) -> Result<(), String>;
}

/// The purposes of all documents, to say what a document is that was given in another's place.
const PURPOSES: [&str; 7] = [
    crate::License::PURPOSE,
    crate::Invite::PURPOSE,
    crate::Join::PURPOSE,
    crate::Welcome::PURPOSE,
    crate::Report::PURPOSE,
    crate::Receipt::PURPOSE,
    crate::Settings::PURPOSE,
];

/// Why a text is not a sealed document of the kind that was asked for, by a key that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no text.
    #[error("the text is empty: paste the whole key")]
    Empty,
    /// The text is longer than any document of this kind.
    #[error("the text is longer than {max} bytes, the most that this document may have")]
    TooLarge {
        /// The most bytes that the document may have.
        max: usize,
    },
    /// The text does not begin as a sealed document does.
    #[error("this is not a Seatline document: it must begin with `{HEADER}`")]
    NotADocument,
    /// The end of the text is missing.
    #[error("the text is cut off: copy it whole, up to its last character")]
    Truncated,
    /// The text is garbled in some other way.
    #[error("the text is damaged: {0}")]
    Damaged(&'static str),
    /// It was sealed by a key that is not trusted here.
    #[error("it was signed by the key {id}, which is not trusted here")]
    UnknownKey {
        /// The id of the key that the document names.
        id: KeyId,
    },
    /// The seal does not hold: the text was changed, or somebody else signed it.
    #[error("its signature does not hold: the text was changed, or is not from the owner of the key")]
    BadSignature,
    /// It is a document of another kind.
    #[error("this is a {found}, not a {expected}")]
    WrongPurpose {
        /// What was asked for, such as `license`.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The seal holds, and the content breaks a rule.
    #[error("it is signed, but its content is not valid: {0}")]
    Content(String),
}

impl OpenError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too-large",
            Self::NotADocument => "not-a-document",
            Self::Truncated => "truncated",
            Self::Damaged(_) => "damaged",
            Self::UnknownKey { .. } => "unknown-key",
            Self::BadSignature => "bad-signature",
            Self::WrongPurpose { .. } => "wrong-purpose",
            Self::Content(_) => "invalid-content",
        }
    }
}

/// The footer of a token, in PASETO's JSON form.
#[derive(Serialize, Deserialize)]
struct Footer {
    kid: KeyId,
    /// The key itself, in documents that introduce it (invite, join). It proves possession, and is no reason to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<PublicKey>,
}

/// Seals a document with `key`.
///
/// # Errors
/// The document's own [`Document::check`], or that it is larger than [`Document::MAX_BYTES`]: nothing is sealed that
/// could not be opened.
pub fn seal<T: Document>(document: &T, key: &SecretKey) -> Result<String, OpenError> {
    seal_with(document, key, None)
}

/// Seals a document that introduces its key, see [`open_introduced`].
///
/// # Errors
/// As [`seal`].
pub fn seal_introducing<T: Document>(document: &T, key: &SecretKey) -> Result<String, OpenError> {
    seal_with(document, key, Some(key.public()))
}

fn seal_with<T: Document>(document: &T, key: &SecretKey, introduce: Option<PublicKey>) -> Result<String, OpenError> {
    document.check().map_err(OpenError::Content)?;
    let payload = to_json(document)?;
    let footer = to_json(&Footer { kid: key.public().id(), key: introduce })?;
    let token = sign(key, &payload, &footer, T::PURPOSE.as_bytes());
    if token.len() > T::MAX_BYTES { Err(OpenError::TooLarge { max: T::MAX_BYTES }) } else { Ok(token) }
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, OpenError> {
    serde_json::to_vec(value).map_err(|error| OpenError::Content(error.to_string()))
}

/// Opens a document that one of the trusted `keys` sealed.
///
/// # Errors
/// The first reason why it is not such a document, see [`OpenError`].
pub fn open<T: Document>(token: &str, keys: &[PublicKey]) -> Result<T, OpenError> {
    let parts = Parts::of(token, T::MAX_BYTES)?;
    let key = keys
        .iter()
        .find(|key| key.id() == parts.footer.kid)
        .ok_or_else(|| OpenError::UnknownKey { id: parts.footer.kid.clone() })?;
    parts.open(key)
}

/// Opens a document that introduces its own key, and gives both. The seal proves that the sender holds the key, and
/// nothing else: whether to trust it is for a person, or a secret inside the document, to decide.
///
/// # Errors
/// As [`open`].
pub fn open_introduced<T: Document>(token: &str) -> Result<(T, PublicKey), OpenError> {
    let parts = Parts::of(token, T::MAX_BYTES)?;
    let key = parts.footer.key.clone().ok_or(OpenError::Damaged("it does not hold the key that it introduces"))?;
    if key.id() != parts.footer.kid {
        return Err(OpenError::Damaged("its key and its key id do not belong together"));
    }
    let document = parts.open(&key)?;
    Ok((document, key))
}

/// The id of the key that a token says it was sealed by. Unverified: good for finding the key, for nothing else.
///
/// # Errors
/// As [`open`], for the form of the text alone.
pub fn key_id<T: Document>(token: &str) -> Result<KeyId, OpenError> {
    Parts::of(token, T::MAX_BYTES).map(|parts| parts.footer.kid)
}

/// A pasted document without what mail and forms add: white space, quote marks at the start of a line, `BEGIN` and
/// `END` lines (`c1`).
pub fn unwrap_pasted(pasted: &str) -> String {
    pasted
        .lines()
        .map(|line| line.trim_start_matches(|c: char| c == '>' || c.is_whitespace() || text::is_unprintable(c)))
        .filter(|line| !line.starts_with("--"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && !text::is_unprintable(*c))
        .collect()
}

/// The parts of a token, decoded and not verified.
struct Parts {
    payload: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
    footer_bytes: Vec<u8>,
    footer: Footer,
}

impl Parts {
    fn of(token: &str, max: usize) -> Result<Self, OpenError> {
        if token.is_empty() {
            return Err(OpenError::Empty);
        }
        if token.len() > max {
            return Err(OpenError::TooLarge { max });
        }
        let Some(body) = token.strip_prefix(HEADER) else {
            return Err(if HEADER.starts_with(token) { OpenError::Truncated } else { OpenError::NotADocument });
        };
        let (signed, footer) = body.split_once('.').ok_or(OpenError::Truncated)?;
        let mut payload = BASE64.decode(signed).map_err(|_| OpenError::Damaged("its body is not base64url"))?;
        let at = payload
            .len()
            .checked_sub(SIGNATURE_BYTES)
            .ok_or(OpenError::Damaged("its body is shorter than a signature"))?;
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&payload[at..]);
        payload.truncate(at);
        if footer.len() > MAX_FOOTER_BYTES * 4 / 3 {
            return Err(OpenError::Damaged("its footer is longer than a key id"));
        }
        // The footer is the end of the text: one that is cut off is no base64 of a whole JSON object.
        if footer.bytes().any(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))) {
            return Err(OpenError::Damaged("its footer is not base64url"));
        }
        let footer_bytes = BASE64.decode(footer).map_err(|_| OpenError::Truncated)?;
        let footer = serde_json::from_slice(&footer_bytes).map_err(|error| {
            if error.is_eof() { OpenError::Truncated } else { OpenError::Damaged("its footer is not a key id") }
        })?;
        Ok(Self { payload, signature, footer_bytes, footer })
    }

    fn holds(&self, key: &PublicKey, purpose: &str) -> bool {
        let message = pae(&[HEADER.as_bytes(), &self.payload, &self.footer_bytes, purpose.as_bytes()]);
        key.verifies(&message, &self.signature)
    }

    fn open<T: Document>(&self, key: &PublicKey) -> Result<T, OpenError> {
        if !self.holds(key, T::PURPOSE) {
            let other = PURPOSES.iter().copied().find(|purpose| self.holds(key, purpose));
            return Err(match other {
                Some(found) => OpenError::WrongPurpose { expected: short_name(T::PURPOSE), found: short_name(found) },
                None => OpenError::BadSignature,
            });
        }
        let document: T = serde_json::from_slice(&self.payload)
            .map_err(|error| OpenError::Content(text::line(&error.to_string(), 200)))?;
        document.check().map_err(OpenError::Content)?;
        Ok(document)
    }
}

/// `report` of `seatline/report/v1`.
fn short_name(purpose: &'static str) -> &'static str {
    purpose.split('/').nth(1).unwrap_or(purpose)
}

/// A `v4.public` token over raw bytes.
fn sign(key: &SecretKey, payload: &[u8], footer: &[u8], assertion: &[u8]) -> String {
    let signature = key.sign(&pae(&[HEADER.as_bytes(), payload, footer, assertion]));
    let mut token = String::from(HEADER);
    BASE64.encode_string([payload, &signature[..]].concat(), &mut token);
    if !footer.is_empty() {
        token.push('.');
        BASE64.encode_string(footer, &mut token);
    }
    token
}

/// PASETO's pre-authentication encoding: the number of pieces, then each with its length, all as 64-bit little endian.
fn pae(pieces: &[&[u8]]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(8 + pieces.iter().map(|piece| 8 + piece.len()).sum::<usize>());
    encoded.extend((pieces.len() as u64).to_le_bytes());
    for piece in pieces {
        encoded.extend((piece.len() as u64).to_le_bytes());
        encoded.extend(*piece);
    }
    encoded
}
