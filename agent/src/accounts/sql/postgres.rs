//! Accounts in a database of PostgreSQL.
//!
//! Everything happens in one read-only transaction. PostgreSQL itself turns every column into text, in UTC and ISO form,
//! so that any of its types serves and one set of rules reads them all.

use std::path::Path;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Row, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::accounts::columns::{Columns, NAMES};
use crate::accounts::value::{MAX_IDENTITY_BYTES, Rows, Value};
use crate::accounts::wire::is_loopback;
use crate::accounts::{Pass, SourceError, TimeLimit, short, tls};
use crate::config::database::PostgresAddress;

/// How many rows are in memory at once.
const ROWS_AT_ONCE: i32 = 1024;
/// For how long a connection is tried where the address does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Gives every account that `query` finds to `pass`, and returns how many there were.
pub fn read_accounts(
    address: &PostgresAddress,
    query: &str,
    limit: TimeLimit,
    pass: &mut Pass<'_>,
) -> Result<u64, SourceError> {
    let mut client = connect(address)?;
    let mut transaction = begin(&mut client, limit)?;
    let query = query.trim_end().trim_end_matches(';');
    let whole = transaction
        .prepare(&format!("SELECT * FROM (\n{query}\n) AS account"))
        .map_err(|error| query_error(&error, limit, 0))?;
    let names: Vec<&str> = whole.columns().iter().map(|column| column.name()).collect();
    let columns = Columns::find(names.iter().copied())?;
    let portal = transaction.bind(&as_text(query, &names), &[]).map_err(|error| query_error(&error, limit, 0))?;
    let mut rows = Rows::of(columns);
    loop {
        limit.left()?;
        let batch =
            transaction.query_portal(&portal, ROWS_AT_ONCE).map_err(|error| query_error(&error, limit, rows.count))?;
        for row in &batch {
            pass.take(rows.account(|index| text(row, index)))?;
        }
        if batch.len() < ROWS_AT_ONCE as usize {
            return Ok(rows.count);
        }
    }
}

/// The one number that `query` gives.
pub fn measure(address: &PostgresAddress, query: &str, limit: TimeLimit) -> Result<u64, SourceError> {
    let mut client = connect(address)?;
    let mut transaction = begin(&mut client, limit)?;
    let query = query.trim_end().trim_end_matches(';');
    // Two rows are enough to see that there is more than one.
    let rows = transaction
        .query(&format!("SELECT left(measured::text, 32) FROM (\n{query}\n) AS dimension (measured) LIMIT 2"), &[])
        .map_err(|error| query_error(&error, limit, 0))?;
    match rows.as_slice() {
        [row] => match text(row, 0) {
            Value::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        },
        _ => None,
    }
    .ok_or(SourceError::NotANumber)
}

/// `query` with the known columns as text, in the order of the query, each cut where it is too long for any field.
fn as_text(query: &str, names: &[&str]) -> String {
    let cut =
        |name: &&str| format!("left(account.\"{}\"::text, {})", name.replace('"', "\"\""), MAX_IDENTITY_BYTES + 1);
    let texts: Vec<String> = names.iter().map(cut).collect();
    debug_assert!(names.len() <= NAMES.len(), "only known columns, each once");
    format!("SELECT {} FROM (\n{query}\n) AS account", texts.join(", "))
}

fn text(row: &Row, index: usize) -> Value<'_> {
    match row.try_get::<_, Option<&str>>(index) {
        Ok(Some(text)) => Value::Text(text.as_bytes()),
        Ok(None) => Value::Null,
        // In a database without an encoding (SQL_ASCII), text can be anything.
        Err(_) => Value::Text(b"\xff"),
    }
}

fn connect(address: &PostgresAddress) -> Result<Client, SourceError> {
    let mut config = address.config.clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("seatline");
    }
    // A peer that vanished is noticed, and does not hold a run for hours.
    config.keepalives_idle(Duration::from_secs(30));
    config.tcp_user_timeout(Duration::from_secs(60));
    let connected = match connector(&mut config, address.tls_ca_file.as_deref())? {
        Some(connector) => config.connect(connector),
        None => config.connect(postgres::NoTls),
    };
    connected.map_err(|error| connect_error(&error, &place(&config)))
}

