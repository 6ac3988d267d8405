//! Statements on a connection to PostgreSQL.
//!
//! A statement is prepared once for each connection. What is run without waiting goes out together with the next
//! statement that is waited for, rows of one table as one statement, and the locks of a group of writes are taken at
//! once: most groups cost two round trips and a commit, and a handful of statements, however many writes they hold.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use seatline_postgres::trouble::{self, Trouble};
use seatline_postgres::{Connection, QueryError};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Statement};

use super::gathered::{self, Gathered};
use super::placeholders;
use crate::store::sql::chain::{ALL_IN_FORCE, IN_FORCE};
use crate::store::sql::lock::{Lock, TURN, links};
use crate::store::sql::row::{Columns, Row, odd};
use crate::store::sql::session::{Param, Session};
use crate::store::{StoreError, Stored};

/// How many prepared statements a connection keeps; beyond that, all are prepared anew.
const PREPARED: usize = 512;
/// How many statements are run without waiting for any.
const UNSETTLED: usize = 1024;

/// A statement that was run, and was not waited for.
type Unsettled = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A connection that statements are run on.
#[derive(Debug)]
pub(in crate::store::sql) struct PostgresSession {
    prepared: RefCell<HashMap<(&'static str, Form), Statement>>,
    /// Rows that are to be written, before anything else is asked.
    gathered: RefCell<Gathered>,
    unsettled: RefCell<Unsettleds>,
    /// What was found of links where they were locked.
    ahead: RefCell<HashMap<String, tokio_postgres::Row>>,
    trouble: Cell<Option<Trouble>>,
    /// Last, so that it goes last: what is unsettled keeps its client.
    connection: Connection,
}

/// In which form a statement is prepared: as it is written, or made into one that writes many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    AsWritten,
    OfMany,
}

#[derive(Default)]
struct Unsettleds(Vec<Unsettled>);

impl std::fmt::Debug for Unsettleds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} statements", self.0.len())
    }
}

impl PostgresSession {
    /// Statements on `connection`.
    pub(super) fn new(connection: Connection) -> Self {
        let (prepared, gathered, unsettled, ahead, trouble) = Default::default();
        Self { prepared, gathered, unsettled, ahead, trouble, connection }
    }

    /// What went wrong last, since it was asked last.
    pub(super) fn take_trouble(&self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// Runs statements that begin, mark or end something, after all that was run before them.
    pub(in crate::store::sql) fn control(&self, sql: &str) -> Stored<()> {
        self.ask(async |client| client.batch_execute(sql).await)
    }

    /// As [`Self::control`], whatever became of what was run before.
    pub(super) fn control_anyway(&self, sql: &'static str) -> Stored<()> {
        self.ahead.borrow_mut().clear();
        self.gathered.take();
        let _ = self.settle();
        self.control(sql)
    }

    /// As [`Self::control`], without waiting.
    pub(super) fn control_unsettled(&self, sql: &'static str) -> Stored<()> {
        self.unsettle(move |client| Box::pin(async move { client.batch_execute(sql).await }))
    }

    /// Takes all `locks`, one after the other, and keeps what was found of each link for who asks that first. One question
    /// finds all links: each by itself would have the server send, and this thread wake up, as many times.
    pub(super) fn lock(&self, locks: &[&Lock]) -> Stored<()> {
        self.ahead.borrow_mut().clear();
        if locks.contains(&&Lock::Turn) {
            self.run(TURN, &[])?;
        }
        let links: Vec<&str> = links(locks).collect();
        if links.is_empty() {
            return Ok(());
        }
        let statement = self.prepared_for(ALL_IN_FORCE, Form::AsWritten, || vec![Type::TEXT_ARRAY])?;
        let found = self.ask(async |client| client.query(&statement, &[&links]).await)?;
        let mut ahead = self.ahead.borrow_mut();
        for row in found {
            ahead.insert(Row(&row).text("id")?, row);
        }
        Ok(())
    }

    /// What was found where a link was locked, for the first who asks that.
    fn answered_ahead(&self, sql: &'static str, params: &[Param<'_>]) -> Option<tokio_postgres::Row> {
        match params {
            [Param::Text(Some(link))] if sql == IN_FORCE => self.ahead.borrow_mut().remove(*link),
            _ => None,
        }
    }

    /// Runs what was gathered, without waiting.
    fn send_gathered(&self) -> Stored<()> {
        let gathered = self.gathered.borrow_mut().take();
        gathered.into_iter().try_for_each(|rows| {
            let statement = self.prepared_for(rows.sql, Form::OfMany, || rows.kinds)?;
            self.unsettle_now(|client| {
                Box::pin(async move { client.execute_raw(&statement, rows.columns).await.map(drop) })
            })
        })
    }

    fn unsettle(&self, statement: impl FnOnce(Arc<Client>) -> Unsettled) -> Stored<()> {
        self.send_gathered()?;
        self.unsettle_now(statement)
    }

    fn unsettle_now(&self, statement: impl FnOnce(Arc<Client>) -> Unsettled) -> Stored<()> {
        let Some(client) = self.connection.client() else { return self.ask(async |_| Ok(())) };
        self.unsettled.borrow_mut().0.push(statement(Arc::clone(client)));
        if self.unsettled.borrow().0.len() < UNSETTLED { Ok(()) } else { self.settle() }
    }

