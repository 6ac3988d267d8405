//! Why the plugin store cannot do what was asked.

use std::io;
use std::path::PathBuf;

use seatline_protocol::Digest;

use crate::files::{self, FileError};
use crate::sandbox::{Capability, LoadError, RunError};

/// Why the plugin store cannot do what was asked. What was there before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// A file or the directory cannot be used.
    #[error("{action} {}: {source}{}", .path.display(), files::way_out(.source))]
    Io {
        /// What was tried, such as `cannot write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A file of the store is not what the store wrote.
    #[error("{} is damaged ({reason}); install the plugin again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The component of an installed plugin is not the one that was installed.
    #[error("plugin {name} {version} was changed on the disk: {} is not the component that was installed; install it again or roll back", .path.display())]
    Changed {
        /// The plugin's name.
        name: String,
        /// The plugin's version.
        version: String,
        /// The component's file.
        path: PathBuf,
    },
    /// The component of an installed plugin is gone.
    #[error("plugin {name} {version} is installed, but {} is missing; install it again or roll back", .path.display())]
    Missing {
        /// The plugin's name.
        name: String,
        /// The plugin's version.
        version: String,
        /// The component's file.
        path: PathBuf,
    },
    /// The component cannot be made ready to run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The plugin asks for what nobody has granted.
    #[error("the plugin asks for more than was granted: {}; look at what it asks for, and grant it if you agree", names(.more))]
    AsksMore {
        /// The capabilities that are not granted.
        more: Vec<Capability>,
    },
    /// The plugin did not pass its test run.
    #[error("the plugin was not installed: on a simulated product, {0}")]
    TestRun(#[source] RunError),
    /// No plugin of this digest waits.
    #[error(
        "no plugin with the digest {digest} waits: it was installed or refused, or another was offered in its place"
    )]
    NotWaiting {
        /// The digest.
        digest: Digest,
    },
    /// There is no plugin before the current one.
    #[error("there is no plugin before the current one to roll back to")]
    NothingBefore,
    /// The operating system has no randomness for the key of the MACs.
    #[error("cannot make the key of the plugin store: {0}")]
    Randomness(getrandom::Error),
}

impl From<FileError> for PluginError {
    fn from(error: FileError) -> Self {
        let FileError { action, path, source } = error;
        if source.kind() == io::ErrorKind::FileTooLarge {
            return Self::Damaged { path, reason: source.to_string() };
        }
        Self::Io { action, path, source }
    }
}

fn names(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.name()).collect::<Vec<_>>().join(", ")
}

impl PluginError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "plugin-store-io",
            Self::Damaged { .. } => "plugin-store-damaged",
            Self::Changed { .. } => "plugin-changed",
            Self::Missing { .. } => "plugin-missing",
            Self::Load(error) => error.code(),
            Self::AsksMore { .. } => "plugin-asks-more",
            Self::TestRun(_) => "plugin-failed-test-run",
            Self::NotWaiting { .. } => "plugin-not-waiting",
            Self::NothingBefore => "plugin-nothing-before",
            Self::Randomness(_) => "plugin-store-randomness",
        }
    }
}
