//! `scim`: an identity provider that speaks SCIM 2.0.

use std::path::Path;

use super::super::document::{Found, Problem};
use super::fields::{self, Fields, Truth};
use super::http::{self, Endpoint};

/// The keys of the section, besides those of the endpoint.
pub(super) const KEYS: [&str; 4] = ["filter", "group", "page_size", "fields"];
/// The users that are asked for at once, where nothing else is said.
const DEFAULT_PAGE_SIZE: u64 = 100;

/// An identity provider, and who of its users is counted.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The address above `/Users`.
    pub endpoint: Endpoint,
    /// Which users (RFC 7644, section 3.4.2.2); none: all.
    pub filter: Option<String>,
    /// The display name of the group whose members may use the product; none: `fields` says who may.
    pub group: Option<String>,
    /// How many at once.
    pub page_size: u64,
    /// In which attributes the fields of an account are.
    pub fields: Fields,
}

impl Provider {
    /// Of the section; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&KEYS[..], &http::KEYS].concat())?;
        let text = |key: &'static str| section.find(key).map(|found| found.text().map(str::to_owned)).transpose();
        let fields = section.find("fields").map(|found| Fields::read(&found, Some(&usual()))).transpose()?;
        let fields = fields.unwrap_or_else(usual);
        let group = text("group")?;
        if group.is_some() && fields.licensed_access.is_some() {
            return Err(section.refuse("group", "cannot stand beside `licensed_access` in `fields`: both say who may"));
        }
        let page_size = section.find("page_size").map(|size| size.number(1..=10_000)).transpose()?;
        let endpoint = Endpoint::of(&section, base)?;
        if endpoint.url.query().is_some() {
            return Err(section.refuse("url", "must have no question mark: it is the address above `/Users`"));
        }
        let page_size = page_size.unwrap_or(DEFAULT_PAGE_SIZE);
        Ok(Self { endpoint, filter: text("filter")?, group, page_size, fields })
    }
}

/// The attributes of RFC 7643. It has none for the last sign-in.
fn usual() -> Fields {
    let attribute = |name: &str| fields::Path { segments: vec![name.to_owned()] };
    Fields {
        identity: vec![attribute("emails"), attribute("userName")],
        active: Some(Truth { missing: Some(true), ..Truth::itself(attribute("active")) }),
        licensed_access: None,
        last_seen: None,
        service_account: None,
    }
}
