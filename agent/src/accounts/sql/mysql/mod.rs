//! Accounts in a database of MySQL or MariaDB.
//!
//! The client/server protocol is spoken here, as far as one query needs it: no driver that could be had streams by TLS
//! with a certificate that the operating system's store or a file answers for, and within bounds of size and time.
//!
//! The query runs in a read-only transaction, as a part of a SELECT, so that no other statement is understood. In the
//! text protocol every column comes as text, and one row is in memory at a time.

mod packet;
mod rsa;
mod sign_in;

use packet::{Fields, Packets, Refusal, Trouble, is_end};
use seatline_host::ports::{DatabaseIdentity, DatabasePlace};

use super::{ONE_COLUMN, birth_mark};
use crate::accounts::columns::{Columns, NAMES};
use crate::accounts::is_loopback;
use crate::accounts::value::{Rows, Value};
use crate::accounts::wire::{self, Wire};
use crate::accounts::{Pass, SourceError, TimeLimit, short, tls};
use crate::config::database::{MysqlAddress, Server};

/// `COM_QUERY`
const QUERY: u8 = 3;
/// `COM_QUIT`
const QUIT: u8 = 1;
/// The type of a column that is a number in raw bits.
const TYPE_BIT: u8 = 0x10;
/// The seconds for which a lock is waited: a product's own locks are far shorter.
const LOCK_SECONDS: u64 = 5;
/// More columns than anybody means.
const MAX_COLUMNS: u64 = 64;

/// Gives every account that `query` finds to `pass`, and returns how many there were.
pub fn read_accounts(
    address: &MysqlAddress,
    query: &str,
    limit: TimeLimit,
    pass: &mut Pass<'_>,
) -> Result<u64, SourceError> {
    let mut session = Session::open(address, limit)?;
    let kinds = session.select(query, "account", "")?;
    let columns = Columns::find(kinds.iter().map(|column| column.name.as_str()))?;
    let mut rows = Rows::of(columns);
    loop {
        let read = rows.count;
        let payload = session.packets.read().map_err(|trouble| failed(&trouble, limit, read))?;
        if is_end(payload) {
            session.quit();
            return Ok(rows.count);
        }
        let mut fields = Fields(payload);
        let mut values = [Value::Null; NAMES.len()];
        for (column, value) in kinds.iter().zip(&mut values) {
            let bytes = fields.value().ok_or_else(|| failed(&Trouble::Garbage, limit, read))?;
            *value = column.value(bytes);
        }
        pass.take(rows.account(|index| values[index]))?;
    }
}

/// The one number that `query` gives.
pub fn measure(address: &MysqlAddress, query: &str, limit: TimeLimit) -> Result<u64, SourceError> {
    let mut session = Session::open(address, limit)?;
    // Two rows are enough to see that there is more than one.
    let columns = session.select(query, "dimension", " LIMIT 2")?;
    let mut numbers = Vec::new();
    loop {
        let payload = session.packets.read().map_err(|trouble| failed(&trouble, limit, numbers.len() as u64))?;
        if is_end(payload) {
            break;
        }
        let value = columns[0].value(Fields(payload).value().flatten());
        numbers.push(match value {
            Value::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            Value::Integer(number) => u64::try_from(number).ok(),
            _ => None,
        });
        if numbers.len() > 2 {
            return Err(failed(&Trouble::Garbage, limit, 2));
        }
    }
    session.quit();
    match numbers[..] {
        [Some(number)] if columns.len() == 1 => Ok(number),
        _ => Err(SourceError::NotANumber),
    }
}

/// The place of the database, and the birth mark that `query` gives. A database is a schema there.
pub fn identity(address: &MysqlAddress, query: &str, limit: TimeLimit) -> Result<DatabaseIdentity, SourceError> {
    let mut session = Session::open(address, limit)?;
    // Two rows are enough to see that there is more than one.
    if session.select(query, "birth", " LIMIT 2")?.len() != 1 {
        return Err(ONE_COLUMN);
    }
    let mut marks = Vec::new();
    loop {
        let payload = session.packets.read().map_err(|trouble| failed(&trouble, limit, 0))?;
        if is_end(payload) || marks.len() > 2 {
            break;
        }
        // The bytes as they are: a text, the digits of a number, or an identifier in sixteen bytes.
        let mark = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        marks.push(Fields(payload).value().flatten().map(mark));
    }
    session.quit();
    let host = match &address.server {
        Server::Tcp(host, port) => (host.clone(), *port),
        Server::Socket(path) => (path.display().to_string(), 0),
    };
    let place = DatabasePlace::Server { hosts: vec![host], database: address.database.clone(), schema: None };
    Ok(DatabaseIdentity { place, birth_mark: birth_mark(marks)? })
}

