//! `[state]` and `[cluster]`: where the state is kept, and what this node is called among those that share it.

use std::fmt;
use std::path::Path;

use super::Database;
use seatline_postgres::PostgresAddress;

use super::database::{Address, AddressError, KEYS};
use super::document::{Found, Problem};

/// The schema of the state's tables where none is named.
pub const DEFAULT_SCHEMA: &str = "seatline";
/// After how many seconds without a sign of life a node has lapsed, where nothing else is configured.
pub const DEFAULT_LAPSE: u64 = 30;

/// `[state]`
#[derive(Debug, Clone, Default)]
pub enum State {
    /// In files in the data directory: for one node.
    #[default]
    Directory,
    /// In PostgreSQL: for all nodes that name the same schema of the same database.
    Postgres(PostgresState),
}

/// A state in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresState {
    /// The database; it is one of PostgreSQL as far as that was known beforehand.
    pub database: Database,
    /// The schema of its tables.
    pub schema: Schema,
}

/// The name of a schema: it needs no quotes, and no care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(String);

/// `[cluster]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// What this node is called; the host's name where it is not configured.
    pub node: Option<String>,
    /// After how many seconds without a sign of life it has lapsed.
    pub lapse_after: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { node: None, lapse_after: DEFAULT_LAPSE }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Schema {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
        match begins_well && text.len() <= 63 && text.bytes().all(is_known) && !text.starts_with("pg_") {
            true => Ok(Self(text.to_owned())),
            false => Err("1 to 63 characters of a-z 0-9 _ that start with a letter, and not with pg_"),
        }
    }
}

impl State {
    /// Of the section, whose paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&["store", "schema"], &KEYS[..]].concat())?;
        let database = Database::of(&section, base)?;
        let is_postgres = match section.find("store") {
            None => database.is_some(),
            Some(store) => match store.text()? {
                "postgresql" => true,
                "directory" => false,
                _ => return Err(store.refuse("must be \"directory\" or \"postgresql\"")),
            },
        };
        let schema = section.find("schema").map(|schema| schema.parse()).transpose()?;
        match (is_postgres, database) {
            (true, Some(database)) if database.can_be_postgres() => {
                Ok(Self::Postgres(PostgresState { database, schema: schema.unwrap_or_default() }))
            }
            (true, Some(_)) => {
                Err(section.refuse("database", "must be one of PostgreSQL: the state is kept nowhere else"))
            }
            (true, None) => Err(section.refuse("database", "is missing: the state in PostgreSQL needs one")),
            (false, Some(_)) => Err(section.refuse("database", "is for `store = \"postgresql\"`")),
            (false, None) if schema.is_some() => Err(section.refuse("schema", "is for `store = \"postgresql\"`")),
            (false, None) => Ok(Self::Directory),
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self(DEFAULT_SCHEMA.to_owned())
    }
}

impl PostgresState {
    /// The address of the database, with its secrets fetched from where they are kept.
    ///
    /// # Errors
    /// When they are not to be had, or the environment names another kind of database.
    pub fn address(&self) -> Result<PostgresAddress, AddressError> {
        match self.database.address()? {
            Address::Postgres(address) => Ok(*address),
            _ => Err(AddressError::NotPostgres),
        }
    }
}

impl Cluster {
    /// Of the section, which is for a state in PostgreSQL alone.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, state: &State) -> Result<Self, Problem> {
        let section = found.section(&["node", "lapse_after"])?;
        if matches!(state, State::Directory) {
            return Err(found.refuse("is for nodes that share their state: set `store = \"postgresql\"` in [state]"));
        }
        let node = section.find("node").map(|node| {
            let name = node.text()?;
            match is_node_name(name) {
                true => Ok(name.to_owned()),
                false => Err(node.refuse("must be one line of at most 64 characters")),
            }
        });
        let lapse_after = section.find("lapse_after").map(|seconds| seconds.number(3..=3600)).transpose()?;
        Ok(Self { node: node.transpose()?, lapse_after: lapse_after.unwrap_or(DEFAULT_LAPSE) })
    }
}

/// Whether a node can be called so.
pub fn is_node_name(name: &str) -> bool {
    seatline_protocol::text::is_line(name, 64)
}
