//! Accounts in a database of PostgreSQL.
//!
//! Everything happens in one read-only transaction. Truth values, whole numbers and times come as they are; PostgreSQL
//! itself turns every other type into text, so that any of them serves and one set of rules reads them all.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use futures_core::Stream as _;
use seatline_host::ports::{DatabaseIdentity, DatabasePlace};
use seatline_postgres::{ConnectError, Connection, PATIENCE, PostgresAddress, QueryError};
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::{ONE_COLUMN, birth_mark};
use crate::accounts::columns::{Columns, NAMES};
use crate::accounts::value::{MAX_IDENTITY_BYTES, Rows, Value};
use crate::accounts::{Pass, SourceError, TimeLimit, short};

/// How many rows are handed over at once; twice as many are in memory.
const ROWS_AT_ONCE: usize = 4096;

/// What reading has given: some rows, or why there are no more.
type Batch = Result<Vec<Row>, SourceError>;

/// Gives every account that `query` finds to `pass`, and returns how many there were.
pub fn read_accounts(
    address: &PostgresAddress,
    query: &str,
    limit: TimeLimit,
    pass: &mut Pass<'_>,
) -> Result<u64, SourceError> {
    let mut reading = Reading::begin(address, limit)?;
    let query = query.trim_end().trim_end_matches(';');
    let whole = format!("SELECT * FROM (\n{query}\n) AS account");
    let whole = reading.ask(async |client| client.prepare(&whole).await)?;
    let names: Vec<&str> = whole.columns().iter().map(|column| column.name()).collect();
    let columns = Columns::find(names.iter().copied())?;
    let types: Vec<Type> = whole.columns().iter().map(|column| column.type_().clone()).collect();
    let statement = as_understood(query, &names, &types);
    let mut rows = Rows::of(columns);
    let (sender, batches) = sync_channel(1);
    thread::scope(|scope| {
        // Fetched by a thread of its own: the next rows are on their way while these are looked at.
        scope.spawn(move || reading.fetch(&statement, &sender));
        // It ends when nobody takes what it fetches.
        for batch in batches {
            limit.left()?;
            let batch = batch.map_err(|error| match error {
                SourceError::BrokenOff { reason, .. } => SourceError::BrokenOff { rows: rows.count, reason },
                error => error,
            });
            for row in &batch? {
                pass.take(rows.account(|index| value(row, index)))?;
            }
        }
        Ok(rows.count)
    })
}

/// The one number that `query` gives.
pub fn measure(address: &PostgresAddress, query: &str, limit: TimeLimit) -> Result<u64, SourceError> {
    let mut reading = Reading::begin(address, limit)?;
    let query = query.trim_end().trim_end_matches(';');
    // Two rows are enough to see that there is more than one.
    let numbers = format!("SELECT left(measured::text, 32) FROM (\n{query}\n) AS dimension (measured) LIMIT 2");
    let rows = reading.rows(&numbers, &[])?;
    match rows.as_slice() {
        [row] => match text(row, 0) {
            Value::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        },
        _ => None,
    }
    .ok_or(SourceError::NotANumber)
}

