//! `seatline.toml`: what the agent knows of the product beside which it runs.
//!
//! It is strict: a key that means nothing is an error that names the nearest known one. Secrets are never in it; it says
//! where they are kept. `agent/seatline.example.toml` documents every key.

pub mod database;
mod document;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use seatline_protocol::{Dimension, ProductId, PublicKey};

use crate::files;

pub use database::Database;
pub use document::nearest_of;
use document::{Found, Problem, Section};

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "seatline.toml";
/// The seconds that reading the accounts, or a dimension, may take where nothing else is said.
pub const DEFAULT_TIME_LIMIT: u64 = 300;
/// The environment variable that holds a license key where nothing else is said (`g2`).
pub const DEFAULT_LICENSE_ENVIRONMENT: &str = "SEATLINE_LICENSE";

/// The keys of every section that queries a database, beside those of the database.
const QUERY_KEYS: [&str; 2] = ["query", "time_limit"];

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the product is.
    pub product: Product,
    /// Where its accounts are read, once that is set up.
    pub accounts: Option<Accounts>,
    /// What else is measured.
    pub dimensions: Vec<DimensionQuery>,
    /// Whose licenses are trusted, and where one may lie.
    pub license: LicenseSources,
    /// What a run of the plugin may use.
    pub plugin: PluginLimits,
    /// How the agent logs.
    pub log: Log,
}

/// `[product]`
#[derive(Debug, Clone)]
pub struct Product {
    /// The product id that licenses are held against.
    pub id: ProductId,
    /// The name that people know it by.
    pub name: String,
    /// The version that runs.
    pub version: String,
    /// The edition that runs.
    pub edition: Option<String>,
    /// When the running release was built.
    pub released: Option<Timestamp>,
    /// The names of the running nodes, at least one.
    pub nodes: Vec<String>,
}

/// `[accounts]`
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The database.
    pub database: Database,
    /// The query whose columns are the fields of an account.
    pub query: String,
    /// For how many seconds the database may be read.
    pub time_limit: u64,
}

/// `[[dimension]]`
#[derive(Debug, Clone)]
pub struct DimensionQuery {
    /// What is measured.
    pub name: Dimension,
    /// The database.
    pub database: Database,
    /// The query that gives one number.
    pub query: String,
    /// For how many seconds the query may run.
    pub time_limit: u64,
}

/// `[license]`
#[derive(Debug, Clone)]
pub struct LicenseSources {
    /// The keys of the vendors whose licenses are trusted (`g1`).
    pub vendor_keys: Vec<PublicKey>,
    /// A file that holds a license key (`g2`).
    pub file: Option<PathBuf>,
    /// The environment variable that may hold a license key (`g2`).
    pub environment: String,
}

/// `[plugin]`: what is absent is as the host has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PluginLimits {
    /// The seconds that a run may take.
    pub time_limit: Option<u64>,
    /// The mebibytes of memory that a run may use.
    pub memory_mib: Option<u64>,
}

/// `[log]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// The directives of `tracing`, such as `info` or `info,seatline_host=debug`.
    pub level: Option<String>,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object each, for machines.
    Json,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no {}: run `seatline init` first, or name another data directory with --dir", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file says something that cannot be understood.
    #[error("{}, {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What and where.
        problem: Problem,
    },
}

impl ConfigError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "config-missing",
            Self::Unreadable { .. } => "config-unreadable",
            Self::Invalid { problem, .. } => problem.code(),
        }
    }
}

impl Config {
    /// Reads `seatline.toml` in the data directory `dir`, to which the paths in it are relative.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with file and line.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join(FILE_NAME);
        let text = files::read_text(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing(path.clone()),
            _ => ConfigError::Unreadable { path: path.clone(), source },
        })?;
        Self::parse(&text, dir).map_err(|problem| ConfigError::Invalid { path, problem })
    }

    /// The configuration that `text` says, its paths relative to `base`.
    ///
    /// # Errors
    /// The first problem.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Problem> {
        document::read(text, &["product", "accounts", "dimension", "license", "plugin", "log"], |top| {
            let accounts = top.find("accounts").map(|found| read_accounts(&found, base)).transpose()?;
            let dimensions = match top.find("dimension") {
                Some(found) => read_dimensions(&found, accounts.as_ref(), base)?,
                None => Vec::new(),
            };
            Ok(Self {
                product: read_product(&top.require("product")?)?,
                accounts,
                dimensions,
                license: read_license(top.find("license").as_ref(), base)?,
                plugin: top.find("plugin").map(|found| read_plugin(&found)).transpose()?.unwrap_or_default(),
                log: top.find("log").map(|found| read_log(&found)).transpose()?.unwrap_or_default(),
            })
        })
    }
}

fn read_product(found: &Found<'_, '_>) -> Result<Product, Problem> {
    let section = found.section(&["id", "name", "version", "edition", "released", "nodes"])?;
    let line = |found: Found<'_, '_>, max| {
        let text = found.text()?;
        match seatline_protocol::text::is_line(text, max) {
            true => Ok(text.to_owned()),
            false => Err(found.refuse(format_args!("must be one line of at most {max} characters"))),
        }
    };
    let nodes = match section.find("nodes") {
        None => vec!["main".to_owned()],
        Some(found) => {
            let nodes: Vec<String> = found.texts()?.into_iter().map(str::to_owned).collect();
            let distinct: std::collections::BTreeSet<&String> = nodes.iter().collect();
            let valid = nodes.iter().all(|node| seatline_protocol::text::is_line(node, 64));
            if !valid || nodes.is_empty() || nodes.len() > 256 || distinct.len() < nodes.len() {
                return Err(found.refuse("must name 1 to 256 different nodes of at most 64 characters each"));
            }
            nodes
        }
    };
    Ok(Product {
        id: section.require("id")?.parse()?,
        name: line(section.require("name")?, seatline_protocol::license::MAX_NAME)?,
        version: line(section.require("version")?, 64)?,
        edition: section.find("edition").map(|found| line(found, 64)).transpose()?,
        released: section.find("released").map(|found| read_time(&found)).transpose()?,
        nodes,
    })
}

