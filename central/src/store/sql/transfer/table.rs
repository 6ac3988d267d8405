//! A table as data are carried from it: its columns, its key, and the statements that read and write it.

use rusqlite::Connection;
use seatline_web::secret::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::sql::row::Row;
use crate::store::sql::session::{Param, Session, params};
use crate::store::{StoreError, Stored};

/// How many rows are in memory at once, at the most.
const PAGE: usize = 200;
/// How many bytes of them, where a single row has no more.
const PAGE_BYTES: usize = 4 << 20;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Text,
    Bytes,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: Kind,
    /// Its place in the key, from 0.
    key: Option<usize>,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    columns: Vec<Column>,
    /// The columns of the key, in its order.
    key: Vec<usize>,
    first_page: &'static str,
    next_page: &'static str,
    /// How many bytes the rows of the page have.
    first_sizes: &'static str,
    next_sizes: &'static str,
    insert: &'static str,
    delete: &'static str,
}

/// A value of a row.
#[derive(Debug, Clone)]
enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The name of the table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// The SHA-256 of all its rows, in the order of its key.
    pub digest: String,
}

/// The tables of a file, by name; those of SQLite and of the migrations are none.
pub(super) fn tables(file: &Connection) -> Stored<Vec<Table>> {
    let mut query = file.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name NOT IN ('refinery_schema_history', 'manifest') ORDER BY name",
    )?;
    let names = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    names.into_iter().map(|name| table(file, name)).collect()
}

fn table(file: &Connection, name: String) -> Stored<Table> {
    let odd = |reason: String| StoreError::Corrupt { what: "a table", reason };
    let mut query = file.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let found = query.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut columns = Vec::new();
    for column in found {
        let (column, kind, key): (String, String, usize) = column?;
        let kind = match kind.as_str() {
            "INTEGER" | "BIGINT" => Kind::Integer,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => return Err(odd(format!("the column {column} of {name} is of the type {other}"))),
        };
        columns.push(Column { name: column, kind, key: key.checked_sub(1) });
    }
    let mut key: Vec<usize> = (0..columns.len()).filter(|&place| columns[place].key.is_some()).collect();
    key.sort_by_key(|&place| columns[place].key);
    if key.is_empty() {
        return Err(odd(format!("{name} has no key")));
    }
    Ok(Table::of(name, columns, key))
}

impl Table {
    fn of(name: String, columns: Vec<Column>, key: Vec<usize>) -> Self {
        // The names come from our own migrations. There are a few statements for each table, and the program ends soon
        // after they were used.
        let names = list(columns.iter().map(|column| column.name.clone()));
        let key_names = list(key.iter().map(|&place| columns[place].name.clone()));
        let values = |count: usize| list((1..=count).map(|number| format!("?{number}")));
        let (k, n) = (key.len(), columns.len());
        let wide = columns.iter().filter(|column| column.kind != Kind::Integer);
        let sizes: Vec<String> = wide.map(|column| format!("COALESCE(OCTET_LENGTH({}), 0)", column.name)).collect();
        let size = if sizes.is_empty() { "0".to_owned() } else { sizes.join(" + ") };
        let page = |what: &str| -> [&'static str; 2] {
            let first = format!("SELECT {what} FROM {name} ORDER BY {key_names} LIMIT ?1");
            let after = format!("WHERE ({key_names}) > ({})", values(k));
            let next = format!("SELECT {what} FROM {name} {after} ORDER BY {key_names} LIMIT ?{}", k + 1);
            [first.leak(), next.leak()]
        };
        let ([first_page, next_page], [first_sizes, next_sizes]) = (page(&names), page(&format!("{size} AS bytes")));
        let insert = format!("INSERT INTO {name} ({names}) VALUES ({})", values(n)).leak();
        let delete = format!("DELETE FROM {name}").leak();
        Self { name, columns, key, first_page, next_page, first_sizes, next_sizes, insert, delete }
    }

    /// Whether it has no row.
    pub(super) fn is_empty(&self, session: &dyn Session) -> Stored<bool> {
        Ok(!session.exists(self.first_page, params![1_i64])?)
    }

    /// What it holds.
    pub(super) fn content(&self, session: &dyn Session) -> Stored<Content> {
        self.visit(session, &mut |_| Ok(()))
    }

    /// Carries all rows from one session to the other, and gives what they are.
    pub(super) fn carry(&self, from: &dyn Session, to: &dyn Session) -> Stored<Content> {
        to.run(self.delete, &[])?;
        self.visit(from, &mut |row| {
            let params: Vec<Param<'_>> = row.iter().map(Value::param).collect();
            to.write_row(self.insert, &params)
        })
    }

