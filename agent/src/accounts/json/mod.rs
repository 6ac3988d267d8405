//! Accounts and numbers from an endpoint that answers with JSON: in one list, or in pages.

pub mod stream;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use stream::{Found, Wanted};
use ureq::http::Uri;

use super::error::SourceError;
use super::http::{Http, next_link, with_parameter};
use super::record::Records;
use super::{Pass, TimeLimit};
use crate::config::accounts::json::{AccountEndpoint, NumberEndpoint, Paging};

/// The most pages of a list: with a hundred accounts on each, a million accounts.
pub const MAX_PAGES: usize = 10_000;
const JSON: &str = "application/json";

/// Gives every account that the endpoint lists to `pass`, and returns how many there were.
pub fn read_accounts(source: &AccountEndpoint, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let http = Http::of(&source.endpoint, limit)?;
    let mut records = Records::of(source.fields.as_ref());
    let mut pages = Pages::default();
    let items = source.items.as_ref().map_or(&[][..], |path| &path.segments);
    let next: &[&[String]] = match &source.paging {
        Paging::Url(path) | Paging::Cursor(path, _) => &[&path.segments],
        _ => &[],
    };
    let mut url = match &source.paging {
        Paging::Number(parameter, first) => numbered(http.base(), parameter, *first)?,
        Paging::Offset(parameter) => numbered(http.base(), parameter, 0)?,
        _ => http.base().clone(),
    };
    loop {
        pages.begin(&http)?;
        let answer = http.get(&url, JSON)?;
        let before = records.count();
        let wanted = Wanted { items: Some(items), scalars: next };
        let rows = std::cell::Cell::new(before);
        let link = next_link(&answer.headers).map(str::to_owned);
        let mut take = |account: serde_json::Value| {
            if records.count() == before {
                pages.meets(&account, &http)?;
            }
            let taken = pass.take(records.account(&account));
            rows.set(records.count());
            taken
        };
        let found = stream::read(answer.body, &wanted, limit, http.place(), || rows.get(), &mut take)?;
        if !found.has_items {
            return Err(SourceError::Answer(format!("{} answers without a list of accounts at `items`", http.place())));
        }
        let Found { scalars, .. } = found;
        let next = match &source.paging {
            Paging::Whole => None,
            Paging::Link => link.map(|link| (link, None)),
            Paging::Url(_) => scalars.into_iter().flatten().next().map(|url| (url, None)),
            Paging::Cursor(_, parameter) => {
                scalars.into_iter().flatten().next().map(|cursor| (cursor, Some(parameter.as_str())))
            }
            Paging::Number(..) | Paging::Offset(_) if records.count() == before => None,
            Paging::Number(parameter, first) => {
                Some(((first + pages.number as u64).to_string(), Some(parameter.as_str())))
            }
            Paging::Offset(parameter) => Some((records.count().to_string(), Some(parameter.as_str()))),
        };
        let Some((next, parameter)) = next.filter(|(next, _)| !next.is_empty()) else { return Ok(records.count()) };
        pages.leads_to(&next, &http)?;
        url = match parameter {
            None => http.resolve(&next),
            Some(parameter) => with_parameter(http.base(), parameter, &next),
        }
        .ok_or_else(|| SourceError::Answer(format!("{} names a next page that is no URL", http.place())))?;
    }
}

fn numbered(url: &Uri, parameter: &str, number: u64) -> Result<Uri, SourceError> {
    let missing = || SourceError::Answer("the endpoint's URL takes no parameter".to_owned());
    with_parameter(url, parameter, &number.to_string()).ok_or_else(missing)
}

/// The number that the endpoint answers with.
pub fn measure(source: &NumberEndpoint, limit: TimeLimit) -> Result<u64, SourceError> {
    let http = Http::of(&source.endpoint, limit)?;
    let answer = http.get(http.base(), JSON)?;
    let value = source.value.as_ref().map_or(&[][..], |path| &path.segments);
    let wanted = Wanted { items: None, scalars: &[value] };
    let found = stream::read(answer.body, &wanted, limit, http.place(), || 0, &mut |_| Ok(()))?;
    let number = found.scalars.into_iter().flatten().next().and_then(|number| number.parse().ok());
    number.ok_or(SourceError::NoNumber("the endpoint"))
}

/// The pages that came, so that none comes again and again.
#[derive(Default)]
pub struct Pages {
    /// How many have begun.
    pub number: usize,
    hasher: RandomState,
    seen: HashSet<u64>,
    first: Option<u64>,
}

impl Pages {
    /// Begins a page.
    ///
    /// # Errors
    /// When there were more than anybody has.
    pub fn begin(&mut self, http: &Http) -> Result<(), SourceError> {
        self.number += 1;
        if self.number > MAX_PAGES {
            return Err(SourceError::Pages(format!(
                "{} has more than {MAX_PAGES} pages: ask for larger ones",
                http.place()
            )));
        }
        Ok(())
    }

    /// Notes what leads to the next page.
    ///
    /// # Errors
    /// When it has led there before.
    pub fn leads_to(&mut self, next: &str, http: &Http) -> Result<(), SourceError> {
        if self.seen.insert(self.hasher.hash_one(next)) { Ok(()) } else { Err(again(http)) }
    }

    /// Notes the first account of a page.
    ///
    /// # Errors
    /// When the page before began with the same.
    pub fn meets(&mut self, account: &serde_json::Value, http: &Http) -> Result<(), SourceError> {
        let first = Some(self.hasher.hash_one(account.to_string()));
        if first == self.first {
            return Err(again(http));
        }
        self.first = first;
        Ok(())
    }
}

fn again(http: &Http) -> SourceError {
    SourceError::Pages(format!("{} gives the same page again, without end", http.place()))
}
