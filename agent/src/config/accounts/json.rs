//! `json`: an endpoint that answers with accounts, or with a number, as JSON.

use std::path::Path;

use super::super::document::{Found, Problem};
use super::fields::{self, Fields};
use super::http::{self, Endpoint};

/// The keys of the section of accounts, besides those of the endpoint.
pub(super) const KEYS: [&str; 7] =
    ["items", "next", "next_parameter", "next_link", "page_parameter", "first_page", "offset_parameter"];

/// An endpoint that lists accounts.
#[derive(Debug, Clone)]
pub struct AccountEndpoint {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Where the list of accounts is in an answer; none: the answer is the list.
    pub items: Option<fields::Path>,
    /// How the next page is had.
    pub paging: Paging,
    /// Where the fields of an account are; none: each has the name that it has in Seatline, and there are no others.
    pub fields: Option<Fields>,
}

/// How the next page of a list is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// There is one page.
    Whole,
    /// The answer holds its URL there.
    Url(fields::Path),
    /// The answer holds a cursor there, which goes into this parameter.
    Cursor(fields::Path, String),
    /// The header `Link` holds its URL (RFC 8288).
    Link,
    /// Its number goes into this parameter, and the first has this number. A page without accounts is behind the last.
    Number(String, u64),
    /// The number of accounts before it goes into this parameter. A page without accounts is behind the last.
    Offset(String),
}

/// An endpoint that answers with a number.
#[derive(Debug, Clone)]
pub struct NumberEndpoint {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Where the number is in the answer; none: the answer is the number.
    pub value: Option<fields::Path>,
}

impl AccountEndpoint {
    /// Of the section; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&["fields"], &KEYS[..], &http::KEYS].concat())?;
        let place = |key: &'static str| section.find(key).map(|found| read_place(&found)).transpose();
        let text = |key: &'static str| section.find(key).map(|found| found.text().map(str::to_owned)).transpose();
        let first_page = section.find("first_page").map(|found| found.number(0..=1)).transpose()?;
        let has_link = section.find("next_link").map(|found| found.truth()).transpose()?.unwrap_or_default();
        let ways =
            (place("next")?, text("next_parameter")?, has_link, text("page_parameter")?, text("offset_parameter")?);
        let paging = match ways {
            (None, None, false, None, None) => Paging::Whole,
            (Some(next), None, false, None, None) => Paging::Url(next),
            (Some(next), Some(parameter), false, None, None) => Paging::Cursor(next, parameter),
            (None, None, true, None, None) => Paging::Link,
            (None, None, false, Some(page), None) => Paging::Number(page, first_page.unwrap_or(1)),
            (None, None, false, None, Some(offset)) => Paging::Offset(offset),
            (None, Some(_), ..) => return Err(section.refuse("next_parameter", "needs a `next` beside it")),
            _ => {
                let rule = "cannot stand beside another way to the next page: next, next_link, page_parameter, offset_parameter";
                let keys = ["offset_parameter", "page_parameter", "next_link"];
                let second = keys.into_iter().find(|key| section.find(key).is_some()).unwrap_or("next");
                return Err(section.refuse(second, rule));
            }
        };
        if first_page.is_some() && !matches!(paging, Paging::Number(..)) {
            return Err(section.refuse("first_page", "needs a `page_parameter` beside it"));
        }
        let fields = section.find("fields").map(|found| Fields::read(&found, None)).transpose()?;
        Ok(Self { endpoint: Endpoint::of(&section, base)?, items: place("items")?, paging, fields })
    }
}

impl NumberEndpoint {
    /// Of the section of a dimension; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&["value"], &http::KEYS[..]].concat())?;
        let value = section.find("value").map(|found| read_place(&found)).transpose()?;
        Ok(Self { endpoint: Endpoint::of(&section, base)?, value })
    }
}

fn read_place(found: &Found<'_, '_>) -> Result<fields::Path, Problem> {
    fields::Path::parse(found.text()?).map_err(|rule| found.refuse(rule))
}
