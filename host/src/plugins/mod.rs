//! The plugin store: a directory that holds the plugin that runs, and the one before it.
//!
//! ```text
//! roster.json         which plugin is the current one, which the one before, and what they were granted
//! HEX.wasm            a component, named by its SHA-256
//! HEX.compiled        its compiled code, with this host's MAC; made anew wherever it does not fit
//! key                 the key of the MACs
//! lock                locked by who writes
//! ```
//!
//! **Installing** goes from cheap to dear, and nothing that runs now is touched until the end: size, digest, imports
//! and exports, consent, compilation, a test run on a simulated product. Then the component is written, and one rename
//! of the roster makes it the current plugin. A crash at any moment leaves the old plugin or the new one.
//!
//! **Running** begins with the digest: a component that was changed on the disk is refused by name.
//!
//! Several processes may use a store at once, such as `seatline run` and `seatline plugin install`: readers see whole
//! files, writers take turns.

mod error;
mod offered;
mod roster;
mod simulated;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use seatline_protocol::Digest;
use seatline_protocol::pairing::Secret;
use wasmtime::component::Component;

pub use crate::sandbox::{InspectError, Inspection, MAX_COMPONENT_BYTES, inspect};
pub use error::PluginError;
pub use roster::{Consent, InstalledPlugin, Roster};

use crate::files::{self, FileError, Folder, Writing};
use crate::sandbox::{Grants, Limits, LoadError, LoadedPlugin, Sandbox, compiled};

const ROSTER: &str = "roster.json";
const KEY: &str = "key";
/// More than a roster ever has.
const MAX_ROSTER_BYTES: usize = 64 * 1024;
/// Compiled code is a few times as large as the component.
const MAX_COMPILED_BYTES: usize = 16 * MAX_COMPONENT_BYTES;

/// The current plugin, ready to run.
#[derive(Debug, Clone)]
pub struct CurrentPlugin {
    /// The plugin.
    pub plugin: LoadedPlugin,
    /// What it was granted.
    pub grants: Grants,
}

/// The plugins of an instance.
pub struct PluginStore {
    files: Folder,
    limits: Limits,
    /// Made when the first plugin is loaded: most commands need none.
    sandbox: OnceLock<Sandbox>,
    /// The plugin that was loaded last. A run at every interval compiles and links nothing.
    loaded: Mutex<Option<LoadedPlugin>>,
}

impl fmt::Debug for PluginStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginStore").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Reads a plugin from a file. A file that is too large is refused without being read.
///
/// # Errors
/// When the file cannot be read, or has more than [`MAX_COMPONENT_BYTES`].
pub fn read_component(path: &Path) -> Result<Vec<u8>, PluginError> {
    let size = path.metadata().map_err(FileError::new("cannot read", path))?.len();
    if size > MAX_COMPONENT_BYTES as u64 {
        return Err(LoadError::from(InspectError::TooLarge { size }).into());
    }
    let missing = || FileError::new("cannot read", path)(io::ErrorKind::NotFound.into()).into();
    files::read(path, MAX_COMPONENT_BYTES)?.map(|mut bytes| std::mem::take(&mut *bytes)).ok_or_else(missing)
}

