//! Accounts of an identity provider by SCIM 2.0 (RFC 7643 and 7644), page by page: by cursor where the provider offers
//! it (RFC 9865), or else by index.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value as Json;
use ureq::http::Uri;

use super::error::SourceError;
use super::http::{Http, with_parameter};
use super::json::Pages;
use super::json::stream::{self, Wanted};
use super::record::Records;
use super::{Pass, TimeLimit};
use crate::config::accounts::fields::{Path, Truth};
use crate::config::accounts::scim::Provider;

const SCIM: &str = "application/scim+json, application/json";
/// Where it is noted in a user whether he is a member of the group: no attribute of his has this name.
const MEMBERSHIP: &str = "seatline\0member";
/// The most groups that may be inside a group.
const MAX_GROUPS: usize = 1000;
/// The most members of a group: sixteen bytes of each are kept.
const MAX_MEMBERS: usize = 2_000_000;

/// Gives every user of the provider to `pass`, and returns how many there were.
pub fn read_accounts(provider: &Provider, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let scim = Scim { http: Http::of(&provider.endpoint, limit)?, limit, max_members: MAX_MEMBERS };
    let by_cursor = scim.offers_cursors()?;
    let mut fields = provider.fields.clone();
    let members = provider.group.as_deref().map(|group| scim.members(group)).transpose()?;
    if members.is_some() {
        fields.licensed_access = Some(Truth::itself(Path { segments: vec![MEMBERSHIP.to_owned()] }));
    }
    let mut records = Records::of(Some(&fields));
    let rows = Cell::new(0);
    let mut take = |mut user: Json| {
        if let (Some(members), Some(object)) = (&members, user.as_object_mut()) {
            let is_member = object.get("id").and_then(Json::as_str).is_some_and(|id| members.hold(id));
            object.insert(MEMBERSHIP.to_owned(), Json::Bool(is_member));
        }
        let taken = pass.take(records.account(&user));
        rows.set(records.count());
        taken
    };
    let mut users = scim.url("/Users")?;
    if let Some(filter) = &provider.filter {
        users = scim.with(&users, "filter", filter)?;
    }
    users = scim.with(&users, "count", &provider.page_size.to_string())?;
    if by_cursor {
        scim.by_cursor(&users, &rows, &mut take)?
    } else {
        scim.by_index(&users, &rows, &mut take)?
    }
    Ok(rows.get())
}

/// A provider, within the time limit.
struct Scim {
    http: Http,
    limit: TimeLimit,
    max_members: usize,
}

type Take<'t> = &'t mut dyn FnMut(Json) -> Result<(), SourceError>;

