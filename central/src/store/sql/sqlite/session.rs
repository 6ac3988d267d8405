//! Statements on a connection to a file.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::store::Stored;
use crate::store::sql::group;
use crate::store::sql::lock::Lock;
use crate::store::sql::row::{Columns, Row, odd};
use crate::store::sql::session::{Param, Session};

/// What asks for a lock on rows. Whoever writes to a file has it to himself, so there is nothing to lock.
const LOCK: &str = " FOR UPDATE";

impl Session for Connection {
    fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<u64> {
        let mut statement = prepared(self, sql)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        Session::execute(self, sql, params).map(drop)
    }

    fn settle(&self) -> Stored<()> {
        Ok(())
    }

    fn each(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Stored<()>,
    ) -> Stored<()> {
        let mut statement = prepared(self, sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            take(&Row(row))?;
        }
        Ok(())
    }
}

fn prepared<'c>(connection: &'c Connection, sql: &'static str) -> Stored<CachedStatement<'c>> {
    let sql = sql.strip_suffix(LOCK).unwrap_or(sql);
    #[cfg(debug_assertions)]
    super::plan::hold(connection, sql)?;
    Ok(connection.prepare_cached(sql)?)
}

fn bind(statement: &mut CachedStatement<'_>, params: &[Param<'_>]) -> rusqlite::Result<()> {
    (1..).zip(params).try_for_each(|(number, param)| statement.raw_bind_parameter(number, param))
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(Some(number)) => ValueRef::Integer(*number),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Integer(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn text(&self, column: &str) -> Stored<Option<&str>> {
        self.get_ref(column)?.as_str_or_null().map_err(|error| odd(column, error))
    }

    fn integer(&self, column: &str) -> Stored<Option<i64>> {
        self.get_ref(column)?.as_i64_or_null().map_err(|error| odd(column, error))
    }

    fn bytes(&self, column: &str) -> Stored<Option<&[u8]>> {
        self.get_ref(column)?.as_blob_or_null().map_err(|error| odd(column, error))
    }
}

impl group::Connection for Connection {
    fn begin(&self) -> Stored<()> {
        Ok(self.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn lock(&self, _locks: &[&Lock]) -> Stored<()> {
        // Whoever writes is alone.
        Ok(())
    }

    fn commit(&self) -> Stored<()> {
        Ok(self.execute_batch("COMMIT")?)
    }

    fn roll_back(&self) -> Stored<()> {
        if self.is_autocommit() { Ok(()) } else { Ok(self.execute_batch("ROLLBACK")?) }
    }

    fn mark(&self) -> Stored<()> {
        self.run("SAVEPOINT one_write", &[])
    }

    fn undo(&self) -> Stored<()> {
        self.run("ROLLBACK TO one_write", &[])
    }

    fn unmark(&self) -> Stored<()> {
        self.run("RELEASE one_write", &[])
    }

    fn may_succeed_again(&self) -> bool {
        // Nobody else writes meanwhile.
        false
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use seatline_protocol::LinkId;

    use super::*;
    use crate::store::sql::chain::IN_FORCE;
    use crate::store::sql::session::params;
    use crate::store::sql::sqlite::made;

    #[test]
    fn what_every_exchange_asks_is_planned_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let connection = made(&dir.path().join("central.db")).expect("a database");
        for n in 0..3 {
            let link = LinkId::from_random([n; 24]);
            let found = (&connection as &dyn Session).row(IN_FORCE, params![link.as_str()], |_| Ok(()));
            assert_eq!(found.expect("asked"), None, "it is empty");
        }
        let planned_again = prepared(&connection, IN_FORCE).expect("prepared").get_status(StatementStatus::RePrepare);
        assert_eq!(planned_again, 0);
    }
}