/// A column of a result.
struct Column {
    name: String,
    is_bits: bool,
}

impl Column {
    /// Of `Protocol::ColumnDefinition41`.
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        for _catalog_schema_table_and_its_origin in 0..4 {
            fields.text()?;
        }
        let name = String::from_utf8_lossy(fields.text()?).into_owned();
        fields.text()?;
        fields.take(7)?;
        Some(Self { name, is_bits: fields.u8()? == TYPE_BIT })
    }

    /// A value of the column.
    fn value<'r>(&self, bytes: Option<&'r [u8]>) -> Value<'r> {
        match bytes {
            None => Value::Null,
            Some(bits) if self.is_bits => {
                let number = bits.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                i64::try_from(number).map_or(Value::Other, Value::Integer)
            }
            // How both write that there is no date.
            Some(date) if date.starts_with(b"0000-00-00") => Value::Null,
            Some(text) => Value::Text(text),
        }
    }
}

/// A connection with a read-only transaction.
struct Session {
    packets: Packets,
    limit: TimeLimit,
}

impl Session {
    fn open(address: &MysqlAddress, limit: TimeLimit) -> Result<Self, SourceError> {
        let place = place(address);
        let (packets, version) = connect(address, limit).map_err(|trouble| refused(&trouble, &place, limit))?;
        let mut session = Self { packets, limit };
        let seconds = limit.left()?.as_secs() + 1;
        // Each of the two has its own, and does not know the other's.
        let statement_limit = if version.contains("MariaDB") {
            format!("max_statement_time = {seconds}")
        } else {
            format!("max_execution_time = {}", seconds * 1000)
        };
        session.set(&statement_limit, true)?;
        session.set(&format!("lock_wait_timeout = {LOCK_SECONDS}"), true)?;
        // How long it waits for us, while we wait for whoever counts.
        session.set(&format!("net_write_timeout = {seconds}"), true)?;
        session.set("time_zone = '+00:00'", false)?;
        session.run("START TRANSACTION READ ONLY")?;
        Ok(session)
    }

    /// Sets a variable of the session. Old servers lack some that can be done without.
    fn set(&mut self, assignment: &str, may_be_unknown: bool) -> Result<(), SourceError> {
        const UNKNOWN_VARIABLE: u16 = 1193;
        match self.try_run(&format!("SET SESSION {assignment}")) {
            Err(Trouble::Refused(refusal)) if may_be_unknown && refusal.number == UNKNOWN_VARIABLE => Ok(()),
            done => done.map_err(|trouble| failed(&trouble, self.limit, 0)),
        }
    }

    fn run(&mut self, statement: &str) -> Result<(), SourceError> {
        self.try_run(statement).map_err(|trouble| failed(&trouble, self.limit, 0))
    }

    /// Runs a statement that gives no rows.
    fn try_run(&mut self, statement: &str) -> Result<(), Trouble> {
        self.packets.command(QUERY, statement.as_bytes())?;
        if self.packets.read()?[0] == 0 { Ok(()) } else { Err(Trouble::Garbage) }
    }

    /// Begins to read `query`, as a table that is called `name`.
    fn select(&mut self, query: &str, name: &str, rest: &str) -> Result<Vec<Column>, SourceError> {
        let query = query.trim_end().trim_end_matches(';');
        let statement = format!("SELECT * FROM (\n{query}\n) AS {name}{rest}");
        self.columns(&statement)?.ok_or_else(|| SourceError::Columns(format!("there are more than {MAX_COLUMNS}")))
    }

