//! The instance that a command works on: its data directory, its configuration and its host.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seatline_host::host::{Host, HostOptions};
use seatline_host::sandbox::Limits;
use seatline_host::store::{Directory, StateStore};
use seatline_protocol::{Digest, seal};
use zeroize::Zeroizing;

use crate::cluster::{Cluster, PostgresStore};
use crate::config::{Config, LicenseSources, State};
use crate::failure::Failure;
use crate::files;
use crate::output::warn;
use crate::product::{AccountsRead, ConfiguredProduct};

/// The directory of the state, where it is kept in files.
pub const STATE: &str = "state";
/// What a run waits for the product beyond the time limits of its databases: to connect, and for locks.
const PATIENCE_BEYOND_LIMITS: Duration = Duration::from_secs(60);

/// A configured instance, opened.
pub struct Instance {
    /// The configuration.
    pub config: Config,
    /// The host.
    pub host: Arc<Host>,
    /// How many accounts the current run has read.
    pub accounts_read: AccountsRead,
    /// The nodes that share the state, where they do.
    pub cluster: Option<Arc<Cluster>>,
}

impl Instance {
    /// Opens the instance in `dir`. The database that its server ID is bound to is looked at (`s2`); where it cannot be
    /// read, there is a warning, and the last known server ID holds. A license key in the configured file or
    /// environment variable that is not known yet is set (`g2`); where it is refused, there is a warning, and what was
    /// set before stays.
    ///
    /// # Errors
    /// When there is no valid configuration, or the state cannot be used.
    pub fn open(dir: &Path) -> Result<Self, Failure> {
        let instance = Self::open_as_it_is(dir)?;
        if let Some(problem) = instance.look_at_identity() {
            warn(&problem.code, &problem.message);
        }
        for refused in adopt_licenses(&instance.host, &instance.config.license) {
            warn(&refused.code, &refused.message);
        }
        Ok(instance)
    }

    /// Opens the instance in `dir`, and changes nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as_it_is(dir: &Path) -> Result<Self, Failure> {
        Self::open_with(dir, Config::load(dir)?)
    }

    /// As [`Self::open_as_it_is`], by a configuration that was loaded before.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn open_with(dir: &Path, config: Config) -> Result<Self, Failure> {
        Self::opened(dir, config, true)
    }

    /// As [`Self::open_with`], without a word from the product: its database may take its time, and people wait for an
    /// answer (`a7`).
    ///
    /// # Errors
    /// As [`Self::open_with`].
    pub fn open_at_once(dir: &Path, config: Config) -> Result<Self, Failure> {
        Self::opened(dir, config, false)
    }

    fn opened(dir: &Path, config: Config, waits_for_database: bool) -> Result<Self, Failure> {
        check_user(dir)?;
        let (store, cluster) = open_state(dir, &config)?;
        let product = ConfiguredProduct::new(config.clone()).on(cluster.clone());
        let accounts_read = product.accounts_read();
        let link = config.link.clone();
        let host = Arc::new(Host::open(HostOptions {
            vendor_keys: config.license.vendor_keys.clone(),
            limits: limits(&config),
            staging: config.identity.staging,
            proxy: Box::new(move || link.outbound()),
            // An ID that is bound to no database is the instance's own, and nobody has to be asked.
            waits_for_database: waits_for_database || config.identity.binding.is_none(),
            ..HostOptions::sharing(Arc::new(product), store, dir.join("plugins"))
        })?);
        Ok(Self { config, host, accounts_read, cluster })
    }

    /// As [`Self::open_with`], where a state was made before: none is made, as for whoever only looks.
    ///
    /// # Errors
    /// As [`Self::open`], and when there is no state.
    pub fn open_made(dir: &Path, config: &Config) -> Result<Self, Failure> {
        let in_directory = dir.join(STATE);
        let is_made = match &config.state {
            State::Postgres(state) => PostgresStore::lives_in(state)?,
            // One that was moved away says so when it is opened.
            _ => Directory::lives_in(&in_directory)? || Directory::was_moved(&in_directory)?,
        };
        if !is_made {
            let message = "there is no state yet, or it is gone: restore it from a backup; or, for a new one with another \
                           server ID, run `seatline server-id`";
            return Err(Failure::new("state-missing", message));
        }
        Self::open_with(dir, config.clone())
    }

    /// Looks whether the server ID is still that of the product's database; gives why that could not be seen.
    pub fn look_at_identity(&self) -> Option<Failure> {
        match self.host.look_at_identity() {
            Ok(facts) => facts.problem.map(|problem| Failure::new(problem.code, problem.message)),
            Err(error) => Some(error.into()),
        }
    }

    /// Whether it is this node's turn to synchronise and to tell administrators, as far as it knows.
    pub fn has_turn(&self) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.is_on_duty())
    }

    /// The same, after a look whether another node has taken it meanwhile.
    pub fn confirms_turn(&self) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.beat().unwrap_or_default())
    }
}

