//! `[accounts]` and `[[dimension]]`: where the accounts are read, and what else is measured.

pub mod command;
pub mod fields;
pub mod http;
pub mod json;
pub mod ldap;
pub mod scim;

use std::path::Path;

use seatline_protocol::Dimension;
use seatline_protocol::report::MAX_MEASUREMENTS;

use super::database::{self, Database};
use super::document::{Found, Problem, Section};
use command::{AccountCommand, Command};
use json::{AccountEndpoint, NumberEndpoint};
use ldap::Directory;
use scim::Provider;

/// The seconds that reading the accounts, or a dimension, may take where nothing else is said.
pub const DEFAULT_TIME_LIMIT: u64 = 300;

/// `[accounts]`
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Where they are read.
    pub source: AccountSource,
    /// For how many seconds the source may be read.
    pub time_limit: u64,
}

/// Where accounts can be read. Each kind has its keys in the section, and its reader in [`crate::accounts`].
#[derive(Debug, Clone)]
pub enum AccountSource {
    /// A query whose columns are the fields of an account.
    Sql(Sql),
    /// A program that prints one account on each line.
    Command(Box<AccountCommand>),
    /// An endpoint that lists accounts as JSON.
    Json(Box<AccountEndpoint>),
    /// A directory, by LDAP.
    Ldap(Box<Directory>),
    /// An identity provider, by SCIM.
    Scim(Box<Provider>),
}

/// `[[dimension]]`
#[derive(Debug, Clone)]
pub struct DimensionQuery {
    /// What is measured.
    pub name: Dimension,
    /// What gives the number.
    pub source: NumberSource,
    /// For how many seconds it may take.
    pub time_limit: u64,
}

/// Where a number can be read.
#[derive(Debug, Clone)]
pub enum NumberSource {
    /// A query that gives one number.
    Sql(Sql),
    /// A program that prints one number.
    Command(Command),
    /// An endpoint that answers with a number in JSON.
    Json(Box<NumberEndpoint>),
}

/// A query to a database.
#[derive(Debug, Clone)]
pub struct Sql {
    /// The database.
    pub database: Database,
    /// The query.
    pub query: String,
}

impl Accounts {
    /// Of the section; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&KINDS[..], &["query", "time_limit"], &database::KEYS].concat())?;
        let source = match the_one_kind(&section, &KINDS)? {
            Some(("command", found)) => AccountSource::Command(Box::new(AccountCommand::read(&found, base)?)),
            Some(("json", found)) => AccountSource::Json(Box::new(AccountEndpoint::read(&found, base)?)),
            Some(("ldap", found)) => AccountSource::Ldap(Box::new(Directory::read(&found, base)?)),
            Some(("scim", found)) => AccountSource::Scim(Box::new(Provider::read(&found, base)?)),
            _ => {
                let missing = || section.refuse("database", "is missing");
                let database = Database::of(&section, base)?.ok_or_else(missing)?;
                AccountSource::Sql(Sql::of(&section, database)?)
            }
        };
        Ok(Self { source, time_limit: time_limit(&section)? })
    }

    /// What kind of source it is, in a word.
    pub fn kind(&self) -> &'static str {
        match &self.source {
            AccountSource::Sql(_) => "sql",
            AccountSource::Command(_) => "command",
            AccountSource::Json(_) => "json",
            AccountSource::Ldap(_) => "ldap",
            AccountSource::Scim(_) => "scim",
        }
    }

    /// The database, where the accounts are in one: that of every dimension that names none, and of the
    /// identity.
    pub(super) fn database(&self) -> Option<&Database> {
        match &self.source {
            AccountSource::Sql(sql) => Some(&sql.database),
            _ => None,
        }
    }
}

/// What accounts can be read from besides a database, each a section of its own.
const KINDS: [&str; 4] = ["command", "json", "ldap", "scim"];
/// What a dimension can be read from besides a database.
const NUMBER_KINDS: [&str; 2] = ["command", "json"];

/// The one of the `kinds` that `section` has; none, where a database is all it can have.
fn the_one_kind<'s, 'd>(
    section: &'s Section<'d>,
    kinds: &[&'static str],
) -> Result<Option<(&'static str, Found<'s, 'd>)>, Problem> {
    let mut found = kinds.iter().filter_map(|kind| section.find(kind).map(|found| (*kind, found)));
    let Some((first, value)) = found.next() else { return Ok(None) };
    let others = found.next().map(|(kind, _)| kind);
    let keys = ["query"].into_iter().chain(database::KEYS).find(|key| section.find(key).is_some());
    match others.or(keys) {
        Some(other) => Err(section.refuse(other, format_args!("cannot stand beside `{first}`: there is one source"))),
        None => Ok(Some((first, value))),
    }
}

impl Sql {
    fn of(section: &Section<'_>, database: Database) -> Result<Self, Problem> {
        Ok(Self { database, query: section.require("query")?.text()?.to_owned() })
    }
}

fn time_limit(section: &Section<'_>) -> Result<u64, Problem> {
    section.find("time_limit").map_or(Ok(DEFAULT_TIME_LIMIT), |found| found.number(1..=86_400))
}

impl DimensionQuery {
    /// Of all the sections; paths are relative to `base`.
    ///
    /// # Errors
    /// Their first problem.
    pub(super) fn read_all(
        found: &Found<'_, '_>,
        accounts: Option<&Accounts>,
        base: &Path,
    ) -> Result<Vec<Self>, Problem> {
        let mut dimensions: Vec<Self> = Vec::new();
        for section in
            found.sections(&[&["name", "query", "time_limit"][..], &NUMBER_KINDS, &database::KEYS].concat())?
        {
            let dimension = Self::of(&section, accounts, base)?;
            if dimensions.iter().any(|other| other.name == dimension.name) {
                return Err(section.refuse("name", format_args!("`{}` stands twice", dimension.name)));
            }
            dimensions.push(dimension);
        }
        if dimensions.len() > MAX_MEASUREMENTS {
            let rule = format_args!("stands more than {MAX_MEASUREMENTS} times, the most that a report holds");
            return Err(found.refuse(rule));
        }
        Ok(dimensions)
    }

    fn of(section: &Section<'_>, accounts: Option<&Accounts>, base: &Path) -> Result<Self, Problem> {
        let name: Dimension = section.require("name")?.parse()?;
        if name == Dimension::users() {
            return Err(section.refuse("name", "cannot be `users`: those are counted from [accounts]"));
        }
        let source = match the_one_kind(section, &NUMBER_KINDS)? {
            Some(("command", found)) => NumberSource::Command(Command::read(&found, base)?),
            Some(("json", found)) => NumberSource::Json(Box::new(NumberEndpoint::read(&found, base)?)),
            _ => {
                let missing = || section.refuse("database", "is missing: there is none in [accounts] either");
                let database = match Database::of(section, base)? {
                    Some(database) => database,
                    None => accounts.and_then(Accounts::database).cloned().ok_or_else(missing)?,
                };
                NumberSource::Sql(Sql::of(section, database)?)
            }
        };
        Ok(Self { name, source, time_limit: time_limit(section)? })
    }
}

#[cfg(test)]
mod tests;