    fn columns(&mut self, statement: &str) -> Result<Option<Vec<Column>>, SourceError> {
        let limit = self.limit;
        let mut columns = || {
            self.packets.command(QUERY, statement.as_bytes())?;
            let number = Fields(self.packets.read()?).length().filter(|number| *number > 0).ok_or(Trouble::Garbage)?;
            if number > MAX_COLUMNS {
                return Ok(None);
            }
            let mut columns = Vec::new();
            for _ in 0..number {
                columns.push(Column::parse(self.packets.read()?).ok_or(Trouble::Garbage)?);
            }
            if is_end(self.packets.read()?) { Ok(Some(columns)) } else { Err(Trouble::Garbage) }
        };
        columns().map_err(|trouble| failed(&trouble, limit, 0))
    }

    /// Says goodbye, so that the server notes no broken connection. Nothing depends on it.
    fn quit(&mut self) {
        let _ = self.packets.command(QUIT, b"");
    }
}

/// Connects and signs in; gives the server's version as well.
fn connect(address: &MysqlAddress, limit: TimeLimit) -> Result<(Packets, String), Trouble> {
    let wire = match &address.server {
        Server::Socket(path) => Wire::unix(path, limit)?,
        Server::Tcp(host, port) => Wire::tcp(host.trim_start_matches('[').trim_end_matches(']'), *port, limit)?,
    };
    let mut packets = Packets::over(wire);
    let greeting = sign_in::greeting(&mut packets)?;
    if let Server::Tcp(host, _) = &address.server
        && address.tls.unwrap_or(address.tls_ca_file.is_some() || !is_loopback(host))
    {
        let config = tls::client_config(address.tls_ca_file.as_deref()).map_err(Trouble::SignIn)?;
        greeting.ask_for_tls(&mut packets)?;
        packets.wire().secure(config, host)?;
    }
    greeting.sign_in(&mut packets, address)?;
    Ok((packets, greeting.version))
}

/// Host and database, for an administrator.
fn place(address: &MysqlAddress) -> String {
    let server = match &address.server {
        Server::Tcp(host, _) => short(host),
        Server::Socket(path) => path.display().to_string(),
    };
    format!("`{}` at {server}", short(&address.database))
}

/// Why there is no session.
fn refused(trouble: &Trouble, place: &str, limit: TimeLimit) -> SourceError {
    let place = format!("the database {place}");
    let reason = match trouble {
        Trouble::Io(error) => return wire::connect_error(error, &place, limit),
        // ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR
        Trouble::Refused(Refusal { number: 1044 | 1045 | 1698, .. }) => {
            return SourceError::Denied(format!("{place} refuses the user or the password"));
        }
        Trouble::Refused(refusal) => short(&refusal.message),
        Trouble::SignIn(reason) => reason.clone(),
        Trouble::Garbage | Trouble::TooLarge => "what answers is no server of MySQL or MariaDB".to_owned(),
    };
    SourceError::Unreachable { place, reason }
}

/// What went wrong after `rows` rows. The server quotes values in the messages of some classes, so only the class that
/// speaks of the query itself (42) is shown.
fn failed(trouble: &Trouble, limit: TimeLimit, rows: u64) -> SourceError {
    let reason = match trouble {
        Trouble::Io(error) => return wire::read_error(error, limit, rows),
        Trouble::Refused(Refusal { number, state, message }) => match number {
            // ER_STATEMENT_TIMEOUT of MariaDB, ER_QUERY_TIMEOUT of MySQL, ER_QUERY_INTERRUPTED
            1969 | 3024 | 1317 => return SourceError::TimeLimit(limit.seconds),
            // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK
            1205 | 1213 => return SourceError::Locked,
            // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_OPTION_PREVENTS_STATEMENT
            1792 | 1290 => return SourceError::Writes,
            // Of a table, a column, a routine; ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR
            1142 | 1143 | 1370 | 1227 | 1044 => return SourceError::Denied(short(message)),
            _ if state.starts_with(b"42") => return SourceError::Query(short(message)),
            _ => format!("the server says error {number}"),
        },
        Trouble::TooLarge => "a row has more than 16777214 bytes".to_owned(),
        Trouble::Garbage | Trouble::SignIn(_) => "the server does not keep to the protocol".to_owned(),
    };
    SourceError::BrokenOff { rows, reason }
}