/// The place of the database, and the birth mark that `query` gives.
///
/// The host is the one that is configured: what a name leads to changes with a failover. The database's name is the
/// server's own, which an alias of a pooler does not hide; and the schema is the one that the birth mark's table is in.
pub fn identity(
    address: &PostgresAddress,
    query: &str,
    schema: Option<&str>,
    limit: TimeLimit,
) -> Result<DatabaseIdentity, SourceError> {
    let mut reading = Reading::begin(address, limit)?;
    if let Some(schema) = schema {
        let path = format!("SET LOCAL search_path TO \"{}\"", schema.replace('"', "\"\""));
        reading.ask(async |client| client.batch_execute(&path).await)?;
    }
    let query = query.trim_end().trim_end_matches(';');
    let whole = format!("SELECT * FROM (\n{query}\n) AS birth");
    let whole = reading.ask(async |client| client.prepare(&whole).await)?;
    let [column] = whole.columns() else { return Err(ONE_COLUMN) };
    let table = column.table_oid();
    let most = MAX_IDENTITY_BYTES + 1;
    let marks = format!("SELECT left(mark::text, {most}) FROM (\n{query}\n) AS birth (mark) LIMIT 2");
    let rows = reading.rows(&marks, &[])?;
    let mark = |row: &Row| match text(row, 0) {
        Value::Text(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    };
    let birth_mark = birth_mark(rows.iter().map(mark).collect())?;
    let names = "SELECT current_database()::text, (SELECT n.nspname::text FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1)";
    let rows = reading.rows(names, &[(&table.unwrap_or_default(), Type::OID)])?;
    let name = |column| rows.first().and_then(|row| row.try_get::<_, Option<String>>(column).ok().flatten());
    let schema = name(1).or_else(|| schema.map(str::to_owned)).ok_or(SourceError::BirthMark(
        "the query must give the column of a table as it is, or `schema` must name its schema",
    ))?;
    let (hosts, database) = (hosts(&address.config), name(0).unwrap_or_default());
    Ok(DatabaseIdentity { place: DatabasePlace::Server { hosts, database, schema: Some(schema) }, birth_mark })
}

/// A connection in a read-only transaction, which is not waited for beyond the time limit: also a server that stands
/// still holds nobody for longer.
struct Reading {
    connection: Connection,
    limit: TimeLimit,
}

impl Reading {
    /// Begins a transaction whose settings are its own, so that a pooler between us and the server may be of any kind.
    fn begin(address: &PostgresAddress, limit: TimeLimit) -> Result<Self, SourceError> {
        let connection =
            Connection::open_within(address, limit.left()?.min(PATIENCE)).map_err(|error| match error {
                _ if limit.is_over() => SourceError::TimeLimit(limit.seconds),
                ConnectError::Refused { .. } => SourceError::Denied(error.to_string()),
                ConnectError::Unreachable { place, reason } => SourceError::Unreachable { place, reason },
            })?;
        let mut reading = Self { connection, limit };
        let milliseconds = limit.left()?.as_millis().max(1);
        let begin = format!(
            "START TRANSACTION READ ONLY; SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = 5000; \
             SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1"
        );
        reading.ask(async |client| client.batch_execute(&begin).await)?;
        Ok(reading)
    }

    /// Asks by `ask`, and waits for the answer for as long as there is time.
    fn ask<T>(&mut self, ask: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, SourceError> {
        self.connection.be_patient(self.limit.left()?);
        self.connection.within(async |client| ask(client).await).map_err(|error| query_error(&error, self.limit))
    }

    fn rows(&mut self, query: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, SourceError> {
        self.ask(async |client| client.query_typed(query, parameters).await)
    }

    /// Gives the rows of `query` to `taker`, in batches, until there are no more, or nobody takes them.
    fn fetch(mut self, query: &str, taker: &SyncSender<Batch>) {
        let none: [(&(dyn ToSql + Sync), Type); 0] = [];
        // The server waits while nobody takes what it has sent.
        let fetched = self.ask(async |client| {
            let mut rows = pin!(client.query_typed_raw(query, none).await?);
            let mut batch = Vec::with_capacity(ROWS_AT_ONCE);
            while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
                batch.push(row?);
                if batch.len() == ROWS_AT_ONCE && taker.send(Ok(std::mem::take(&mut batch))).is_err() {
                    return Ok(Vec::new());
                }
            }
            Ok(batch)
        });
        // Who does not take it any more knows why.
        let _ = taker.send(fetched);
    }
}

/// The hosts and ports as they are configured.
fn hosts(config: &tokio_postgres::Config) -> Vec<(String, u16)> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let host = |at: usize| {
        let name = names.get(at).map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(directory) => directory.display().to_string(),
        });
        // With both, the address is where the server is, and the name what its certificate is for.
        let address = addresses.get(at).map(ToString::to_string);
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        (name.into_iter().chain(address).collect::<Vec<_>>().join(" at "), port)
    };
    (0..names.len().max(addresses.len())).map(host).collect()
}