/// A state, and those who share it.
type SharedState = (Arc<dyn StateStore>, Option<Arc<Cluster>>);

/// The state where the configuration says that it is.
fn open_state(dir: &Path, config: &Config) -> Result<SharedState, Failure> {
    let in_directory = dir.join(STATE);
    let State::Postgres(state) = &config.state else {
        return Ok((Arc::new(Directory::open(in_directory)?), None));
    };
    // Another server ID beside the one that is there would make its licenses and its link strangers.
    if Directory::lives_in(&in_directory)? {
        return Err(Failure::new(
            "state-in-two-places",
            format!(
                "[state] of seatline.toml names a database, and there is a state in {}: move it there with `seatline \
                 state move`, or remove that directory if it is of no use",
                in_directory.display()
            ),
        ));
    }
    let store = Arc::new(PostgresStore::open(state)?);
    store.claim(&config.product.id)?;
    let cluster = Arc::new(Cluster::new(Arc::clone(&store), config)?);
    Ok((store, Some(cluster)))
}

/// The host's limits, with those of the configuration in their place.
fn limits(config: &Config) -> Limits {
    let mut limits = Limits::default();
    if let Some(seconds) = config.plugin.time_limit {
        limits.plugin_time = Duration::from_secs(seconds);
    }
    if let Some(mebibytes) = config.plugin.memory_mib {
        limits.memory = usize::try_from(mebibytes << 20).unwrap_or(usize::MAX);
    }
    let accounts = config.accounts.iter().map(|accounts| accounts.time_limit);
    let seconds: u64 = accounts.chain(config.dimensions.iter().map(|dimension| dimension.time_limit)).sum();
    limits.product_time = Duration::from_secs(seconds) + PATIENCE_BEYOND_LIMITS;
    limits
}

