//! Where a database is, and how it is reached: by TLS with a checked certificate unless the address says otherwise, and
//! closed in bounded time when the server vanishes.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use seatline_protocol::text;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::{Error, SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{hosts, tls};

/// For how long a connection is tried where the address does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A database of PostgreSQL, with everything that a connection needs.
#[derive(Clone)]
pub struct PostgresAddress {
    /// Host, port, user, database, password.
    pub config: Config,
    /// The authority that signed the server's certificate, where it is none of the public ones: a file in PEM form.
    pub tls_ca_file: Option<PathBuf>,
}

impl PostgresAddress {
    /// The address that `text` names: a URL, or `key=value` pairs.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with its place. It repeats nothing of a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config = text.parse::<Config>().map_err(|error| {
            use std::error::Error as _;
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            format!("is not an address of PostgreSQL: {cause}")
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("must name a host, or the directory of a socket".to_owned());
        }
        let (hosts, addresses, ports) =
            (config.get_hosts().len(), config.get_hostaddrs().len(), config.get_ports().len());
        let count = hosts.max(addresses);
        if hosts.min(addresses) > 0 && hosts != addresses {
            return Err(format!("names {hosts} hosts, and {addresses} addresses of hosts: name one for each"));
        }
        if ports > 1 && ports != count {
            return Err(format!("names {count} hosts, and {ports} ports: name one for each, or one for all"));
        }
        Ok(Self { config, tls_ca_file: None })
    }

    /// How many hosts it names.
    pub fn hosts(&self) -> usize {
        hosts::count(&self.config)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({})", place(&self.config))
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The server does not let us in.
    #[error("the database {database} refuses the user or the password")]
    Refused {
        /// The database and its host.
        database: String,
    },
    /// The server cannot be reached, or the database is not there.
    #[error("cannot reach {place}: {reason}")]
    Unreachable {
        /// The database and its host.
        place: String,
        /// One line.
        reason: String,
    },
}

/// How a connection to the database at `address` is made, and its TLS, where it has any.
///
/// # Errors
/// When the certificate authorities cannot be read.
pub(crate) fn prepared(address: &PostgresAddress) -> Result<(Config, Option<MakeRustlsConnect>), ConnectError> {
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
    let connector = connector(&mut config, address.tls_ca_file.as_deref())?;
    Ok((config, connector))
}

/// The connector for `config`, or none where TLS is off. The mode is made definite: without `sslmode`, a socket or the
/// loopback interface is reached in clear, and everything else by TLS with a checked certificate.
///
/// # Errors
/// When the certificate authorities, of `ca_file` or else of the system, cannot be read.
fn connector(config: &mut Config, ca_file: Option<&Path>) -> Result<Option<MakeRustlsConnect>, ConnectError> {
    if config.get_ssl_mode() == SslMode::Prefer {
        let mode = if is_local(config) && ca_file.is_none() { SslMode::Disable } else { SslMode::Require };
        config.ssl_mode(mode);
    }
    if config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    tls::client_config(ca_file)
        .map(|tls| Some(MakeRustlsConnect::new(tls)))
        .map_err(|reason| ConnectError::Unreachable { place: "the database by TLS".to_owned(), reason })
}

/// Whether every host is this machine.
fn is_local(config: &Config) -> bool {
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => is_loopback(name) || !config.get_hostaddrs().is_empty(),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

/// Whether `host` is this machine by its name alone, whatever a name server says.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Hosts and database, for an administrator.
pub fn place(config: &Config) -> String {
    let hosts = match hosts::count(config) {
        1 => hosts::host(config, 0),
        count => (0..count).map(|n| hosts::name(config, n)).collect::<Vec<_>>().join(", "),
    };
    match config.get_dbname().or(config.get_user()) {
        Some(database) => format!("`{}` at {}", short(database), short(&hosts)),
        None => format!("at {}", short(&hosts)),
    }
}

/// What an error of a connection that was being made means.
pub(crate) fn connect_error(error: &Error, place: &str) -> ConnectError {
    let code = error.code();
    if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION]
        .iter()
        .any(|sqlstate| code == Some(sqlstate))
    {
        return ConnectError::Refused { database: place.to_owned() };
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
    ConnectError::Unreachable { place: format!("the database {place}"), reason }
}

/// A message from a database as part of one line, short enough to leave room for the rest.
fn short(message: &str) -> String {
    text::line(message, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(address: &str) -> SslMode {
        let mut config: Config = address.parse().expect("an address");
        connector(&mut config, None).expect("a connector");
        config.get_ssl_mode()
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses_alone() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "192.0.2.1", "0.0.0.0", "::", "127.0.0.1.example.org", "wiki", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn all_hosts_are_named_and_each_has_what_belongs_to_it() {
        let address = PostgresAddress::parse("postgres://wiki@pg1,pg2:6432/wiki").expect("a URL");
        assert_eq!(place(&address.config), "`wiki` at pg1, pg2:6432");
        for odd in ["host=a,b,c port=1,2", "host=a,b hostaddr=192.0.2.1", "host=a hostaddr=192.0.2.1,192.0.2.2"] {
            assert!(PostgresAddress::parse(odd).expect_err("no address").contains("one for each"), "{odd}");
        }
    }

    #[test]
    fn an_address_never_shows_its_password() {
        let address = PostgresAddress::parse("postgres://wiki:hunter2@db.example/wiki").expect("a URL");
        assert!(!format!("{address:?}").contains("hunter2"));
        for odd in ["postgres://wiki:hunter2@db.example:x/wiki", "host=db password='hunter2", "password=hunter2"] {
            let reason = PostgresAddress::parse(odd).expect_err("no address");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
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
        let mut config: Config = "host=localhost".parse().expect("an address");
        let named = connector(&mut config, Some(&dir.path().join("ca.pem"))).err().expect("there is no such authority");
        assert!(
            matches!(named, ConnectError::Unreachable { .. }),
            "who names an authority wants TLS, also on this machine"
        );
    }
}
