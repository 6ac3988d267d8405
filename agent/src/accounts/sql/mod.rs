//! Accounts and dimensions by a query to a database. Each kind of database is a file here.

mod mysql;
mod postgres;
mod sqlite;

use seatline_host::ports::DatabaseIdentity;

use super::{Pass, SourceError, TimeLimit};
use crate::config::Sql;
use crate::config::database::Address;

/// Gives every account that the query finds to `pass`, and returns how many there were.
pub fn read_accounts(sql: &Sql, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    match sql.database.address()? {
        Address::Sqlite(path) => sqlite::read_accounts(&path, &sql.query, limit, pass),
        Address::Mysql(address) => mysql::read_accounts(&address, &sql.query, limit, pass),
        Address::Postgres(address) => postgres::read_accounts(&address, &sql.query, limit, pass),
    }
}

/// The one number that the query gives.
pub fn measure(sql: &Sql, limit: TimeLimit) -> Result<u64, SourceError> {
    match sql.database.address()? {
        Address::Sqlite(path) => sqlite::measure(&path, &sql.query, limit),
        Address::Mysql(address) => mysql::measure(&address, &sql.query, limit),
        Address::Postgres(address) => postgres::measure(&address, &sql.query, limit),
    }
}

/// What makes the database this one: its place, and the birth mark of its data, which the query gives (`s2`).
pub fn identity(sql: &Sql, schema: Option<&str>, limit: TimeLimit) -> Result<DatabaseIdentity, SourceError> {
    let address = sql.database.address()?;
    if schema.is_some() && !matches!(address, Address::Postgres(_)) {
        return Err(SourceError::BirthMark("`schema` is for PostgreSQL: leave it out"));
    }
    match address {
        Address::Sqlite(path) => sqlite::identity(&path, &sql.query, limit),
        Address::Mysql(address) => mysql::identity(&address, &sql.query, limit),
        Address::Postgres(address) => postgres::identity(&address, &sql.query, schema, limit),
    }
}

/// The birth mark that a query gave as the value of its one column in each row, of which there must be one.
fn birth_mark(mut values: Vec<Option<String>>) -> Result<String, SourceError> {
    match (values.pop(), values.is_empty()) {
        (Some(mark), true) => mark.filter(|mark| !mark.trim().is_empty()).ok_or(SourceError::BirthMark(
            "the query gave no value that can be one: it must be a text, a whole number or bytes, and not empty",
        )),
        (None, _) => Err(SourceError::BirthMark("the query gave no row: has the product been installed there?")),
        (Some(_), false) => Err(SourceError::BirthMark("the query gave more than one row, and it must give one")),
    }
}

/// That the query gives more columns than the one that is needed.
const ONE_COLUMN: SourceError = SourceError::BirthMark("the query must give one column");
