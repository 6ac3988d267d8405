//! A plugin that was offered, and waits until an administrator approves what it asks for (`b6`).

use jiff::Timestamp;
use seatline_protocol::Digest;

use super::{COMPONENT, Consent, InstalledPlugin, PluginError, PluginStore, Roster, file, inspect};
use crate::sandbox::{Grants, LoadError};

impl PluginStore {
    /// Keeps the component in `bytes` for an administrator to approve, at the time `now`; it takes the place of one
    /// that waits. Nothing that runs is changed.
    ///
    /// # Errors
    /// When it is no plugin, or fails its test run: what waited before goes on waiting.
    pub fn offer(&self, bytes: &[u8], now: Timestamp) -> Result<Roster, PluginError> {
        let inspection = inspect(bytes).map_err(LoadError::from)?;
        self.tried(bytes, inspection.clone(), inspection.asks.iter().copied().collect())?;
        let writing = self.files.writing()?;
        let waiting = Some(InstalledPlugin::new(&inspection, Grants::default(), now));
        let roster = Roster { waiting, ..self.list()? };
        writing.write(&file(&inspection.digest, COMPONENT), bytes)?;
        self.write_roster(&writing, &roster)?;
        Ok(roster)
    }

    /// Installs the plugin that waits, with all that it asks for. `digest` says which one the administrator has looked
    /// at.
    ///
    /// # Errors
    /// When another one waits or none, its component was changed, or it fails its test run.
    pub fn approve(&self, digest: &Digest, now: Timestamp) -> Result<InstalledPlugin, PluginError> {
        let waiting = self.waiting(digest)?;
        let bytes = self.component(&waiting)?;
        self.install(&bytes, &Consent::Granted(waiting.asks.iter().copied().collect()), now)
    }

    /// Throws the plugin away that waits.
    ///
    /// # Errors
    /// When another one waits or none, or the roster cannot be written.
    pub fn decline(&self, digest: &Digest) -> Result<InstalledPlugin, PluginError> {
        let writing = self.files.writing()?;
        let declined = self.waiting(digest)?;
        self.write_roster(&writing, &Roster { waiting: None, ..self.list()? })?;
        Ok(declined)
    }

    fn waiting(&self, digest: &Digest) -> Result<InstalledPlugin, PluginError> {
        let waiting = self.list()?.waiting.filter(|waiting| waiting.digest == *digest);
        waiting.ok_or_else(|| PluginError::NotWaiting { digest: digest.clone() })
    }
}
