//! Statements that write one row each, gathered into statements that write many.
//!
//! The server answers each statement by itself: with a system call, and by waking up who waits for it. Where a group of
//! writes stores a report of each of sixty links, that costs more than the rows do.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use super::session::Value;
use crate::store::sql::session::Param;

/// How many bytes of memory rows are gathered in, but for the last one.
const MOST_BYTES: usize = 4 << 20;

/// What was gathered, in the order in which it goes out. Each statement writes a table of its own.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    statements: Vec<Rows>,
    bytes: usize,
}

/// One statement, and the values of all its rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) sql: &'static str,
    /// The values for each place of the statement.
    pub(super) columns: Vec<Vec<Value>>,
    /// The types of the columns, which are arrays.
    pub(super) kinds: Vec<Type>,
    /// The first values of an update, each of which names its row.
    updated: BTreeSet<String>,
}

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Whether there is enough to be sent, and waited for.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    /// Takes everything out, to be run.
    pub(super) fn take(&mut self) -> Vec<Rows> {
        std::mem::take(self).statements
    }

    /// Whether a row can be written together with the others: its table is written by no other statement, and the row
    /// by no other update, beside which this one would be lost.
    pub(super) fn has_room(&self, sql: &'static str, params: &[Param<'_>]) -> bool {
        self.statements.iter().all(|rows| match rows.sql == sql {
            true => first(params).is_none_or(|first| !rows.updated.contains(first)),
            false => table(rows.sql) != table(sql),
        })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, sql: &'static str, params: &[Param<'_>]) {
        let at = self.statements.iter().position(|rows| rows.sql == sql).unwrap_or_else(|| {
            let columns = params.iter().map(|_| Vec::new()).collect();
            let kinds = params.iter().map(Param::array_kind).collect();
            self.statements.push(Rows { sql, columns, kinds, updated: BTreeSet::new() });
            self.statements.len() - 1
        });
        let rows = &mut self.statements[at];
        if sql.starts_with(UPDATE) {
            rows.updated.extend(first(params).map(str::to_owned));
        }
        for (column, param) in rows.columns.iter_mut().zip(params) {
            self.bytes += size_of::<Value>() + param.bytes();
            column.push(Value::of(param));
        }
    }
}

const INSERT: &str = "INSERT INTO ";
const UPDATE: &str = "UPDATE ";
const VALUES: &str = "VALUES (";

fn first<'p>(params: &[Param<'p>]) -> Option<&'p str> {
    params.first().and_then(|param| if let Param::Text(first) = param { *first } else { None })
}

/// The table that a statement writes.
fn table(sql: &str) -> Option<&str> {
    sql.strip_prefix(INSERT).or_else(|| sql.strip_prefix(UPDATE))?.split_whitespace().next()
}

/// The statement that does for each place of `columns` arrays what `sql` does for its values; none for a statement of
/// another form than those that [`Session::write_row`](crate::store::sql::session::Session::write_row) names.
pub(super) fn of_many(sql: &str, columns: usize) -> Option<String> {
    let list = |prefix: &str| (1..=columns).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(", ");
    let given = format!("unnest({}) AS given ({})", list("$"), list("v"));
    let of_row = |part: &str| part.replace('?', "given.v");
    if sql.starts_with(INSERT) {
        let (into, values) = sql.split_once(VALUES)?;
        let (values, rest) = values.split_at(closing(values)?);
        Some(format!("{into}SELECT {} FROM {given}{}", of_row(values), &rest[1..])).filter(|many| !many.contains('?'))
    } else if sql.starts_with(UPDATE) {
        let (set, row) = sql.rsplit_once("WHERE ")?;
        Some(format!("{}FROM {given} WHERE {}", of_row(set), of_row(row)))
    } else {
        None
    }
}

/// Where the parenthesis is closed that was open at the beginning.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::session::params;

    #[test]
    fn a_statement_for_one_row_becomes_one_for_many() {
        let table = [
            (
                "INSERT INTO gaps (link, first) VALUES (?1, ?2)",
                "INSERT INTO gaps (link, first) SELECT given.v1, given.v2 FROM unnest($1, $2) AS given (v1, v2)",
            ),
            (
                "INSERT INTO t (a, b) VALUES (?1, COALESCE(?2, 0)) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                "INSERT INTO t (a, b) SELECT given.v1, COALESCE(given.v2, 0) FROM unnest($1, $2) AS given (v1, v2) \
                 ON CONFLICT (a) DO UPDATE SET b = excluded.b",
            ),
            (
                "UPDATE t SET n = n + ?2 WHERE a = ?1",
                "UPDATE t SET n = n + given.v2 FROM unnest($1, $2) AS given (v1, v2) WHERE a = given.v1",
            ),
        ];
        for (one, many) in table {
            assert_eq!(of_many(one, 2).as_deref(), Some(many));
        }
        for other in [
            "DELETE FROM t WHERE a = ?1",
            "INSERT INTO t (a) SELECT a FROM u WHERE a = ?1",
            "INSERT INTO t (a, b) VALUES (?1, 0) ON CONFLICT (a) DO UPDATE SET b = ?2",
        ] {
            assert_eq!(of_many(other, 2), None, "{other}");
        }
    }

    #[test]
    fn a_row_that_another_statement_may_have_written_waits_for_it() {
        let update = "UPDATE t SET n = ?2 WHERE a = ?1";
        let mut gathered = Gathered::default();
        gathered.add(update, params!["one", 1_u64]);
        assert!(gathered.has_room(update, params!["two", 1_u64]), "another row");
        assert!(!gathered.has_room(update, params!["one", 2_u64]), "the row again");
        assert!(!gathered.has_room("UPDATE t SET m = ?2 WHERE a = ?1", params!["two", 1_u64]), "it may be the row");
        assert!(gathered.has_room("INSERT INTO u (a, b) VALUES (?1, ?2)", params!["one", 1_u64]), "another table");
        gathered.add(update, params!["two", 1_u64]);
        let rows = gathered.take();
        assert_eq!((rows.len(), rows[0].columns.len(), rows[0].columns[0].len()), (1, 2, 2));
        assert!(gathered.is_empty() && !gathered.is_full() && gathered.has_room(update, params!["one", 2_u64]));
        gathered.add("INSERT INTO u (a, b) VALUES (?1, ?2)", params!["x".repeat(MOST_BYTES).as_str(), 1_u64]);
        assert!(gathered.is_full());
    }
}
