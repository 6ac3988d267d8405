//! Connections to PostgreSQL that stream: what is read from a product's database.

use postgres::Client;
use seatline_postgres::{ConnectError, PostgresAddress, connect_error, place, prepared};

/// Connects to the database at `address`.
///
/// # Errors
/// When it cannot be reached, or does not let us in.
pub fn connect(address: &PostgresAddress) -> Result<Client, ConnectError> {
    let (config, connector) = prepared(address)?;
    let synchronous = postgres::Config::from(config.clone());
    let connected = match connector {
        Some(connector) => synchronous.connect(connector),
        None => synchronous.connect(postgres::NoTls),
    };
    connected.map_err(|error| connect_error(&error, &place(&config)))
}
