//! The exchange: the only conversation between a product and the central server.
//!
//! `POST /link/v1/exchange` takes an [`ExchangeRequest`] and answers an [`ExchangeResponse`], both as JSON. The same
//! two objects as files serve where there is no connection (`g4`).

mod refusal;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::Digest;
use crate::text;
pub use refusal::{Fate, RefusalCode};

/// The path of the exchange under the central server's URL.
pub const PATH: &str = "/link/v1/exchange";
/// The most bytes of a request's JSON.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// The most bytes of a response's JSON.
pub const MAX_RESPONSE_BYTES: usize = 1024 * 1024;
/// The most reports in one request.
pub const MAX_REPORTS: usize = 64;

/// What a product sends: sealed documents. `Debug` shows how long they are: a join holds a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRequest {
    /// A [`crate::Join`], until the welcome has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// [`crate::Report`]s and [`crate::Repeat`]s, in the order of their sequence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
    /// [`crate::Continuity`] statements that were not noted yet, the oldest first, at most
    /// [`crate::continuity::MAX_STATEMENTS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuity: Vec<String>,
    /// A [`crate::Rotation`] that was not answered yet. Reports of the same request may be sealed by the new key
    /// already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
}

/// What the central server answers: sealed documents, and a reason for each that it refused. `Debug` shows how long the
/// documents are: a welcome and a pseudonym key hold a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeResponse {
    /// A [`crate::Welcome`], in answer to a join, or for the new key in answer to a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<String>,
    /// The link's [`crate::Settings`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// The [`crate::PseudonymKey`] that the product is to turn to, until a report was made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym_key: Option<String>,
    /// A [`crate::Receipt`] for each stored report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<String>,
    /// The digests of the statements of continuity that are noted now, or were before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Digest>,
    /// A [`crate::Removal`], where the link was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<String>,
    /// Why a document was not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
}

impl ExchangeRequest {
    /// Everything sealed in it.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        let Self { join, reports, continuity, rotation } = self;
        join.iter().chain(rotation).chain(continuity).chain(reports).map(String::as_str)
    }
}

impl fmt::Debug for ExchangeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { join, reports, continuity, rotation } = self;
        f.debug_struct("ExchangeRequest")
            .field("join", &lengths(join))
            .field("reports", &lengths(reports))
            .field("continuity", &lengths(continuity))
            .field("rotation", &lengths(rotation))
            .finish()
    }
}

impl fmt::Debug for ExchangeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeResponse")
            .field("welcome", &lengths(&self.welcome))
            .field("settings", &lengths(&self.settings))
            .field("pseudonym_key", &lengths(&self.pseudonym_key))
            .field("receipts", &lengths(&self.receipts))
            .field("noted", &self.noted)
            .field("removal", &lengths(&self.removal))
            .field("refusals", &self.refusals)
            .finish()
    }
}

/// The bytes of each sealed document.
fn lengths<'a>(documents: impl IntoIterator<Item = &'a String>) -> Vec<usize> {
    documents.into_iter().map(String::len).collect()
}

/// Why the central server did not take a document. It is not sealed: it can hold things up, and lose nothing. Its texts
/// are capped and stripped as they are read, so that they are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which document: `exchange`, `join`, `report`, `statement`, `rotation` or `wait`.
    #[serde(deserialize_with = "name")]
    pub document: String,
    /// The index in `reports`, for a report, or in `continuity`, for a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// A stable code, see [`RefusalCode`]; unknown codes, and those of seals, are treated as [`Fate::Again`].
    #[serde(deserialize_with = "name")]
    pub code: String,
    /// One line for an administrator.
    #[serde(deserialize_with = "message")]
    pub message: String,
}

/// The most characters of a refusal's names.
const MAX_NAME: usize = 64;
/// The most characters of a refusal's message.
const MAX_MESSAGE: usize = 400;

impl Refusal {
    /// A refusal of one kind of document.
    pub fn new(document: &str, index: Option<usize>, code: &str, message: &str) -> Self {
        let [document, code] = [document, code].map(|name| text::line(name, MAX_NAME));
        Self { document, index, code, message: text::line(message, MAX_MESSAGE) }
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|read| text::line(&read, MAX_NAME))
}

fn message<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|read| text::line(&read, MAX_MESSAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_an_exchange_do_not_show_in_debug() {
        let sealed = || "v4.public.c2VjcmV0".to_owned();
        let request = ExchangeRequest {
            join: Some(sealed()),
            reports: vec![sealed()],
            continuity: vec![sealed()],
            rotation: Some(sealed()),
        };
        let response = ExchangeResponse {
            welcome: Some(sealed()),
            settings: Some(sealed()),
            pseudonym_key: Some(sealed()),
            receipts: vec![sealed()],
            ..Default::default()
        };
        let shown = format!("{request:?} {response:?}");
        assert!(!shown.contains("c2VjcmV0") && shown.contains("join: [18]"), "{shown}");
    }
}