    /// Gives each row to `take`, in the order of the key, and what they are together.
    fn visit(&self, session: &dyn Session, take: &mut dyn FnMut(&[Value]) -> Stored<()>) -> Stored<Content> {
        let (mut digest, mut rows, mut last) = (Sha256::new(), 0, None::<Vec<Value>>);
        loop {
            let page = self.page(session, last.as_deref())?;
            for row in &page {
                row.iter().for_each(|value| value.digest(&mut digest));
                take(row)?;
            }
            rows += page.len() as u64;
            match page.last() {
                Some(row) => last = Some(self.key.iter().map(|&place| row[place].clone()).collect()),
                None => return Ok(Content { table: self.name.clone(), rows, digest: hex(&digest.finalize()) }),
            }
        }
    }

    /// The next rows: as many as fit into [`PAGE_BYTES`], and one at least; none where there are no more.
    fn page(&self, session: &dyn Session, after: Option<&[Value]>) -> Stored<Vec<Vec<Value>>> {
        let mut params: Vec<Param<'_>> = after.unwrap_or_default().iter().map(Value::param).collect();
        let (sizes, rows) = match after {
            Some(_) => (self.next_sizes, self.next_page),
            None => (self.first_sizes, self.first_page),
        };
        params.push(PAGE.into());
        // The database knows how long its values are without reading them.
        let sizes = session.rows(sizes, &params, |row| row.number::<usize>("bytes"))?;
        let count = fitting(&sizes);
        if count == 0 {
            return Ok(Vec::new());
        }
        params.pop();
        params.push(count.into());
        session.rows(rows, &params, |row| self.columns.iter().map(|column| Value::of(row, column)).collect())
    }
}

impl Value {
    fn of(row: &Row<'_>, column: &Column) -> Stored<Self> {
        Ok(match column.kind {
            Kind::Integer => Self::Integer(row.number_option(&column.name)?),
            Kind::Text => Self::Text(row.text_option(&column.name)?),
            Kind::Bytes => Self::Bytes(row.bytes_option(&column.name)?),
        })
    }

    fn param(&self) -> Param<'_> {
        match self {
            Self::Integer(value) => (*value).into(),
            Self::Text(value) => value.into(),
            Self::Bytes(value) => value.as_deref().into(),
        }
    }

    /// Adds its kind, its length and its bytes, so that no two rows have the same bytes.
    fn digest(&self, digest: &mut Sha256) {
        let mut add = |kind: u8, bytes: Option<&[u8]>| {
            digest.update([kind, u8::from(bytes.is_some())]);
            if let Some(bytes) = bytes {
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(bytes);
            }
        };
        match self {
            Self::Integer(value) => add(b'i', value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice)),
            Self::Text(value) => add(b't', value.as_deref().map(str::as_bytes)),
            Self::Bytes(value) => add(b'b', value.as_deref()),
        }
    }
}

/// How many of the first rows, which have so many bytes each, are in memory at once.
fn fitting(sizes: &[usize]) -> usize {
    let mut bytes = 0_usize;
    let fit = sizes.iter().take_while(|size| {
        bytes = bytes.saturating_add(**size);
        bytes <= PAGE_BYTES
    });
    // A row that is larger than that comes alone.
    fit.count().max(sizes.len().min(1))
}

fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::sqlite;

    /// Refused reports of these sizes, in the order of their key.
    fn file(sizes: &[usize]) -> Connection {
        let file = sqlite::in_memory().expect("a database");
        for (n, size) in sizes.iter().enumerate() {
            let sealed = "x".repeat(*size);
            file.execute(
                "INSERT INTO refused_reports
                    (link, digest, sequence, code, observed_at, first_at, last_at, times, sealed)
                 VALUES ('link', ?1, 1, 'fork', 0, 0, 0, 1, ?2)",
                (format!("{n:04}"), sealed),
            )
            .expect("inserted");
        }
        file
    }

    fn pages(file: &Connection) -> Vec<usize> {
        let tables = tables(file).expect("tables");
        let table = tables.iter().find(|table| table.name == "refused_reports").expect("the table");
        let (mut pages, mut last) = (Vec::new(), None::<Vec<Value>>);
        loop {
            let page = table.page(file, last.as_deref()).expect("a page");
            let Some(row) = page.last() else { return pages };
            last = Some(table.key.iter().map(|&place| row[place].clone()).collect());
            pages.push(page.len());
        }
    }

    #[test]
    fn what_is_in_memory_of_a_table_is_bound_by_bytes_and_by_rows() {
        let mebibyte = 1 << 20;
        assert_eq!(pages(&file(&[10; 450])), [200, 200, 50], "small rows");
        assert_eq!(pages(&file(&[mebibyte; 9])), [3, 3, 3], "large rows");
        assert_eq!(pages(&file(&[10, 9 * mebibyte, 10, 10])), [1, 1, 2], "one that is larger than all comes alone");
        assert_eq!(pages(&file(&[])), [0; 0]);
        let many = file(&[3, mebibyte, 5 * mebibyte, 7, mebibyte]);
        let tables = tables(&many).expect("tables");
        let table = tables.iter().find(|table| table.name == "refused_reports").expect("the table");
        assert_eq!(table.content(&many).expect("read").rows, 5);
    }
}
