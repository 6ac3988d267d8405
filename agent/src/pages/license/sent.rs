//! A license key as a form sends it: pasted, or as a file; of the product, or of an add-on; for one node, or for all.

use axum::extract::{FromRequest, Request};
use seatline_protocol::{License, ProductId};
use zeroize::Zeroizing;

use crate::pages::PageError;
use crate::pages::fields::Fields;

/// What stands for any add-on in the field `of`.
pub const ANY_ADD_ON: &str = "*";

/// A license key as it was sent.
#[derive(Default)]
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
        let sent = Fields::from_request(request, state).await?;
        Ok(Self {
            key: Zeroizing::new(sent.pasted("key", "file").to_owned()),
            of: sent.get("of").to_owned(),
            node: sent.get("node").to_owned(),
        })
    }
}