/// A day (its beginning in UTC) or a time with its zone.
fn read_time(found: &Found<'_, '_>) -> Result<Timestamp, Problem> {
    let text = found.text()?;
    let day = |text: &str| {
        let midnight = text.parse::<Date>().ok()?.at(0, 0, 0, 0);
        Offset::UTC.to_timestamp(midnight).ok()
    };
    text.parse()
        .ok()
        .or_else(|| day(text))
        .ok_or_else(|| found.refuse("must be a day such as \"2026-03-01\", or a time such as \"2026-03-01T12:00:00Z\""))
}

fn read_accounts(found: &Found<'_, '_>, base: &Path) -> Result<Accounts, Problem> {
    let section = found.section(&[&QUERY_KEYS[..], &database::KEYS].concat())?;
    Ok(Accounts {
        database: Database::of(&section, base)?.ok_or_else(|| section.refuse("database", "is missing"))?,
        query: section.require("query")?.text()?.to_owned(),
        time_limit: read_time_limit(&section)?,
    })
}

fn read_time_limit(section: &Section<'_>) -> Result<u64, Problem> {
    section.find("time_limit").map_or(Ok(DEFAULT_TIME_LIMIT), |found| found.number(1..=86_400))
}

fn read_dimensions(
    found: &Found<'_, '_>,
    accounts: Option<&Accounts>,
    base: &Path,
) -> Result<Vec<DimensionQuery>, Problem> {
    let mut dimensions: Vec<DimensionQuery> = Vec::new();
    for section in found.sections(&[&["name"][..], &QUERY_KEYS, &database::KEYS].concat())? {
        let name: Dimension = section.require("name")?.parse()?;
        if name == Dimension::users() {
            return Err(section.refuse("name", "cannot be `users`: those are counted from [accounts]"));
        }
        if dimensions.iter().any(|other| other.name == name) {
            return Err(section.refuse("name", format_args!("`{name}` stands twice")));
        }
        let database = match Database::of(&section, base)? {
            Some(database) => database,
            None => accounts
                .map(|accounts| accounts.database.clone())
                .ok_or_else(|| section.refuse("database", "is missing: there is none in [accounts] either"))?,
        };
        let query = section.require("query")?.text()?.to_owned();
        dimensions.push(DimensionQuery { name, database, query, time_limit: read_time_limit(&section)? });
    }
    if dimensions.len() > seatline_protocol::report::MAX_MEASUREMENTS {
        return Err(found.refuse(format_args!(
            "stands more than {} times, the most that a report holds",
            seatline_protocol::report::MAX_MEASUREMENTS
        )));
    }
    Ok(dimensions)
}

fn read_license(found: Option<&Found<'_, '_>>, base: &Path) -> Result<LicenseSources, Problem> {
    let mut sources =
        LicenseSources { vendor_keys: Vec::new(), file: None, environment: DEFAULT_LICENSE_ENVIRONMENT.to_owned() };
    let Some(found) = found else { return Ok(sources) };
    let section = found.section(&["vendor_keys", "file", "environment"])?;
    if let Some(found) = section.find("vendor_keys") {
        for text in found.texts()? {
            sources.vendor_keys.push(read_public_key(text, base).map_err(|reason| found.refuse(reason))?);
        }
    }
    sources.file = section.find("file").map(|found| found.text()).transpose()?.map(|file| base.join(file));
    if let Some(found) = section.find("environment") {
        sources.environment = found.text()?.to_owned();
    }
    Ok(sources)
}

/// A key, or the file that holds one.
fn read_public_key(text: &str, base: &Path) -> Result<PublicKey, String> {
    if text.starts_with("k4.") {
        return text.parse().map_err(|error| format!("holds what is no public key: {error}"));
    }
    let path = base.join(text);
    let content = files::read_text(&path).map_err(|error| format!("names {}: {error}", path.display()))?;
    content.trim().parse().map_err(|error| format!("names {}: {error}", path.display()))
}

fn read_plugin(found: &Found<'_, '_>) -> Result<PluginLimits, Problem> {
    let section = found.section(&["time_limit", "memory_mib"])?;
    Ok(PluginLimits {
        time_limit: section.find("time_limit").map(|found| found.number(1..=86_400)).transpose()?,
        memory_mib: section.find("memory_mib").map(|found| found.number(1..=4096)).transpose()?,
    })
}

fn read_log(found: &Found<'_, '_>) -> Result<Log, Problem> {
    let section = found.section(&["format", "level"])?;
    let format = match section.find("format") {
        None => LogFormat::Text,
        Some(found) => match found.text()? {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => return Err(found.refuse("must be \"text\" or \"json\"")),
        },
    };
    let level = match section.find("level") {
        None => None,
        Some(found) => {
            let level = found.text()?;
            level.parse::<tracing_subscriber::filter::Targets>().map_err(|_| {
                found
                    .refuse("must be error, warn, info, debug or trace, or a list such as \"info,seatline_host=debug\"")
            })?;
            Some(level.to_owned())
        }
    };
    Ok(Log { format, level })
}

#[cfg(test)]
mod tests;
