//! `[identity]`: what the server ID is made of.

use std::path::Path;

use super::accounts::{Accounts, Sql};
use super::database::{self, Database};
use super::document::{Found, Problem, Section};

/// The seconds that reading the birth mark may take where nothing else is said: every command waits for it.
const DEFAULT_TIME_LIMIT: u64 = 5;
/// The seconds between two looks of a running agent where nothing else is said.
const DEFAULT_LOOK_EVERY: u64 = 300;

/// `[identity]`
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// What the server ID is bound to; the instance's own state where there is nothing.
    pub binding: Option<Binding>,
    /// Whether this is declared to be a staging instance.
    pub staging: bool,
}

/// `policy = "database-bound"`
#[derive(Debug, Clone)]
pub struct Binding {
    /// The database, and the query that gives the birth mark of its data; none until a database is set up.
    pub sql: Option<Sql>,
    /// The schema, where the birth mark does not tell it.
    pub schema: Option<String>,
    /// For how many seconds the database may be read.
    pub time_limit: u64,
    /// After how many seconds a running agent looks again, beside the looks before its runs.
    pub look_every: u64,
}

impl Identity {
    /// Of the section; paths are relative to `base`. Where it names no database, that of the accounts is meant.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, accounts: Option<&Accounts>, base: &Path) -> Result<Self, Problem> {
        let own = ["policy", "birth_mark", "schema", "staging", "time_limit", "look_every"];
        let section = found.section(&[&own[..], &database::KEYS].concat())?;
        let staging = section.find("staging").map(|found| found.truth()).transpose()?.unwrap_or_default();
        let binding = match section.find("policy") {
            None => None,
            Some(policy) => match policy.text()? {
                "instance" => None,
                "database-bound" => Some(Binding::read(&section, accounts, base)?),
                _ => return Err(policy.refuse("must be \"instance\" or \"database-bound\"")),
            },
        };
        let needless = ["birth_mark", "schema", "time_limit", "look_every"].into_iter().chain(database::KEYS);
        match needless.filter(|_| binding.is_none()).find(|key| section.find(key).is_some()) {
            Some(key) => Err(section.refuse(key, "is for `policy = \"database-bound\"`")),
            None => Ok(Self { binding, staging }),
        }
    }
}

impl Binding {
    fn read(section: &Section<'_>, accounts: Option<&Accounts>, base: &Path) -> Result<Self, Problem> {
        let query = section.require("birth_mark")?.text()?.to_owned();
        let database = Database::of(section, base)?.or_else(|| accounts.and_then(Accounts::database).cloned());
        Ok(Self {
            sql: database.map(|database| Sql { database, query }),
            schema: section.find("schema").map(|found| found.text()).transpose()?.map(str::to_owned),
            time_limit: section.find("time_limit").map_or(Ok(DEFAULT_TIME_LIMIT), |found| found.number(1..=300))?,
            look_every: section.find("look_every").map_or(Ok(DEFAULT_LOOK_EVERY), |found| found.number(1..=86_400))?,
        })
    }
}