    /// Asks, after all that was run before: both go out at once, and the first error of either counts.
    fn ask<T>(&self, ask: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Stored<T> {
        self.send_gathered()?;
        let unsettled = std::mem::take(&mut self.unsettled.borrow_mut().0);
        let answer = self.connection.within(async |client| {
            let (mut waiting, mut failed) = (Vec::with_capacity(unsettled.len()), None);
            // A statement is sent when it is polled first, and the answers come in the same order.
            for mut statement in unsettled {
                match sent(statement.as_mut()).await {
                    Poll::Pending => waiting.push(statement),
                    Poll::Ready(answer) => failed = failed.or(answer.err()),
                }
            }
            let mut asking = pin!(ask(client));
            let asked = sent(asking.as_mut()).await;
            for statement in waiting {
                let answer = statement.await;
                failed = failed.or(answer.err());
            }
            let answer = match asked {
                Poll::Ready(answer) => answer,
                Poll::Pending => asking.await,
            };
            failed.map_or(answer, Err)
        });
        answer.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &QueryError) -> StoreError {
        let kind = trouble::kind(error);
        if kind == Trouble::Outdated {
            self.prepared.borrow_mut().clear();
        }
        self.trouble.set(Some(kind));
        StoreError::Unavailable(trouble::reason(error, "server").into())
    }

    fn prepared(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<Statement> {
        self.prepared_for(sql, Form::AsWritten, || params.iter().map(Param::kind).collect())
    }

    fn prepared_for(&self, sql: &'static str, form: Form, types: impl FnOnce() -> Vec<Type>) -> Stored<Statement> {
        if let Some(statement) = self.prepared.borrow().get(&(sql, form)) {
            return Ok(statement.clone());
        }
        let types = types();
        let text = match form {
            Form::AsWritten => Some(placeholders(sql)),
            Form::OfMany => gathered::of_many(sql, types.len()),
        };
        let text = text.ok_or_else(|| {
            StoreError::Unavailable(format!("a defect of this program: it does not write one row: {sql}").into())
        })?;
        let statement = self.ask(async |client| client.prepare_typed(&text, &types).await)?;
        let mut prepared = self.prepared.borrow_mut();
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert((sql, form), statement.clone());
        Ok(statement)
    }
}

/// Polls once.
async fn sent<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

impl Session for PostgresSession {
    fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<u64> {
        let statement = self.prepared(sql, params)?;
        self.ask(async |client| client.execute_raw(&statement, params.iter().copied()).await)
    }

    fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        let statement = self.prepared(sql, params)?;
        let values: Vec<Value> = params.iter().map(Value::of).collect();
        self.unsettle(|client| Box::pin(async move { client.execute_raw(&statement, values).await.map(drop) }))
    }

    fn write_row(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        if !self.gathered.borrow().has_room(sql, params) {
            self.send_gathered()?;
        }
        self.gathered.borrow_mut().add(sql, params);
        // Waited for, so that nothing piles up where rows are all that comes.
        if self.gathered.borrow().is_full() { self.settle() } else { Ok(()) }
    }

    fn settle(&self) -> Stored<()> {
        let is_settled = self.gathered.borrow().is_empty() && self.unsettled.borrow().0.is_empty();
        if is_settled { Ok(()) } else { self.ask(async |_| Ok(())) }
    }

    fn each(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Stored<()>,
    ) -> Stored<()> {
        let rows = match self.answered_ahead(sql, params) {
            Some(row) => vec![row],
            None => {
                let statement = self.prepared(sql, params)?;
                let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
                self.ask(async |client| client.query(&statement, &params).await)?
            }
        };
        rows.iter().try_for_each(|row| take(&Row(row)))
    }
}

impl Param<'_> {
    fn kind(&self) -> Type {
        match self {
            Self::Integer(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
        }
    }

    /// The type of an array of such values.
    pub(super) fn array_kind(&self) -> Type {
        match self {
            Self::Integer(_) => Type::INT8_ARRAY,
            Self::Text(_) => Type::TEXT_ARRAY,
            Self::Bytes(_) => Type::BYTEA_ARRAY,
        }
    }

    /// How many bytes it has beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::Text(value) => value.map_or(0, str::len),
            Self::Bytes(value) => value.map_or(0, <[u8]>::len),
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        // A statement that is given values of other types than it was prepared for is refused here.
        match self {
            Self::Integer(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::Bytes(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value that outlives the call that brought it.
#[derive(Debug)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    pub(super) fn of(param: &Param<'_>) -> Self {
        match *param {
            Param::Integer(value) => Self::Integer(value),
            Param::Text(value) => Self::Text(value.map(str::to_owned)),
            Param::Bytes(value) => Self::Bytes(value.map(<[u8]>::to_vec)),
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let param = match self {
            Self::Integer(value) => Param::Integer(*value),
            Self::Text(value) => Param::Text(value.as_deref()),
            Self::Bytes(value) => Param::Bytes(value.as_deref()),
        };
        param.to_sql(kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A whole number of any width, or a boolean: lengths and comparisons have other types than columns.
struct Whole(i64);

impl<'r> FromSql<'r> for Whole {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            Type::INT2 => i16::from_sql(kind, raw)?.into(),
            Type::BOOL => bool::from_sql(kind, raw)?.into(),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL)
    }
}

impl Columns for tokio_postgres::Row {
    fn text(&self, column: &str) -> Stored<Option<&str>> {
        self.try_get(column).map_err(|error| odd(column, error))
    }

    fn integer(&self, column: &str) -> Stored<Option<i64>> {
        let number: Option<Whole> = self.try_get(column).map_err(|error| odd(column, error))?;
        Ok(number.map(|number| number.0))
    }

    fn bytes(&self, column: &str) -> Stored<Option<&[u8]>> {
        self.try_get(column).map_err(|error| odd(column, error))
    }
}
