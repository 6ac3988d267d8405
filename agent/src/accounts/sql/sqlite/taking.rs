//! Rows of a query, taken inside SQLite by an aggregate function.
//!
//! To ask SQLite for one row after the other, and then for each of its values, costs as much again as it takes to find
//! them: every such call looks at its statement anew. An aggregate function is called with all values of a row at hand,
//! and exactly once for each row that the query gives, in the query's order. A function in a condition or among the
//! columns would not be: the planner may call it before a join, a DISTINCT or a LIMIT.

use std::sync::mpsc::SyncSender;

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, Error, Result, Statement};

use crate::accounts::batch::Batch;
use crate::accounts::columns::Columns;
use crate::accounts::value::{Rows, Value};

/// The function's name. It is not there while the query is looked at, so no query can call it.
const NAME: &str = "seatline_take";

/// What gives every row of `query` to [`Taking`], its columns in the order of the query.
pub fn statement_over(query: &Statement<'_>) -> Option<String> {
    // What SQLite has understood as the statement: without what stands behind its end.
    let text = query.expanded_sql()?;
    let text = text.trim_end().trim_end_matches(';');
    // With the name of the table before it, a quoted name can be nothing but a column.
    let column = |name: &str| format!("account.\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = query.column_names().map(column).collect();
    Some(format!("SELECT {NAME}({}) FROM (\n{text}\n) AS account", columns.join(", ")))
}

/// Makes accounts of rows, and sends them in batches.
pub struct Taking {
    columns: Columns,
    batches: SyncSender<Batch>,
}

/// What has been taken and not yet been sent.
pub struct Taken {
    rows: Rows,
    batch: Batch,
}

impl Taking {
    /// Makes the function known to `connection`.
    pub fn begin(connection: &Connection, columns: Columns, batches: SyncSender<Batch>) -> Result<()> {
        // Nothing that the database itself defines can call it.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_aggregate_function(NAME, -1, flags, Self { columns, batches })
    }

    fn send(&self, batch: Batch) -> Result<()> {
        // Who does not take it any more knows why.
        self.batches.send(batch).map_err(|_| Error::UserFunctionError("nobody takes the accounts".into()))
    }
}

impl Aggregate<Taken, Null> for Taking {
    fn init(&self, _: &mut Context<'_>) -> Result<Taken> {
        Ok(Taken { rows: Rows::of(self.columns), batch: Batch::default() })
    }

    fn step(&self, row: &mut Context<'_>, taken: &mut Taken) -> Result<()> {
        taken.batch.push(taken.rows.account(|index| value(row.get_raw(index))));
        if taken.batch.is_full() { self.send(std::mem::take(&mut taken.batch)) } else { Ok(()) }
    }

    /// Sends the rest, also where the query has broken off: then the rows before it are known.
    fn finalize(&self, _: &mut Context<'_>, taken: Option<Taken>) -> Result<Null> {
        taken.map_or(Ok(()), |taken| self.send(taken.batch))?;
        Ok(Null)
    }
}

fn value(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(_) => Value::Other,
    }
}
