//! Which database the data are kept in, and how it is named without showing its password.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use seatline_postgres::place;
use zeroize::Zeroizing;

use super::Failure;
use crate::store::sql::transfer::Database;
use crate::store::sql::{DATABASE_FILE, PostgresAddress, SqlStore};

/// The most bytes of a file that names a database: more is none.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Where the data are kept.
#[derive(Debug, Default, Args)]
pub(super) struct DatabaseOptions {
    /// The database: postgres://USER@HOST/NAME, or sqlite:PATH; the default is the file central.db in the data
    /// directory. Others on this machine can see what is written here: a password belongs into the environment
    /// variable or into --database-file
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SEATLINE_CENTRAL_DATABASE",
        hide_env_values = true,
        conflicts_with = "database_file"
    )]
    database: Option<String>,
    /// A file that holds what --database would say, with its password
    #[arg(long, global = true, value_name = "FILE", env = "SEATLINE_CENTRAL_DATABASE_FILE")]
    database_file: Option<PathBuf>,
    /// The authority that signed the certificate of the database's server, where it is none of the public ones: a file
    /// in PEM form
    #[arg(long, global = true, value_name = "FILE", env = "SEATLINE_CENTRAL_DATABASE_CA_FILE")]
    database_ca_file: Option<PathBuf>,
}

impl DatabaseOptions {
    /// Whether a database was named.
    pub(super) fn is_named(&self) -> bool {
        self.database.is_some() || self.database_file.is_some()
    }

    /// The database that was named, or the file in `dir`.
    pub(super) fn database(&self, dir: &Path) -> Result<Database, Failure> {
        match (&self.database, &self.database_file) {
            (Some(text), _) => self.parsed(text),
            (None, Some(file)) => self.parsed(&read(file)?),
            (None, None) => Ok(Database::Sqlite(dir.join(DATABASE_FILE))),
        }
    }

    /// The database that an argument names, itself or as `@FILE`.
    pub(super) fn named(&self, argument: &str) -> Result<Database, Failure> {
        match argument.strip_prefix('@') {
            Some(file) => self.parsed(&read(Path::new(file))?),
            None => self.parsed(argument),
        }
    }

    fn parsed(&self, text: &str) -> Result<Database, Failure> {
        match Database::parse(text.trim()).map_err(|reason| invalid(&reason))? {
            Database::Postgres(address) => {
                let tls_ca_file = self.database_ca_file.clone();
                Ok(Database::Postgres(Box::new(PostgresAddress { tls_ca_file, ..*address })))
            }
            database => Ok(database),
        }
    }
}

impl Database {
    /// The database that a text names: `sqlite:PATH`, a URL of PostgreSQL, or its `key=value` pairs. An error repeats
    /// nothing of the text, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err("it names no file: write sqlite:PATH".to_owned())
            } else {
                Ok(Self::Sqlite(PathBuf::from(path)))
            };
        }
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let has_options = !text.contains("://") && text.contains('=');
        if !is_postgres && !has_options {
            return Err("it is neither postgres://USER@HOST/NAME nor sqlite:PATH".to_owned());
        }
        let address = PostgresAddress::parse(text).map_err(|reason| format!("it {reason}"))?;
        Ok(Self::Postgres(Box::new(address)))
    }

    /// Opens the store in it, and brings its tables up to date.
    pub(super) async fn open(&self) -> Result<SqlStore, Failure> {
        Ok(match self {
            Self::Sqlite(path) => SqlStore::sqlite(path)?,
            Self::Postgres(address) => SqlStore::postgres((**address).clone()).await?,
        })
    }

    /// Whether it is the file in `dir`.
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        matches!(self, Self::Sqlite(path) if *path == dir.join(DATABASE_FILE))
    }

    /// Where it is, for an administrator; without its password.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("the file {}", path.display()),
            Self::Postgres(address) => format!("the database {}", place(&address.config)),
        }
    }
}

fn invalid(reason: &str) -> Failure {
    Failure::new("database", format!("the database cannot be used as it is named: {reason}"))
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |reason: String| Failure::new("database-file", format!("{}: {reason}", path.display()));
    let file = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if file.len() > MAX_FILE_BYTES {
        return Err(failed("it is too long to name a database".to_owned()));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_a_url_or_by_options() {
        for (text, path) in [("sqlite:/srv/central.db", "/srv/central.db"), ("sqlite:central.db", "central.db")] {
            assert!(matches!(Database::parse(text), Ok(Database::Sqlite(found)) if found == Path::new(path)), "{text}");
        }
        for text in ["postgres://seatline@db.example.org/central", "host=/run/postgresql dbname=central"] {
            assert!(matches!(Database::parse(text), Ok(Database::Postgres(_))), "{text}");
        }
        for text in ["", "sqlite:", "central.db", "mysql://db.example.org/central", "postgres://"] {
            Database::parse(text).expect_err(text);
        }
    }

    #[test]
    fn a_file_that_is_too_long_to_name_a_database_is_not_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("database");
        fs::write(&path, " ".repeat(16 * 1024)).expect("written");
        assert_eq!(read(&path).expect("as long as it may be").len(), 16 * 1024);
        fs::write(&path, "hunter2".repeat(16 * 1024)).expect("written");
        let failure = format!("{:?}", read(&path).expect_err("too long"));
        assert!(failure.contains("too long to name a database") && !failure.contains("hunter2"), "{failure}");
    }

    #[test]
    fn a_password_is_in_no_error_and_no_place() {
        for text in ["mysql://ada:hunter2@db", "postgres://ada:hunter2@db:port/central", "postgres://ada:hunter2@"] {
            let reason = Database::parse(text).expect_err(text);
            assert!(!reason.contains("hunter2"), "{reason}");
        }
        let database = Database::parse("postgres://ada:hunter2@db.example.org/central").expect("a URL");
        assert_eq!(database.place(), "the database `central` at db.example.org");
        assert!(!format!("{database:?}").contains("hunter2"));
    }
}