/// `query` with its columns in the order of the query: as they are where [`value`] understands their type, and else as
/// text, cut where it is too long for any field. The length of a text is looked at first: `left` alone walks through
/// its characters, which takes the server as long as everything else.
fn as_understood(query: &str, names: &[&str], types: &[Type]) -> String {
    let most = MAX_IDENTITY_BYTES;
    let column = |(name, of): (&&str, &Type)| {
        let column = format!("account.\"{}\"", name.replace('"', "\"\""));
        match *of {
            Type::BOOL | Type::INT8 | Type::INT4 | Type::INT2 | Type::TIMESTAMPTZ | Type::TIMESTAMP => column,
            Type::TEXT | Type::VARCHAR => {
                format!("CASE WHEN octet_length({column}) > {most} THEN left({column}, {most} + 1) ELSE {column} END")
            }
            _ => format!("left({column}::text, {most} + 1)"),
        }
    };
    let columns: Vec<String> = names.iter().zip(types).map(column).collect();
    debug_assert!(names.len() <= NAMES.len(), "only known columns, each once");
    format!("SELECT {} FROM (\n{query}\n) AS account", columns.join(", "))
}

/// The value of a row at an index.
fn value(row: &Row, index: usize) -> Value<'_> {
    /// Of a type that is read as it is.
    fn plain<'r, T: FromSql<'r>>(row: &'r Row, index: usize, value: impl Fn(T) -> Value<'r>) -> Value<'r> {
        row.try_get::<_, Option<T>>(index).map_or(Value::Other, |read| read.map_or(Value::Null, value))
    }
    match *row.columns()[index].type_() {
        Type::BOOL => plain(row, index, Value::Bool),
        Type::INT8 => plain(row, index, Value::Integer),
        Type::INT4 => plain(row, index, |number: i32| Value::Integer(number.into())),
        Type::INT2 => plain(row, index, |number: i16| Value::Integer(number.into())),
        Type::TIMESTAMPTZ | Type::TIMESTAMP => plain(row, index, Value::Time),
        _ => text(row, index),
    }
}

fn text(row: &Row, index: usize) -> Value<'_> {
    match row.try_get::<_, Option<&str>>(index) {
        Ok(Some(text)) => Value::Text(text.as_bytes()),
        Ok(None) => Value::Null,
        // In a database without an encoding (SQL_ASCII), text can be anything.
        Err(_) => Value::Text(b"\xff"),
    }
}

/// An error of a statement. PostgreSQL quotes values in the messages of some classes (22, "invalid input syntax for
/// type integer"), so only the class that speaks of the query itself (42) is shown.
fn query_error(error: &QueryError, limit: TimeLimit) -> SourceError {
    let broken_off = |reason: &str| SourceError::BrokenOff { rows: 0, reason: reason.to_owned() };
    let error = match error {
        QueryError::Silent(_) => return SourceError::TimeLimit(limit.seconds),
        QueryError::Failed(error) => error,
    };
    let Some(refusal) = error.as_db_error() else {
        return broken_off(if error.is_closed() { "the connection was closed" } else { "the connection failed" });
    };
    let code = refusal.code();
    if *code == SqlState::QUERY_CANCELED {
        SourceError::TimeLimit(limit.seconds)
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        SourceError::Denied(short(refusal.message()))
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        SourceError::Locked
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        SourceError::Writes
    } else if code.code().starts_with("42") || code.code().starts_with("0A") {
        SourceError::Query(short(refusal.message()))
    } else {
        broken_off(&format!("PostgreSQL says SQLSTATE {}", code.code()))
    }
}
