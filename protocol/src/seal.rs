//! Sealing and opening documents: PASETO `v4.public` with a PASERK key id in the footer.
//!
//! There is no algorithm field to confuse, and the document's purpose is the implicit assertion: a receipt never opens
//! as a license. What is opened is verified first, parsed then, and checked by the document's own rules last.
//!
//! Source: the PASETO specification, version 4, purpose `public`; the token itself is made in `paseto.rs`.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyId, PublicKey, SecretKey};
use crate::paseto::{HEADER, Malformed, Token, assemble, footer_of, sign};
use crate::repeat::{self, Entry, Repeat};
use crate::report::Report;
use crate::text;

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
const PURPOSES: [&str; 16] = [
    crate::License::PURPOSE,
    crate::Invite::PURPOSE,
    crate::Join::PURPOSE,
    crate::Welcome::PURPOSE,
    crate::Report::PURPOSE,
    crate::Repeat::PURPOSE,
    crate::Receipt::PURPOSE,
    crate::Settings::PURPOSE,
    crate::PseudonymKey::PURPOSE,
    crate::Continuity::PURPOSE,
    crate::Rotation::PURPOSE,
    crate::rotation::Succession::PURPOSE,
    crate::Wait::PURPOSE,
    crate::Removal::PURPOSE,
    crate::evidence::EvidenceSection::PURPOSE,
    crate::evidence::EvidenceManifest::PURPOSE,
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
///
/// ```
/// use seatline_protocol::{License, SecretKey, seal};
///
/// # let license: License = serde_json::from_str(r#"{"id": "L-1", "product": "acme-wiki", "kind": "commercial",
/// #     "licensee": "Example Ltd", "issued": "2026-01-01T00:00:00Z"}"#)?;
/// let key = SecretKey::generate()?;
/// let token = seal::seal(&license, &key)?;
/// assert!(token.starts_with("v4.public."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use seatline_protocol::{License, SecretKey, seal};
///
/// # let license: License = serde_json::from_str(r#"{"id": "L-1", "product": "acme-wiki", "kind": "commercial",
/// #     "licensee": "Example Ltd", "issued": "2026-01-01T00:00:00Z"}"#)?;
/// # let key = SecretKey::generate()?;
/// # let token = seal::seal(&license, &key)?;
/// let opened: License = seal::open(&token, &[key.public()])?;
/// assert_eq!(opened, license);
/// assert_eq!(seal::open::<License>(&token, &[]).map_err(|error| error.code()), Err("unknown-key"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open<T: Document>(token: &str, keys: &[PublicKey]) -> Result<T, OpenError> {
    let unopened = Unopened::read(token)?;
    unopened.open(unopened.key_among(keys)?)
}

/// A sealed document that was read and not verified: it says whose key to look for, and nothing else.
pub struct Unopened<T> {
    parts: Parts,
    kind: PhantomData<fn() -> T>,
}

impl<T: Document> Unopened<T> {
    /// Reads a token.
    ///
    /// # Errors
    /// As [`open`], for the form of the text alone.
    pub fn read(token: &str) -> Result<Self, OpenError> {
        Ok(Self { parts: Parts::of(token, T::MAX_BYTES)?, kind: PhantomData })
    }

    /// The id of the key that the document says it was sealed by.
    pub fn key_id(&self) -> &KeyId {
        &self.parts.footer.kid
    }

    /// The bytes of the signature, whether it holds or not.
    pub fn signature(&self) -> &[u8; 64] {
        &self.parts.token.signature
    }

    /// The key of its key id.
    fn key_among<'k>(&self, keys: &'k [PublicKey]) -> Result<&'k PublicKey, OpenError> {
        let key = keys.iter().find(|key| key.id() == *self.key_id());
        key.ok_or_else(|| OpenError::UnknownKey { id: self.key_id().clone() })
    }

    /// Opens the document with the key that its key id led to.
    ///
    /// # Errors
    /// As [`open`]; with another key, that the signature does not hold.
    pub fn open(&self, key: &PublicKey) -> Result<T, OpenError> {
        self.parts.open(key)
    }
}

impl Unopened<Report> {
    /// Opens the report with the key that its key id led to: a repeat of another one may stand in its place.
    ///
    /// # Errors
    /// As [`open`]; and where a repeat is written in another form than the one that it has.
    pub fn open_entry(&self, key: &PublicKey) -> Result<Entry, OpenError> {
        if !self.parts.token.payload.starts_with(repeat::OPENING) {
            return self.open(key).map(Entry::from);
        }
        let repeat: Repeat = self.parts.open(key)?;
        let (Token { payload, footer, .. }, kid) = (&self.parts.token, self.key_id().clone());
        if to_json(&repeat)? != *payload || to_json(&Footer { kid, key: None })? != *footer {
            return Err(OpenError::Content("a repeat is written in one form alone".to_owned()));
        }
        Ok(Entry::Repeat(repeat))
    }
}

/// Opens a link of a chain that one of the trusted `keys` sealed: a report, or a repeat.
///
/// # Errors
/// As [`open`].
pub fn open_entry(token: &str, keys: &[PublicKey]) -> Result<Entry, OpenError> {
    let unopened = Unopened::<Report>::read(token)?;
    unopened.open_entry(unopened.key_among(keys)?)
}

