//! Where a database is, and how its password is had without writing it down.

mod mysql;

use std::fmt;
use std::path::{Path, PathBuf};

use seatline_postgres::PostgresAddress;
use tokio_postgres::config::SslMode;

use super::document::{Problem, Section};
use super::secret::{SecretError, SecretSource};
pub use mysql::{MysqlAddress, Server};

/// The keys that tell of a database, in every section that has one.
pub const KEYS: [&str; 5] = ["database", "database_env", "password_env", "password_file", "tls_ca_file"];

/// A database of the product, as `seatline.toml` names it.
#[derive(Debug, Clone)]
pub struct Database {
    location: Location,
    password: Option<SecretSource>,
    tls_ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Location {
    Given(Address),
    /// The environment variable that holds it, secrets and all; it is read when the database is opened.
    Environment {
        name: String,
        base: PathBuf,
    },
}

/// Why a database's address is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A secret of it.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The environment variable of this name holds something else.
    #[error("the environment variable {0} is not a path, URL or key=value text")]
    Unclear(String),
    /// It is no database of PostgreSQL, and nothing else will do.
    #[error("the database is none of PostgreSQL")]
    NotPostgres,
}

/// What a database's location comes to.
#[derive(Clone)]
pub enum Address {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of MySQL or MariaDB.
    Mysql(Box<MysqlAddress>),
    /// A database of PostgreSQL.
    Postgres(Box<PostgresAddress>),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Mysql(_) => f.write_str("Mysql(…)"),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// The options of PostgreSQL that a `key=value` text can begin with: anything else is the path of a SQLite file.
const POSTGRES_OPTIONS: [&str; 16] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslmode",
    "sslnegotiation",
    "target_session_attrs",
    "user",
];

impl Database {
    /// The database of `section`, or none where it names none. Paths are relative to `base`.
    ///
    /// # Errors
    /// When its keys contradict each other, or hold a password in clear.
    pub fn of(section: &Section<'_>, base: &Path) -> Result<Option<Self>, Problem> {
        let location = match (section.find("database"), section.find("database_env")) {
            (Some(given), None) => {
                let address = Address::parse(given.text()?, base).map_err(|reason| given.refuse(reason))?;
                if address.holds_password() {
                    return Err(given.refuse("holds a password: put it into `password_file` or `password_env`"));
                }
                Location::Given(address)
            }
            (None, Some(name)) => Location::Environment { name: name.text()?.to_owned(), base: base.to_owned() },
            (Some(_), Some(_)) => return Err(section.refuse("database_env", "cannot stand beside `database`")),
            (None, None) => {
                return match KEYS[2..].iter().find(|key| section.find(key).is_some()) {
                    Some(key) => Err(section.refuse(key, "needs a `database` beside it")),
                    None => Ok(None),
                };
            }
        };
        let password = SecretSource::of(section, "password_env", "password_file", base)?;
        let tls_ca_file = section.find("tls_ca_file").map(|file| file.text()).transpose()?.map(|file| base.join(file));
        if matches!(location, Location::Given(Address::Sqlite(_))) && (password.is_some() || tls_ca_file.is_some()) {
            let key = if password.is_some() { "password_file" } else { "tls_ca_file" };
            return Err(section.refuse(key, "is for a server: a SQLite file has no password and no TLS"));
        }
        if let Location::Given(address) = &location
            && tls_ca_file.is_some()
            && address.is_without_tls()
        {
            return Err(section.refuse(
                "tls_ca_file",
                "has no effect on a connection without TLS (`sslmode=disable`, a socket): leave it out",
            ));
        }
        Ok(Some(Self { location, password, tls_ca_file }))
    }

    /// Whether it is one of PostgreSQL, or kept in an environment variable that was not read yet.
    pub fn can_be_postgres(&self) -> bool {
        matches!(self.location, Location::Given(Address::Postgres(_)) | Location::Environment { .. })
    }

    /// The address, with its secrets fetched from where they are kept.
    ///
    /// # Errors
    /// When an environment variable or file that it needs is missing or empty.
    pub fn address(&self) -> Result<Address, AddressError> {
        let mut address = match &self.location {
            Location::Given(address) => address.clone(),
            Location::Environment { name, base } => {
                let text = SecretSource::Environment(name.clone()).read()?;
                // The parser's own words could repeat a part of the text, which may hold a password.
                Address::parse(&text, base).map_err(|_| AddressError::Unclear(name.clone()))?
            }
        };
        let password = self.password.as_ref().map(SecretSource::read).transpose()?;
        match &mut address {
            Address::Sqlite(_) => {}
            Address::Mysql(mysql) => {
                mysql.tls_ca_file.clone_from(&self.tls_ca_file);
                if let Some(password) = password {
                    mysql.password = password;
                }
            }
            Address::Postgres(postgres) => {
                postgres.tls_ca_file.clone_from(&self.tls_ca_file);
                if let Some(password) = password {
                    postgres.config.password(password.as_bytes());
                }
            }
        }
        Ok(address)
    }
}

impl Address {
    fn holds_password(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Mysql(mysql) => !mysql.password.is_empty(),
            Self::Postgres(postgres) => postgres.config.get_password().is_some(),
        }
    }

    /// Whether it says that there is no TLS.
    fn is_without_tls(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Mysql(mysql) => mysql.tls == Some(false) || matches!(mysql.server, Server::Socket(_)),
            Self::Postgres(postgres) => postgres.config.get_ssl_mode() == SslMode::Disable,
        }
    }

    /// The address that `text` names: a URL of MySQL or PostgreSQL, PostgreSQL's `key=value` pairs, or else a path
    /// relative to `base`.
    fn parse(text: &str, base: &Path) -> Result<Self, String> {
        if let Some(mysql) = MysqlAddress::parse(text) {
            return mysql.map(|address| Self::Mysql(Box::new(address)));
        }
        let first_key = text.split_once('=').map(|(key, _)| key.trim());
        let is_postgres = text.starts_with("postgres://")
            || text.starts_with("postgresql://")
            || first_key.is_some_and(|key| POSTGRES_OPTIONS.contains(&key));
        if !is_postgres {
            return match text.split_once("://") {
                Some((scheme, _)) => {
                    Err(format!("begins with `{scheme}://`: PostgreSQL, MySQL, MariaDB and SQLite files can be read"))
                }
                None => Ok(Self::Sqlite(base.join(text))),
            };
        }
        PostgresAddress::parse(text).map(|address| Self::Postgres(Box::new(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_or_options_or_else_a_path() {
        let base = Path::new("/data");
        assert!(
            matches!(Address::parse("wiki=2.db", base), Ok(Address::Sqlite(path)) if path == Path::new("/data/wiki=2.db"))
        );
        assert!(
            matches!(Address::parse("/srv/wiki.db", base), Ok(Address::Sqlite(path)) if path == Path::new("/srv/wiki.db"))
        );
        for text in ["postgres://wiki@db.example/wiki", "host=/run/postgresql dbname=wiki", "dbname = wiki host=::1"] {
            assert!(matches!(Address::parse(text, base), Ok(Address::Postgres(_))), "{text}");
        }
        for text in ["mssql://db/wiki", "mysql://db/wiki", "dbname=wiki", "postgres://db/wiki?sslmode=sometimes"] {
            Address::parse(text, base).expect_err(text);
        }
    }

    #[test]
    fn an_address_never_shows_its_password() {
        let address = Address::parse("postgres://wiki:hunter2@db.example/wiki", Path::new("")).expect("a URL");
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
