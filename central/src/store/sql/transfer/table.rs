//! A table as data are carried from it: its columns, its key, and the statements that read and write it.

use rusqlite::Connection;
use seatline_web::secret::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::sql::row::Row;
use crate::store::sql::session::{Param, Session, params};
use crate::store::{StoreError, Stored};

/// How many rows are in memory at once.
const PAGE: usize = 200;

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
        // The names come from our own migrations. There are a few statements for each table, and the program ends soon after
        // they were used.
        let names = list(columns.iter().map(|column| column.name.clone()));
        let key_names = list(key.iter().map(|&place| columns[place].name.clone()));
        let values = |count: usize| list((1..=count).map(|number| format!("?{number}")));
        let (k, n) = (key.len(), columns.len());
        let first_page = format!("SELECT {names} FROM {name} ORDER BY {key_names} LIMIT ?1").leak();
        let next_page = format!(
            "SELECT {names} FROM {name} WHERE ({key_names}) > ({}) ORDER BY {key_names} LIMIT ?{}",
            values(k),
            k + 1
        )
        .leak();
        let insert = format!("INSERT INTO {name} ({names}) VALUES ({})", values(n)).leak();
        let delete = format!("DELETE FROM {name}").leak();
        Self { name, columns, key, first_page, next_page, insert, delete }
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
            to.run(self.insert, &params)
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
            if page.len() < PAGE {
                return Ok(Content { table: self.name.clone(), rows, digest: hex(&digest.finalize()) });
            }
            last = page.last().map(|row| self.key.iter().map(|&place| row[place].clone()).collect());
        }
    }

    fn page(&self, session: &dyn Session, after: Option<&[Value]>) -> Stored<Vec<Vec<Value>>> {
        let mut params: Vec<Param<'_>> = after.unwrap_or_default().iter().map(Value::param).collect();
        params.push(PAGE.into());
        let query = if after.is_some() { self.next_page } else { self.first_page };
        session.rows(query, &params, |row| self.columns.iter().map(|column| Value::of(row, column)).collect())
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

fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
