//! Which plugins are installed, and what they were granted: the rules, without any file.

use jiff::Timestamp;
use seatline_protocol::Digest;
use seatline_protocol::report::PluginFacts;
use serde::{Deserialize, Serialize};

use super::PluginError;
use crate::sandbox::{Capability, Grants, Inspection};

/// An installed plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    /// Its name, from its own metadata.
    pub name: String,
    /// Its version, from its own metadata.
    pub version: String,
    /// The digest of its component: what identifies it.
    pub digest: Digest,
    /// The bytes of its component.
    pub size: usize,
    /// The capabilities that it asks for.
    pub asks: Vec<Capability>,
    /// Those that the administrator granted.
    pub grants: Grants,
    /// Who publishes it, as its own metadata says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// When it was installed; of one that waits, when it was offered.
    pub installed_at: Timestamp,
}

/// The installed plugins of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The plugin that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<InstalledPlugin>,
    /// The one before, kept for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<InstalledPlugin>,
    /// One that was offered, and waits until an administrator approves what it asks for (`b6`). It has no grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<InstalledPlugin>,
}

/// What an administrator agrees to when a plugin is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// To what was granted before, and no more. A plugin that asks for more is refused with the difference.
    AsBefore,
    /// To these capabilities, after seeing what the plugin asks for. What it does not ask for is not granted.
    Granted(Grants),
}

impl Consent {
    /// What a plugin that asks for `asks` is granted, where `current` runs now.
    ///
    /// # Errors
    /// [`PluginError::AsksMore`] when nobody has agreed to all of it.
    pub(super) fn decide(&self, asks: &[Capability], current: Option<&InstalledPlugin>) -> Result<Grants, PluginError> {
        let granted = match self {
            Self::Granted(grants) => grants,
            Self::AsBefore => {
                let before = current.map(|plugin| plugin.grants.clone()).unwrap_or_default();
                let more = before.missing(asks);
                if !more.is_empty() {
                    return Err(PluginError::AsksMore { more });
                }
                return Ok(asks.iter().copied().collect());
            }
        };
        Ok(asks.iter().copied().filter(|capability| granted.contains(*capability)).collect())
    }
}

impl Roster {
    /// This roster with `plugin` as the current one. The plugin that it takes the place of is kept; installing the
    /// current one again changes its grants, and keeps what there was to roll back to.
    pub(super) fn with_current(self, plugin: InstalledPlugin) -> Self {
        let same = self.current.as_ref().is_some_and(|current| current.digest == plugin.digest);
        let previous = if same { self.previous } else { self.current };
        // What is installed waits no longer.
        let waiting = self.waiting.filter(|waiting| waiting.digest != plugin.digest);
        Self { current: Some(plugin), previous, waiting }
    }

    /// What the plugin that waits asks for, and the current one was not granted.
    pub fn asked_anew(&self) -> Vec<Capability> {
        let granted = self.current.as_ref().map(|current| current.grants.clone()).unwrap_or_default();
        self.waiting.as_ref().map(|waiting| granted.missing(&waiting.asks)).unwrap_or_default()
    }

    /// This roster with the plugin before as the current one, and the current one to roll back to.
    ///
    /// # Errors
    /// When there is no plugin before.
    pub(super) fn rolled_back(self) -> Result<Self, PluginError> {
        match self.previous {
            Some(previous) => Ok(Self { current: Some(previous), previous: self.current, waiting: self.waiting }),
            None => Err(PluginError::NothingBefore),
        }
    }

    /// Whether a plugin that is installed or waits has the digest `hex`.
    pub(super) fn holds(&self, hex: &str) -> bool {
        [&self.current, &self.previous, &self.waiting].into_iter().flatten().any(|plugin| plugin.digest.hex() == hex)
    }
}

impl InstalledPlugin {
    /// The plugin as a report names it, with the capabilities that it is granted.
    pub fn facts(&self) -> PluginFacts {
        PluginFacts {
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest.clone(),
            granted: Some(self.grants.names()),
        }
    }

    pub(super) fn new(inspection: &Inspection, grants: Grants, installed_at: Timestamp) -> Self {
        Self {
            name: inspection.name.clone(),
            version: inspection.version.clone(),
            digest: inspection.digest.clone(),
            size: inspection.size,
            asks: inspection.asks.clone(),
            grants,
            publisher: inspection.publisher.clone(),
            installed_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Capability::{Accounts, Journal, Usage};

    fn plugin(name: &str, asks: &[Capability], grants: &[Capability]) -> InstalledPlugin {
        InstalledPlugin {
            name: name.to_owned(),
            version: "1".to_owned(),
            digest: Digest::of(name.as_bytes()),
            size: 1,
            asks: asks.to_vec(),
            grants: grants.iter().copied().collect(),
            publisher: None,
            installed_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_update_that_asks_for_more_than_was_granted_waits_for_consent() {
        let current = plugin("a", &[Usage, Accounts], &[Usage]);
        let error =
            Consent::AsBefore.decide(&[Usage, Accounts, Journal], Some(&current)).expect_err("it asks for more");
        assert!(matches!(error, PluginError::AsksMore { more } if more == [Accounts, Journal]));
        let grants = Consent::AsBefore.decide(&[Usage], Some(&current)).expect("it asks for less");
        assert_eq!(grants, [Usage].into_iter().collect());
        assert!(Consent::AsBefore.decide(&[Usage], None).is_err(), "nothing was granted before");
    }

    #[test]
    fn no_more_is_granted_than_is_asked_for() {
        let grants = Consent::Granted(Grants::all()).decide(&[Usage], None).expect("granted");
        assert_eq!(grants, [Usage].into_iter().collect());
        let grants = Consent::Granted(Grants::default()).decide(&[Usage], None).expect("granted nothing");
        assert_eq!(grants, Grants::default());
    }

    #[test]
    fn a_rollback_can_be_rolled_back() {
        let roster = Roster::default().with_current(plugin("a", &[], &[])).with_current(plugin("b", &[], &[]));
        let back = roster.clone().rolled_back().expect("there is one before");
        assert_eq!(back.current, roster.previous);
        assert_eq!(back.rolled_back().expect("and back again"), roster);
        let first = Roster::default().with_current(plugin("a", &[], &[]));
        assert!(matches!(first.rolled_back(), Err(PluginError::NothingBefore)));
    }

    #[test]
    fn installing_the_current_plugin_again_changes_its_grants_alone() {
        let roster = Roster::default().with_current(plugin("a", &[], &[])).with_current(plugin("b", &[Usage], &[]));
        let again = roster.clone().with_current(plugin("b", &[Usage], &[Usage]));
        assert_eq!(again.previous, roster.previous);
        assert!(again.current.is_some_and(|current| current.grants.contains(Usage)));
    }
}