/// The way to the list of an answer, and to what stands beside it.
fn way(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Scim {
    /// The URL of a resource.
    fn url(&self, path: &str) -> Result<Uri, SourceError> {
        let base = self.http.base().path().trim_end_matches('/');
        self.http.resolve(&format!("{base}{path}")).ok_or_else(|| self.wrong("has an address that takes no path"))
    }

    fn with(&self, url: &Uri, name: &str, value: &str) -> Result<Uri, SourceError> {
        with_parameter(url, name, value).ok_or_else(|| self.wrong("has an address that takes no parameter"))
    }

    fn wrong(&self, what: &str) -> SourceError {
        SourceError::Answer(format!("{} {what}", self.http.place()))
    }

    /// Whether pages can be had by cursor (RFC 9865, section 4). A provider that does not describe itself has none.
    fn offers_cursors(&self) -> Result<bool, SourceError> {
        let Some(answer) = self.http.find(&self.url("/ServiceProviderConfig")?, SCIM)? else { return Ok(false) };
        let wanted = Wanted { items: None, scalars: &[&way(&["pagination", "cursor"])] };
        let found = stream::read(answer.body, &wanted, self.limit, self.http.place(), || 0, &mut |_| Ok(()))?;
        Ok(found.scalars.into_iter().flatten().next().is_some_and(|offered| offered == "true"))
    }

    /// One page: how many were on it, how many there are, where it begins, and the next cursor.
    fn page(&self, url: &Uri, pages: &mut Pages, rows: &Cell<u64>, take: Take<'_>) -> Result<Page, SourceError> {
        pages.begin(&self.http)?;
        let answer = self.http.get(url, SCIM)?;
        let items = way(&["Resources"]);
        let scalars = [way(&["totalResults"]), way(&["startIndex"]), way(&["nextCursor"])];
        let scalars = scalars.each_ref().map(Vec::as_slice);
        let wanted = Wanted { items: Some(&items), scalars: &scalars };
        let mut read = 0;
        let mut element = |user: Json| {
            if read == 0 {
                pages.meets(&user, &self.http)?;
            }
            read += 1;
            take(user)
        };
        let found = stream::read(answer.body, &wanted, self.limit, self.http.place(), || rows.get(), &mut element)?;
        let mut scalars = found.scalars.into_iter();
        let mut next = || scalars.next().flatten();
        let number = |text: Option<String>| text.and_then(|number| number.parse::<u64>().ok());
        let (total, start) = (number(next()), number(next()));
        // Without a result there may be no list (RFC 7644, section 3.4.2).
        match found.has_items || total == Some(0) {
            true => Ok(Page { read, total, start, cursor: next().filter(|cursor| !cursor.is_empty()) }),
            false => Err(self.wrong("answers without a list of `Resources`")),
        }
    }

    fn by_index(&self, url: &Uri, rows: &Cell<u64>, take: Take<'_>) -> Result<(), SourceError> {
        let (mut pages, mut start) = (Pages::default(), 1);
        loop {
            let page = self.page(&self.with(url, "startIndex", &start.to_string())?, &mut pages, rows, &mut *take)?;
            let total = page.total.ok_or_else(|| self.wrong("does not say how many there are (`totalResults`)"))?;
            if page.read > 0 && page.start.is_some_and(|given| given != start) {
                return Err(self.wrong("gives another page than the one that was asked for"));
            }
            start += page.read;
            match (start > total, page.read) {
                (true, _) => return Ok(()),
                (false, 0) => return Err(self.wrong("gives fewer users than it says there are")),
                (false, _) => {}
            }
        }
    }

    fn by_cursor(&self, url: &Uri, rows: &Cell<u64>, take: Take<'_>) -> Result<(), SourceError> {
        let (mut pages, mut cursor) = (Pages::default(), String::new());
        loop {
            let page = self.page(&self.with(url, "cursor", &cursor)?, &mut pages, rows, &mut *take)?;
            let Some(next) = page.cursor else { return Ok(()) };
            pages.leads_to(&next, &self.http)?;
            cursor = next;
        }
    }

    /// Who is in the one group of this display name, or in a group inside it.
    fn members(&self, group: &str) -> Result<Members, SourceError> {
        let filter = format!("displayName eq {}", Json::from(group));
        let first = self.with(&self.with(&self.url("/Groups")?, "filter", &filter)?, "count", "2")?;
        let mut members = Members::default();
        let (mut inside, mut known) = (VecDeque::new(), HashSet::new());
        let total = self.group(&first, &["Resources", "*", "members"], &mut members, &mut inside)?;
        match total.as_deref() {
            Some("1") => {}
            Some("0") | None => return Err(self.wrong(&format!("has no group `{}`", super::short(group)))),
            Some(_) => return Err(self.wrong(&format!("has several groups `{}`", super::short(group)))),
        }
        while let Some(id) = inside.pop_front() {
            let id = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC).to_string();
            if known.len() >= MAX_GROUPS {
                return Err(self.wrong(&format!("has a group with more than {MAX_GROUPS} groups inside")));
            }
            if known.insert(id.clone()) {
                self.group(&self.url(&format!("/Groups/{id}"))?, &["members"], &mut members, &mut inside)?;
            }
        }
        Ok(members)
    }

    /// Notes the members of a group, and the groups inside it; gives how many groups the answer is about, if it says
    /// so.
    fn group(
        &self,
        url: &Uri,
        items: &[&str],
        members: &mut Members,
        inside: &mut VecDeque<String>,
    ) -> Result<Option<String>, SourceError> {
        let answer = self.http.get(url, SCIM)?;
        let (items, total) = (way(items), way(&["totalResults"]));
        let wanted = Wanted { items: Some(&items), scalars: &[&total] };
        let mut element = |member: Json| {
            let Some(id) = member.get("value").and_then(Json::as_str) else {
                return Err(self.wrong("has a group with a member that has no `value`"));
            };
            // An identity provider may name the kind of a member only in its address (RFC 7643, section 4.2).
            let kind = member.get("type").and_then(Json::as_str);
            let address = member.get("$ref").and_then(Json::as_str).unwrap_or_default();
            if kind.map_or(address.contains("/Groups/"), |kind| kind.eq_ignore_ascii_case("group")) {
                inside.push_back(id.to_owned());
            } else {
                members.add(id);
            }
            if members.count() > self.max_members {
                return Err(self.wrong(&format!("has a group with more than {} members", self.max_members)));
            }
            match inside.len() > MAX_GROUPS {
                true => Err(self.wrong(&format!("has a group with more than {MAX_GROUPS} groups inside"))),
                false => Ok(()),
            }
        };
        let found = stream::read(answer.body, &wanted, self.limit, self.http.place(), || 0, &mut element)?;
        Ok(found.scalars.into_iter().flatten().next())
    }
}

struct Page {
    read: u64,
    total: Option<u64>,
    start: Option<u64>,
    cursor: Option<String>,
}

/// The members of a group, of each 128 bits of a keyed hash of its id.
#[derive(Default)]
struct Members {
    hashers: [RandomState; 2],
    hashes: HashSet<[u64; 2]>,
}

impl Members {
    fn hash(&self, id: &str) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(id))
    }

    fn add(&mut self, id: &str) {
        self.hashes.insert(self.hash(id));
    }

    fn count(&self) -> usize {
        self.hashes.len()
    }

    fn hold(&self, id: &str) -> bool {
        self.hashes.contains(&self.hash(id))
    }
}

#[cfg(test)]
mod tests;
