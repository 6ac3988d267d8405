//! A license key as a form sends it: pasted, or as a file; of the product, or of an add-on; for one node, or for all.

use axum::extract::multipart::Field;
use axum::extract::{Form, FromRequest, Multipart, Request};
use axum::http::header;
use seatline_protocol::{License, ProductId};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::pages::PageError;

/// What stands for any add-on in the field `of`.
pub const ANY_ADD_ON: &str = "*";

/// A license key as it was sent.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct KeySent {
    /// What was pasted, or what is in the file.
    pub key: Zeroizing<String>,
    /// The add-on whose field it was; empty for the product's own, [`ANY_ADD_ON`] for one that has none yet.
    pub of: String,
    /// The node that it is for; all of them where empty.
    pub node: String,
}

impl KeySent {
    /// The node that it is for, if it is for one alone.
    pub fn node(&self) -> Option<&str> {
        Some(self.node.as_str()).filter(|node| !node.is_empty())
    }

    /// Why the license does not belong into the field that it was sent from (`p1`).
    pub fn misplaced(&self, license: &License) -> Option<String> {
        let add_on = license.add_on_of.as_ref().map(|_| license.product.as_str());
        match (self.of.as_str(), add_on) {
            ("", Some(add_on)) => Some(format!(
                "this is a license of the add-on `{add_on}`, and this field is for the product's own: use the field of the \
                 add-on below"
            )),
            ("", None) => None,
            (of, None) => Some(format!(
                "this is a license of the product itself, and this field is for {}: use the product's field above",
                if of == ANY_ADD_ON { "add-ons".to_owned() } else { format!("the add-on `{}`", shown(of)) }
            )),
            (ANY_ADD_ON, Some(_)) => None,
            (of, Some(add_on)) if of == add_on => None,
            (of, Some(add_on)) => {
                Some(format!("this is a license of the add-on `{add_on}`, and this field is for `{}`", shown(of)))
            }
        }
    }
}

/// A name that came from outside, if it is one.
fn shown(of: &str) -> String {
    of.parse::<ProductId>().map_or_else(|_| "another one".to_owned(), |product| product.to_string())
}

impl<S: Send + Sync> FromRequest<S> for KeySent {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
        if content_type.is_some_and(|content_type| content_type.starts_with(b"multipart/form-data")) {
            let parts = Multipart::from_request(request, state).await;
            return of_parts(parts.map_err(|error| PageError::of_status(error.status()))?).await;
        }
        let sent = Form::<Self>::from_request(request, state).await;
        sent.map(|Form(sent)| sent).map_err(|error| PageError::of_status(error.into_response_status()))
    }
}

/// The status of what a form was refused with.
trait RefusedStatus {
    fn into_response_status(self) -> axum::http::StatusCode;
}

impl<T: axum::response::IntoResponse> RefusedStatus for T {
    fn into_response_status(self) -> axum::http::StatusCode {
        self.into_response().status()
    }
}

async fn of_parts(mut parts: Multipart) -> Result<KeySent, PageError> {
    let mut sent = KeySent::default();
    let mut file = Zeroizing::new(String::new());
    let refused = |error: axum::extract::multipart::MultipartError| PageError::of_status(error.status());
    while let Some(part) = parts.next_field().await.map_err(refused)? {
        match part.name().unwrap_or_default() {
            "key" => sent.key = text(part).await?,
            "file" => file = text(part).await?,
            "of" => sent.of = text(part).await?.to_string(),
            "node" => sent.node = text(part).await?.to_string(),
            _ => {}
        }
    }
    // What was typed goes first: a file that was chosen earlier stays chosen in some browsers.
    if sent.key.trim().is_empty() {
        sent.key = file;
    }
    Ok(sent)
}

/// The text of a part. What is no text is no key: it is refused by the same rule as any other nonsense.
async fn text(part: Field<'_>) -> Result<Zeroizing<String>, PageError> {
    let bytes = part.bytes().await.map_err(|error| PageError::of_status(error.status()))?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}