/// The connector for `config`, or none where TLS is off. The mode is made definite: without `sslmode`, a socket or the
/// loopback interface is reached in clear, and everything else by TLS with a checked certificate.
///
/// # Errors
/// When the certificate authorities, of `ca_file` or else of the system, cannot be read.
fn connector(config: &mut postgres::Config, ca_file: Option<&Path>) -> Result<Option<MakeRustlsConnect>, SourceError> {
    if config.get_ssl_mode() == SslMode::Prefer {
        let mode = if is_local(config) && ca_file.is_none() { SslMode::Disable } else { SslMode::Require };
        config.ssl_mode(mode);
    }
    if config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    tls::client_config(ca_file)
        .map(|tls| Some(MakeRustlsConnect::new(tls)))
        .map_err(|reason| SourceError::Unreachable { place: "the database by TLS".to_owned(), reason })
}

/// Whether every host is this machine.
fn is_local(config: &postgres::Config) -> bool {
    config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => is_loopback(name) || !config.get_hostaddrs().is_empty(),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

/// Begins a read-only transaction whose settings are its own, so that a pooler between us and the server may be of any
/// kind.
fn begin(client: &mut Client, limit: TimeLimit) -> Result<Transaction<'_>, SourceError> {
    let milliseconds = limit.left()?.as_millis().max(1);
    let mut transaction =
        client.build_transaction().read_only(true).start().map_err(|error| query_error(&error, limit, 0))?;
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = 5000; SET LOCAL TimeZone = 'UTC'; \
             SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1"
        ))
        .map_err(|error| query_error(&error, limit, 0))?;
    Ok(transaction)
}

/// Host and database, for an administrator.
fn place(config: &postgres::Config) -> String {
    let host = config.get_hosts().first().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(directory) => directory.display().to_string(),
    });
    let host = host.or_else(|| config.get_hostaddrs().first().map(ToString::to_string)).unwrap_or_default();
    match config.get_dbname().or(config.get_user()) {
        Some(database) => format!("`{}` at {}", short(database), short(&host)),
        None => format!("at {}", short(&host)),
    }
}

fn connect_error(error: &postgres::Error, place: &str) -> SourceError {
    let code = error.code();
    if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION]
        .iter()
        .any(|sqlstate| code == Some(sqlstate))
    {
        return SourceError::Denied(format!("the database {place} refuses the user or the password"));
    }
    let reason = match error.as_db_error() {
        Some(refusal) => short(refusal.message()),
        None => {
            use std::error::Error as _;
            let mut causes: Vec<String> = vec![error.to_string()];
            let mut source = error.source();
            while let Some(cause) = source {
                causes.push(cause.to_string());
                source = cause.source();
            }
            short(causes.last().map_or("no reason", String::as_str))
        }
    };
    SourceError::Unreachable { place: format!("the database {place}"), reason }
}

/// An error of a statement. PostgreSQL quotes values in the messages of some classes (22, "invalid input syntax for type
/// integer"), so only the class that speaks of the query itself (42) is shown.
fn query_error(error: &postgres::Error, limit: TimeLimit, rows: u64) -> SourceError {
    let Some(refusal) = error.as_db_error() else {
        let reason = if error.is_closed() { "the connection was closed" } else { "the connection failed" };
        return SourceError::BrokenOff { rows, reason: reason.to_owned() };
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
        SourceError::BrokenOff { rows, reason: format!("PostgreSQL says SQLSTATE {}", code.code()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(address: &str) -> SslMode {
        let mut config: postgres::Config = address.parse().expect("an address");
        connector(&mut config, None).expect("a connector");
        config.get_ssl_mode()
    }

    #[test]
    fn another_machine_is_reached_by_tls_unless_the_address_says_otherwise() {
        assert_eq!(mode("host=db.example.org dbname=wiki"), SslMode::Require);
        assert_eq!(mode("host=db.example.org hostaddr=192.0.2.7"), SslMode::Require);
        assert_eq!(mode("host=db.example.org sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://127.0.0.1/wiki"), SslMode::Disable);
        assert_eq!(mode("postgres://localhost/wiki?sslmode=require"), SslMode::Require);
        let dir = tempfile::tempdir().expect("a directory");
        let mut config: postgres::Config = "host=localhost".parse().expect("an address");
        let named = connector(&mut config, Some(&dir.path().join("ca.pem"))).err().expect("there is no such authority");
        assert_eq!(named.code(), "source-unreachable", "who names an authority wants TLS, also on this machine");
    }
}
