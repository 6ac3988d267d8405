//! `seatline.toml`: what the agent knows of the product beside which it runs.
//!
//! It is strict: a key that means nothing is an error that names the nearest known one. Secrets are never in it; it
//! says where they are kept. Each section is a file here, and `agent/seatline.example.toml` documents every key.

pub mod accounts;
pub mod database;
mod document;
mod http;
mod identity;
mod license;
mod link;
mod notices;
mod product;
mod secret;
pub mod state;

use std::path::{Path, PathBuf};

pub use accounts::{AccountSource, Accounts, DEFAULT_TIME_LIMIT, DimensionQuery, NumberSource, Sql};
pub use database::Database;
pub use document::nearest_of;
use document::{Found, Problem};
pub use http::{DEFAULT_LISTEN, Http, Metrics};
pub use identity::{Binding, Identity};
pub use license::{DEFAULT_LICENSE_ENVIRONMENT, LicenseSources};
pub use link::LinkOptions;
pub use notices::{MAX_WEBHOOKS, MailDefaults, NoticeDefaults, WebhookSource};
pub use product::Product;
pub use secret::{SecretError, SecretSource};
pub use state::{Cluster, PostgresState, Schema, State};

use crate::files;

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "seatline.toml";

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the product is.
    pub product: Product,
    /// Where its accounts are read, once that is set up.
    pub accounts: Option<Accounts>,
    /// What else is measured.
    pub dimensions: Vec<DimensionQuery>,
    /// What the server ID is made of.
    pub identity: Identity,
    /// Whose licenses are trusted, and where one may lie.
    pub license: LicenseSources,
    /// What a run of the plugin may use.
    pub plugin: PluginLimits,
    /// How the agent logs.
    pub log: Log,
    /// Where notices go, unless somebody has set something else since.
    pub notices: NoticeDefaults,
    /// Where the local API and the pages are served.
    pub http: Http,
    /// How it stays in touch with the central server.
    pub link: LinkOptions,
    /// Where the state is kept.
    pub state: State,
    /// What this node is among those that share the state.
    pub cluster: Cluster,
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

/// The sections that there are.
const SECTIONS: [&str; 13] = [
    "product",
    "identity",
    "accounts",
    "dimension",
    "license",
    "plugin",
    "log",
    "http",
    "link",
    "mail",
    "webhook",
    "state",
    "cluster",
];

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
        document::read(text, &SECTIONS, |top| {
            let state = top.find("state").map(|found| State::read(&found, base)).transpose()?.unwrap_or_default();
            let cluster = top.find("cluster").map(|found| Cluster::read(&found, &state)).transpose()?;
            let accounts = top.find("accounts").map(|found| Accounts::read(&found, base)).transpose()?;
            let dimensions = match top.find("dimension") {
                Some(found) => DimensionQuery::read_all(&found, accounts.as_ref(), base)?,
                None => Vec::new(),
            };
            let identity =
                top.find("identity").map(|found| Identity::read(&found, accounts.as_ref(), base)).transpose()?;
            Ok(Self {
                identity: identity.unwrap_or_default(),
                product: Product::read(&top.require("product")?)?,
                accounts,
                dimensions,
                license: LicenseSources::read(top.find("license").as_ref(), base)?,
                plugin: top.find("plugin").map(|found| read_plugin(&found)).transpose()?.unwrap_or_default(),
                log: top.find("log").map(|found| read_log(&found)).transpose()?.unwrap_or_default(),
                notices: NoticeDefaults::read(top.find("mail").as_ref(), top.find("webhook").as_ref(), base)?,
                http: top.find("http").map(|found| Http::read(&found, base)).transpose()?.unwrap_or_default(),
                link: top.find("link").map(|found| LinkOptions::read(&found, base)).transpose()?.unwrap_or_default(),
                state,
                cluster: cluster.unwrap_or_default(),
            })
        })
    }
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
