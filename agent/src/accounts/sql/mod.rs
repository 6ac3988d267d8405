//! Accounts and dimensions by a query to a database. Each kind of database is a file here.

mod mysql;
mod postgres;
mod sqlite;

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
