//! What a transaction is written against: statements with their values in, rows out.
//!
//! The SQL is what SQLite and PostgreSQL both take, with `?1`, `?2` … where a value goes. A driver prepares each
//! statement once for each of its connections.

use std::cell::Cell;

use jiff::Timestamp;

use super::row::Row;
use crate::store::{StoreError, Stored};

/// An open transaction, or a reader's view of the last commit. Transactions are synchronous functions over it, which
/// run on a thread where they may block.
pub(super) trait Session {
    /// Runs a statement, and gives how many rows it has changed.
    fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<u64>;
    /// Runs a statement whose count nobody needs: before the next one at the latest it has an effect, and before the
    /// commit it is known to have succeeded. PostgreSQL is not waited for.
    fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()>;
    /// As [`Self::run`], of a statement that writes one row and reads no other: `INSERT INTO … VALUES (…)`, with
    /// placeholders only there, which writes no row twice before something is asked; or `UPDATE … WHERE …` of the row
    /// that the first value, a text, names. PostgreSQL is given the rows of many as one statement: what others of these
    /// write to other tables may come before it.
    fn write_row(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        self.run(sql, params)
    }
    /// Waits until all that was [`Self::run`] has succeeded.
    fn settle(&self) -> Stored<()>;
    /// Gives each row of a query to `take`.
    fn each(&self, sql: &'static str, params: &[Param<'_>], take: &mut dyn FnMut(&Row<'_>) -> Stored<()>)
    -> Stored<()>;
}

impl dyn Session + '_ {
    /// The rows of a query, each read by `read`.
    pub(super) fn rows<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl Fn(&Row<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        let mut rows = Vec::new();
        self.each(sql, params, &mut |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The only row of a query, read by `read`, if it has one.
    pub(super) fn row<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl Fn(&Row<'_>) -> Stored<T>,
    ) -> Stored<Option<T>> {
        let mut found = None;
        self.each(sql, params, &mut |row| {
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether a query has any row.
    pub(super) fn exists(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<bool> {
        Ok(self.row(sql, params, |_| Ok(()))?.is_some())
    }
}

/// A session for one statement: a second one would see another commit.
pub(super) struct OneStatement<'s> {
    session: &'s dyn Session,
    is_spent: Cell<bool>,
}

impl<'s> OneStatement<'s> {
    pub(super) fn on(session: &'s dyn Session) -> Self {
        Self { session, is_spent: Cell::new(false) }
    }

    fn spend(&self) -> Stored<&'s dyn Session> {
        match self.is_spent.replace(true) {
            false => Ok(self.session),
            true => Err(StoreError::Unavailable("a defect of this program: a look runs one statement".into())),
        }
    }
}

impl Session for OneStatement<'_> {
    fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<u64> {
        self.spend()?.execute(sql, params)
    }

    fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        self.spend()?.run(sql, params)
    }

    fn settle(&self) -> Stored<()> {
        self.session.settle()
    }

    fn each(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Stored<()>,
    ) -> Stored<()> {
        self.spend()?.each(sql, params, take)
    }
}

/// The values of a statement, in the order of their numbers.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::session::Param::from($value)),*] };
}
pub(super) use params;

/// A value of a statement. Its type is known also where it is null.
#[derive(Debug, Clone, Copy)]
pub(super) enum Param<'p> {
    /// A `BIGINT`: also times, in milliseconds, and booleans, as 0 and 1.
    Integer(Option<i64>),
    /// A `TEXT`.
    Text(Option<&'p str>),
    /// Bytes: a `BLOB` of SQLite, a `BYTEA` of PostgreSQL.
    Bytes(Option<&'p [u8]>),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<u16> for Param<'_> {
    fn from(value: u16) -> Self {
        i64::from(value).into()
    }
}

impl From<u32> for Param<'_> {
    fn from(value: u32) -> Self {
        i64::from(value).into()
    }
}

/// The greatest number of SQL stands for all that are greater.
impl From<u64> for Param<'_> {
    fn from(value: u64) -> Self {
        i64::try_from(value).unwrap_or(i64::MAX).into()
    }
}

impl From<usize> for Param<'_> {
    fn from(value: usize) -> Self {
        i64::try_from(value).unwrap_or(i64::MAX).into()
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(time: Timestamp) -> Self {
        time.as_millisecond().into()
    }
}

impl<'p> From<&'p str> for Param<'p> {
    fn from(text: &'p str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'p> From<&'p String> for Param<'p> {
    fn from(text: &'p String) -> Self {
        text.as_str().into()
    }
}

impl<'p> From<&'p [u8]> for Param<'p> {
    fn from(bytes: &'p [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        i64::from(value).into()
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<Option<u64>> for Param<'_> {
    fn from(value: Option<u64>) -> Self {
        value.map_or(Self::Integer(None), Self::from)
    }
}

impl From<Option<Timestamp>> for Param<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Integer(None), Self::from)
    }
}

impl<'p> From<Option<&'p str>> for Param<'p> {
    fn from(text: Option<&'p str>) -> Self {
        Self::Text(text)
    }
}

impl<'p> From<Option<&'p [u8]>> for Param<'p> {
    fn from(bytes: Option<&'p [u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'p> From<&'p Option<String>> for Param<'p> {
    fn from(text: &'p Option<String>) -> Self {
        text.as_deref().into()
    }
}