impl PluginStore {
    /// The store in the directory `path`, which is made where there is none. Every run is held to `limits`.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, PluginError> {
        let files = Folder::open(path.into())?;
        Ok(Self { files, limits, sandbox: OnceLock::new(), loaded: Mutex::new(None) })
    }

    /// The installed plugins: the current one, and the one before.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub fn list(&self) -> Result<Roster, PluginError> {
        match self.files.read(ROSTER, MAX_ROSTER_BYTES)? {
            None => Ok(Roster::default()),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| PluginError::Damaged { path: self.files.path(ROSTER), reason: error.to_string() }),
        }
    }

    /// The current plugin as it is installed, or none where none is. Its component is hashed anew, and nothing is
    /// compiled.
    ///
    /// # Errors
    /// When it was changed, or is missing.
    pub fn installed(&self) -> Result<Option<InstalledPlugin>, PluginError> {
        Ok(self.current_component()?.map(|(installed, _)| installed))
    }

    /// The current plugin, ready to run, or none where none is installed. Its component is hashed anew.
    ///
    /// # Errors
    /// When it was changed, is missing, or cannot be made ready to run.
    pub fn current(&self) -> Result<Option<CurrentPlugin>, PluginError> {
        let Some((installed, bytes)) = self.current_component()? else { return Ok(None) };
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let plugin = match &*loaded {
            Some(plugin) if plugin.inspection().digest == installed.digest => plugin.clone(),
            _ => loaded.insert(self.load(&bytes)?).clone(),
        };
        Ok(Some(CurrentPlugin { plugin, grants: installed.grants }))
    }

    /// Installs the component in `bytes` as the current plugin, at the time `now`. The one that it takes the place of
    /// is kept, see [`rollback`](Self::rollback).
    ///
    /// # Errors
    /// When it is no plugin, asks for more than `consent` agrees to, or fails its test run. The current plugin stays.
    pub fn install(&self, bytes: &[u8], consent: &Consent, now: Timestamp) -> Result<InstalledPlugin, PluginError> {
        let inspection = inspect(bytes).map_err(LoadError::from)?;
        let grants = consent.decide(&inspection.asks, self.list()?.current.as_ref())?;
        let (plugin, component) = self.tried(bytes, inspection.clone(), grants)?;

        let writing = self.files.writing()?;
        let roster = self.list()?;
        // Somebody else may have installed another one meanwhile: what was agreed to is held against that one.
        let grants = consent.decide(&inspection.asks, roster.current.as_ref())?;
        let installed = InstalledPlugin::new(&inspection, grants, now);
        writing.write(&file(&installed.digest, COMPONENT), bytes)?;
        self.keep_compiled(&writing, &installed.digest, &component);
        self.write_roster(&writing, &roster.with_current(installed.clone()))?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(plugin);
        Ok(installed)
    }

    /// Compiles a plugin, and tries it on a simulated product.
    fn tried(
        &self,
        bytes: &[u8],
        inspection: Inspection,
        grants: Grants,
    ) -> Result<(LoadedPlugin, Component), PluginError> {
        let sandbox = self.sandbox()?;
        let component = sandbox.compile(bytes)?;
        let plugin = sandbox.link(inspection, &component)?;
        simulated::test_run(&plugin, grants).result.map_err(PluginError::TestRun)?;
        Ok((plugin, component))
    }

    /// Makes the plugin before the current one, and keeps the current one to roll back to. Gives the plugin that is
    /// current now.
    ///
    /// # Errors
    /// When there is none before, or its component is not what was installed: then the current one stays.
    pub fn rollback(&self) -> Result<InstalledPlugin, PluginError> {
        let writing = self.files.writing()?;
        let roster = self.list()?.rolled_back()?;
        let current = roster.current.clone().ok_or(PluginError::NothingBefore)?;
        self.component(&current)?;
        self.write_roster(&writing, &roster)?;
        Ok(current)
    }

    /// Removes the current plugin and the one before. Gives the one that was current.
    ///
    /// # Errors
    /// When the roster cannot be written.
    pub fn remove(&self) -> Result<Option<InstalledPlugin>, PluginError> {
        let writing = self.files.writing()?;
        // A plugin that waits goes on waiting: it was not what was removed.
        let Roster { current: removed, waiting, .. } = self.list()?;
        self.write_roster(&writing, &Roster { waiting, ..Roster::default() })?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(removed)
    }

    /// The current plugin and its component.
    fn current_component(&self) -> Result<Option<(InstalledPlugin, Vec<u8>)>, PluginError> {
        let Some(installed) = self.list()?.current else { return Ok(None) };
        match self.component(&installed) {
            Ok(bytes) => Ok(Some((installed, bytes))),
            // Somebody may have installed or removed a plugin between the two reads.
            Err(error) => match self.list()?.current {
                None => Ok(None),
                Some(again) if again.digest == installed.digest => Err(error),
                Some(_) => self.current_component(),
            },
        }
    }

    /// The component of `installed`, which must be the one that was installed.
    fn component(&self, installed: &InstalledPlugin) -> Result<Vec<u8>, PluginError> {
        let name = file(&installed.digest, COMPONENT);
        let (name_of, version) = (installed.name.clone(), installed.version.clone());
        let path = self.files.path(&name);
        match self.files.read(&name, MAX_COMPONENT_BYTES).map_err(PluginError::from) {
            Ok(Some(mut bytes)) if Digest::of(&bytes) == installed.digest => Ok(std::mem::take(&mut *bytes)),
            Ok(Some(_)) | Err(PluginError::Damaged { .. }) => {
                Err(PluginError::Changed { name: name_of, version, path })
            }
            Ok(None) => Err(PluginError::Missing { name: name_of, version, path }),
            Err(error) => Err(error),
        }
    }

    /// Makes `bytes` ready to run, from the kept code if it is this host's own.
    fn load(&self, bytes: &[u8]) -> Result<LoadedPlugin, PluginError> {
        let inspection = inspect(bytes).map_err(LoadError::from)?;
        let sandbox = self.sandbox()?;
        if let Some(component) = self.kept_component(sandbox, &inspection.digest) {
            return Ok(sandbox.link(inspection, &component)?);
        }
        let component = sandbox.compile(bytes)?;
        match self.files.writing() {
            Ok(writing) => self.keep_compiled(&writing, &inspection.digest, &component),
            Err(error) => not_kept(&error.into()),
        }
        Ok(sandbox.link(inspection, &component)?)
    }

    fn kept_component(&self, sandbox: &Sandbox, digest: &Digest) -> Option<Component> {
        let key = self.read_key().ok()??;
        let kept = self.files.read(&file(digest, COMPILED), MAX_COMPILED_BYTES).ok()??;
        compiled::load(sandbox.engine(), &key, digest, &kept)
    }

    /// Keeps compiled code for the next start. If it cannot be kept, the next start compiles: nothing else is lost.
    fn keep_compiled(&self, writing: &Writing<'_>, digest: &Digest, component: &Component) {
        let keep = || -> Result<(), PluginError> {
            let key = self.key(writing)?;
            let kept = compiled::keep(self.sandbox()?.engine(), &key, digest, component)
                .map_err(|error| LoadError::Compile(error.to_string()))?;
            Ok(writing.write(&file(digest, COMPILED), &kept)?)
        };
        if let Err(error) = keep() {
            not_kept(&error);
        }
    }

    /// The key of the MACs, made where there is none.
    fn key(&self, writing: &Writing<'_>) -> Result<Secret, PluginError> {
        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        let key = Secret::generate().map_err(PluginError::Randomness)?;
        writing.write(KEY, key.expose())?;
        Ok(key)
    }

    /// The key of the MACs; none where there is no usable one, and what was kept with another key is compiled anew.
    fn read_key(&self) -> Result<Option<Secret>, PluginError> {
        let bytes = self.files.read(KEY, MAX_ROSTER_BYTES)?;
        Ok(bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(Secret::from_bytes))
    }

    /// Writes the roster, and then removes what it does not hold.
    fn write_roster(&self, writing: &Writing<'_>, roster: &Roster) -> Result<(), PluginError> {
        let bytes = serde_json::to_vec_pretty(roster).expect("names, digests and times are always JSON");
        writing.write(ROSTER, &bytes)?;
        writing.sweep(|name| {
            let hex = name.split('.').next().unwrap_or_default();
            hex.len() == 64 && !roster.holds(hex)
        });
        Ok(())
    }

    fn sandbox(&self) -> Result<&Sandbox, LoadError> {
        if let Some(sandbox) = self.sandbox.get() {
            return Ok(sandbox);
        }
        let sandbox = Sandbox::new(self.limits.clone())?;
        // Another thread may have been faster: then its sandbox is the one.
        Ok(self.sandbox.get_or_init(|| sandbox))
    }
}

fn not_kept(error: &PluginError) {
    tracing::warn!(%error, "compiled code is not kept, and will be compiled again");
}

const COMPONENT: &str = "wasm";
const COMPILED: &str = "compiled";

/// The file of a component, or of its compiled code.
fn file(digest: &Digest, kind: &str) -> String {
    format!("{}.{kind}", digest.hex())
}