/// Seals a link of a chain.
///
/// # Errors
/// As [`seal`].
pub fn seal_entry(entry: &Entry, key: &SecretKey) -> Result<String, OpenError> {
    match entry {
        Entry::Full(report) => seal(&**report, key),
        Entry::Repeat(repeat) => seal(repeat, key),
    }
}

/// The document that was sealed by a key of this id, made again of what it says and its signature.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn assembled<T: Document>(document: &T, key: &KeyId, signature: &[u8; 64]) -> Result<String, OpenError> {
    let footer = to_json(&Footer { kid: key.clone(), key: None })?;
    Ok(assemble(&to_json(document)?, signature, &footer))
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

/// What a document says that was opened before, and kept since: its seal is not looked at again.
///
/// # Errors
/// Where it is no such document.
pub fn read_again<T: Document>(token: &str) -> Result<T, OpenError> {
    Parts::of(token, T::MAX_BYTES)?.content()
}

/// The id of the key that a token says it was sealed by. Unverified: good for finding the key, for nothing else.
///
/// # Errors
/// As [`open`], for the form of the text alone.
pub fn key_id<T: Document>(token: &str) -> Result<KeyId, OpenError> {
    Unopened::<T>::read(token).map(|unopened| unopened.parts.footer.kid)
}

/// As [`key_id`], by the footer alone: the rest of the text is not looked at, and may be anything. None where there is
/// no footer of a sealed document.
pub fn claimed_key(token: &str) -> Option<KeyId> {
    let footer: Footer = serde_json::from_slice(&footer_of(token, MAX_FOOTER_BYTES)?).ok()?;
    Some(footer.kid)
}

/// A pasted document without what mail, forms and shells add: white space and invisible characters, quote marks at the
/// start of a line, `BEGIN` and `END` lines, quotation marks around it (`c1`).
///
/// Nothing of a document is ever taken away: what else the text holds stays, for [`open`] to refuse.
///
/// ```
/// let pasted = "-----BEGIN LICENSE-----\n> v4.public.AAAA\n> BBBB.CCCC\n-----END LICENSE-----\n";
/// assert_eq!(seatline_protocol::seal::unwrap_pasted(pasted), "v4.public.AAAABBBB.CCCC");
/// ```
pub fn unwrap_pasted(pasted: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || text::is_unprintable(c);
    let is_line_end = |c: char| matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let compact: String = pasted
        .split(is_line_end)
        .map(|line| line.trim_matches(is_gap).trim_start_matches(|c| c == '>' || is_gap(c)))
        .flat_map(str::chars)
        .filter(|c| !is_gap(*c))
        .collect();
    let mut document = compact.trim_matches(['"', '\'', '`']);
    // Only now, because a form of one line joins the `BEGIN` line to the document, and a mail may have wrapped it too.
    if let Some((armour, _)) = document.split_once(HEADER).filter(|(armour, _)| armour.starts_with("--")) {
        document = &document[armour.len()..];
    }
    if let Some((whole, _)) = document.split_once("-----END") {
        // The base64 of a footer never ends in a dash.
        document = whole.trim_end_matches('-');
    }
    document.to_owned()
}

/// A token with a footer of ours, not verified.
struct Parts {
    token: Token,
    footer: Footer,
}

impl Parts {
    fn of(text: &str, max: usize) -> Result<Self, OpenError> {
        if text.is_empty() {
            return Err(OpenError::Empty);
        }
        if text.len() > max {
            return Err(OpenError::TooLarge { max });
        }
        let token = Token::parse(text).map_err(|malformed| match malformed {
            Malformed::NotAToken => OpenError::NotADocument,
            Malformed::CutOff => OpenError::Truncated,
            Malformed::Damaged(reason) => OpenError::Damaged(reason),
        })?;
        if token.footer.len() > MAX_FOOTER_BYTES {
            return Err(OpenError::Damaged("its footer is longer than a key id"));
        }
        let footer = serde_json::from_slice(&token.footer).map_err(|error| {
            if error.is_eof() { OpenError::Truncated } else { OpenError::Damaged("its footer is not a key id") }
        })?;
        Ok(Self { token, footer })
    }

    fn open<T: Document>(&self, key: &PublicKey) -> Result<T, OpenError> {
        let holds = |purpose: &str| self.token.verifies(key, purpose.as_bytes());
        if !holds(T::PURPOSE) {
            let other = PURPOSES.iter().copied().find(|purpose| holds(purpose));
            return Err(match other {
                Some(found) => OpenError::WrongPurpose { expected: short_name(T::PURPOSE), found: short_name(found) },
                None => OpenError::BadSignature,
            });
        }
        self.content()
    }

    fn content<T: Document>(&self) -> Result<T, OpenError> {
        let document: T = serde_json::from_slice(&self.token.payload)
            .map_err(|error| OpenError::Content(text::line(&error.to_string(), 200)))?;
        document.check().map_err(OpenError::Content)?;
        Ok(document)
    }
}

/// `report` of `seatline/report/v1`.
fn short_name(purpose: &'static str) -> &'static str {
    purpose.split('/').nth(1).unwrap_or(purpose)
}
