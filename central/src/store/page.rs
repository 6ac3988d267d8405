//! Pages of lists by keyset: a page names the place after which the next one begins, so a list of any length costs the
//! same everywhere, and rows that come and go in between shift nothing.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{StoreError, Stored};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last.
    pub next: Option<Cursor>,
}

/// The place of a row in its list. What it says is the list's own business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// The most bytes of a cursor: the longest place is that of an alert about 200 characters of four bytes.
const MAX_CURSOR_BYTES: usize = 1024;

impl Cursor {
    /// The cursor of a place. Lists make it; whoever reads a list passes on what he was given.
    pub fn new(place: impl Into<String>) -> Self {
        Self(place.into())
    }

    /// The place, unless no list gives it: longer than any, or with a character that no database holds.
    pub fn place(&self) -> Option<&str> {
        (self.0.len() <= MAX_CURSOR_BYTES && !self.0.contains('\0')).then_some(&self.0)
    }

    /// The place in a list that begins with the newest: a time in milliseconds, and the id `I` of what is of it; before
    /// all of the list without a cursor.
    pub(super) fn time_and_id<I: FromStr + Display>(after: Option<&Self>) -> Stored<(i64, String)> {
        let Some(after) = after else { return Ok((i64::MAX, String::new())) };
        let parsed = || {
            let (at, id) = after.place()?.split_once(' ')?;
            Some((at.parse().ok()?, id.parse::<I>().ok()?.to_string()))
        };
        parsed().ok_or(StoreError::Cursor)
    }

    /// The cursor as text, to be passed on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many rows a page has at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The most rows of a page.
    pub const MAX: u16 = 200;

    /// The size nearest to `rows` that is allowed: from 1 to [`PageSize::MAX`].
    pub fn new(rows: u32) -> Self {
        Self(u16::try_from(rows).unwrap_or(Self::MAX).clamp(1, Self::MAX))
    }

    /// What a query asks for to know whether there is a next page: one row more.
    pub fn rows_and_one(self) -> u32 {
        u32::from(self.0) + 1
    }

    /// The number of rows.
    pub fn rows(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

impl<T> Page<T> {
    /// The page of the first `size` of `rows`, of which one more than `size` were read, if there are so many; `place`
    /// says where a row stands.
    pub fn cut(mut rows: Vec<T>, size: PageSize, place: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > size.rows();
        rows.truncate(size.rows());
        let next = rows.last().filter(|_| more).map(|last| Cursor::new(place(last)));
        Self { items: rows, next }
    }
}
