//! The data directory: the database, the secrets, and what the server was last started with.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::central::Central;
use crate::domain::Clock;
use crate::keyring::Keyring;
use crate::private_file;
use crate::store::sql::{DATABASE_FILE, SqlStore};

/// The file with what the server was last started with.
const FACE_FILE: &str = "server.json";
/// Where the server listens, and products reach it, where nothing else is said.
pub(super) const DEFAULT_LISTEN: &str = "127.0.0.1:8095";
/// What the server calls itself where nothing else is said.
pub(super) const DEFAULT_NAME: &str = "Seatline Central";

/// A data directory.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
}

/// How the server presents itself. `serve` writes it down, so that `invite` says the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Face {
    pub(super) public_url: String,
    pub(super) name: String,
}

impl Place {
    /// The directory that was given, or the documented default; it is made, for its owner alone, if it is not there.
    pub(super) fn make(given: Option<PathBuf>) -> Result<Self, Failure> {
        let dir = chosen(given)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|error| Failure::new("data-directory", format!("{}: {error}", dir.display())))?;
        Ok(Self { dir })
    }

    /// The directory that was given, or the documented default, with the data that is in it.
    pub(super) fn open(given: Option<PathBuf>) -> Result<Self, Failure> {
        let dir = chosen(given)?;
        match fs::metadata(dir.join(DATABASE_FILE)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!(
                    "there is no central server in {}: begin one with `seatline-central serve`, or name another \
                     directory with --dir",
                    dir.display()
                );
                Err(Failure::new("no-data", message))
            }
            _ => Ok(Self { dir }),
        }
    }

    /// The directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The central server of this directory, as it last presented itself.
    pub(super) async fn central(&self) -> Result<Central, Failure> {
        self.central_as(&self.face()?).await
    }

    /// The central server of this directory, presenting itself as `face`.
    pub(super) async fn central_as(&self, face: &Face) -> Result<Central, Failure> {
        // The store is opened first: its error says more about a directory that is not ours than a new key file would.
        let store = Arc::new(SqlStore::sqlite(&self.dir.join(DATABASE_FILE))?);
        let keys = Keyring::open(&self.dir)?;
        Ok(Central::open(store, keys, Clock::system(), &face.name, &face.public_url).await?)
    }

    /// How the server last presented itself.
    pub(super) fn face(&self) -> Result<Face, Failure> {
        let path = self.dir.join(FACE_FILE);
        let failed = |reason: String| Failure::new("server-file", format!("{}: {reason}", path.display()));
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Face { public_url: format!("http://{DEFAULT_LISTEN}"), name: DEFAULT_NAME.to_owned() })
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Writes down how the server presents itself, whole or not at all.
    pub(super) fn remember(&self, face: &Face) -> Result<(), Failure> {
        let path = self.dir.join(FACE_FILE);
        let json = serde_json::to_vec_pretty(face).map_err(|error| Failure::new("server-file", error.to_string()))?;
        private_file::write(&path, &json)
            .map_err(|error| Failure::new("server-file", format!("{}: {error}", path.display())))
    }
}

fn chosen(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    given
        .or_else(default_dir)
        .ok_or_else(|| Failure::new("no-directory", "there is no home directory: name a data directory with --dir"))
}

/// The system's place for root, the user's for anybody else.
fn default_dir() -> Option<PathBuf> {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        return Some(PathBuf::from("/var/lib/seatline-central"));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("seatline-central"))
}