/// Sets the license keys that lie in the configured file and environment variable, if they are not known yet (`g2`).
/// Gives why any of them was not set; what was set before stays.
pub fn adopt_licenses(host: &Host, sources: &LicenseSources) -> Vec<Failure> {
    let mut refused = Vec::new();
    let mut keys = Vec::new();
    if let Some(path) = &sources.file {
        match files::read_text(path) {
            Ok(key) => keys.push((format!("the file {}", path.display()), key)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => refused.push(Failure::io("read the license key in", path, &error)),
        }
    }
    let variable = format!("the environment variable {}", sources.environment);
    match std::env::var(&sources.environment) {
        Ok(key) => keys.push((variable, Zeroizing::new(key))),
        Err(VarError::NotPresent) => {}
        Err(VarError::NotUnicode(_)) => {
            refused.push(Failure::new(
                "not-utf8",
                format!("the license key in {variable} was not set: it is not UTF-8 text"),
            ));
        }
    }
    for (place, key) in keys {
        if key.trim().is_empty() || is_known(host, &key) {
            continue;
        }
        match host.set_license(&key) {
            Ok(change) => tracing::info!(license = %change.license.id, "set the license key in {place}"),
            Err(error) => {
                refused.push(Failure::new(error.code(), format!("the license key in {place} was not set: {error}")));
            }
        }
    }
    refused
}

/// Whether the key was set before: then it is not judged again, because it may have expired or been replaced since.
fn is_known(host: &Host, key: &str) -> bool {
    let digest = Digest::of(seal::unwrap_pasted(key).as_bytes());
    host.licenses().is_ok_and(|licenses| licenses.iter().any(|license| license.digest == digest))
}

/// The system's place for the data of the agent.
const SYSTEM_DIRECTORY: &str = "/var/lib/seatline";

/// The data directory: what was given, else the system's place for root and for whom it belongs to, and the user's own
/// for anybody else.
///
/// # Errors
/// When none was given, and the user has no home directory.
pub fn data_directory(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(dir) = given {
        return Ok(dir);
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let this_user = owner(Path::new("/proc/self"));
    if this_user == Some(ROOT) || (this_user.is_some() && this_user == owner(Path::new(SYSTEM_DIRECTORY))) {
        return Ok(PathBuf::from(SYSTEM_DIRECTORY));
    }
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("seatline"))
        .ok_or_else(|| Failure::new("no-directory", "there is no home directory: name a data directory with --dir"))
}

/// The number of the user root.
const ROOT: u32 = 0;

/// The number of the user to whom a file belongs; that of `/proc/self` is this process's.
fn owner(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|file| file.uid())
}

/// Refuses to be root in the directory of another user of this machine: what root writes there, the agent of that user
/// could not read, and whoever owns a directory can lead what is written there elsewhere. A user that this machine does
/// not know is one outside of a container, in which root is alone.
///
/// # Errors
/// Whose directory it is.
pub fn check_user(dir: &Path) -> Result<(), Failure> {
    let foreign = owner(dir).filter(|user| *user != ROOT && owner(Path::new("/proc/self")) == Some(ROOT));
    let users = || std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let Some(name) = foreign.and_then(|user| name_in(&users(), user)) else { return Ok(()) };
    let dir = dir.display();
    Err(Failure::new(
        "other-user",
        format!("{dir} belongs to the user {name}: run this as that user, as with `sudo -u {name} seatline …`"),
    ))
}

/// The name of a user in the form of /etc/passwd.
fn name_in(users: &str, user: u32) -> Option<String> {
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    users.find_map(|fields| match fields.as_slice() {
        [name, _, number, ..] if number.parse() == Ok(user) => Some((*name).to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_his_number() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\n\nodd:x\nseatline:x:998:998::/var/lib/seatline:/usr/sbin/nologin\n";
        assert_eq!(name_in(users, 998).as_deref(), Some("seatline"));
        assert_eq!((name_in(users, 0).as_deref(), name_in(users, 99)), (Some("root"), None));
    }

    #[test]
    fn the_limits_of_the_configuration_take_the_place_of_the_hosts() {
        let limits_of = |rest: &str| {
            let text = format!("[product]\nid = 'x'\nname = 'X'\nversion = '1'\n{rest}");
            limits(&Config::parse(&text, Path::new("/")).expect("a configuration"))
        };
        let (plain, host) = (limits_of(""), Limits::default());
        assert_eq!((plain.plugin_time, plain.memory), (host.plugin_time, host.memory));
        let set = limits_of(
            "[plugin]\ntime_limit = 7\nmemory_mib = 3\n[accounts]\ndatabase = 'x.db'\nquery = 'q'\ntime_limit = 100\n\
             [[dimension]]\nname = 'pages'\nquery = 'q'\ntime_limit = 20",
        );
        assert_eq!((set.plugin_time, set.memory), (Duration::from_secs(7), 3 * 1024 * 1024));
        assert_eq!(set.product_time, Duration::from_secs(120) + PATIENCE_BEYOND_LIMITS);
    }
}
