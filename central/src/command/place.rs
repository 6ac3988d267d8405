//! The data directory: the secrets, what the server was last started with, and the database where no other is named.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Failure;
use super::database::DatabaseOptions;
use crate::central::Central;
use crate::domain::Clock;
use crate::keyring::{KEY_FILE, Keyring, PSEUDONYM_FILE};
use crate::private_file;
use crate::store::Store;
use crate::store::sql::transfer::Database;

/// The file with what the server was last started with.
const FACE_FILE: &str = "server.json";
/// Where the server listens, and products reach it, where nothing else is said.
pub(super) const DEFAULT_LISTEN: &str = "127.0.0.1:8095";
/// What the server calls itself where nothing else is said.
pub(super) const DEFAULT_NAME: &str = "Seatline Central";

/// A data directory, and the database that belongs to it.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    database: Database,
}

/// What the server was last started with, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    #[serde(flatten)]
    face: Face,
    /// Where the data are, if not in the directory: whoever names no database then has forgotten to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
}

/// How the server presents itself. `serve` writes it down, so that `invite` says the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Face {
    pub(super) public_url: String,
    pub(super) name: String,
}

impl Place {
    /// The directory that was given, or the documented default; it is made, for its owner alone, if it is not there.
    pub(super) fn make(given: Option<PathBuf>, options: &DatabaseOptions) -> Result<Self, Failure> {
        let dir = chosen(given)?;
        let database = options.database(&dir)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|error| Failure::new("data-directory", format!("{}: {error}", dir.display())))?;
        Self { dir, database }.with_its_database(options)
    }

    /// The directory that was given, or the documented default, with the data that is in it or in the named database.
    pub(super) fn open(given: Option<PathBuf>, options: &DatabaseOptions) -> Result<Self, Failure> {
        let dir = chosen(given)?;
        let place = Self { database: options.database(&dir)?, dir }.with_its_database(options)?;
        let Database::Sqlite(file) = &place.database else { return Ok(place) };
        match fs::metadata(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!(
                    "there is no central server in {}: begin one with `seatline-central serve`, or name another \
                     directory with --dir",
                    file.parent().unwrap_or(&place.dir).display()
                );
                Err(Failure::new("no-data", message))
            }
            _ => Ok(place),
        }
    }

    /// The same, unless the server has its data elsewhere, and nobody has said so.
    fn with_its_database(self, options: &DatabaseOptions) -> Result<Self, Failure> {
        let elsewhere = if options.is_named() { None } else { self.remembered()?.and_then(|last| last.database) };
        match elsewhere {
            Some(place) => Err(Failure::new(
                "no-database",
                format!(
                    "the server of {} keeps its data in {place}: name it with --database, --database-file or \
                     SEATLINE_CENTRAL_DATABASE",
                    self.dir.display()
                ),
            )),
            None => Ok(self),
        }
    }

    /// The directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The database.
    pub(super) fn named(&self) -> &Database {
        &self.database
    }

    /// The database, for an administrator.
    pub(super) fn database(&self) -> String {
        self.database.place()
    }

    /// The central server of this directory, as it last presented itself.
    pub(super) async fn central(&self) -> Result<Central, Failure> {
        self.central_as(&self.face()?).await
    }

    /// The central server of this directory, presenting itself as `face`.
    pub(super) async fn central_as(&self, face: &Face) -> Result<Central, Failure> {
        // The store is opened first: its error says more about a directory that is not ours than a new key file would.
        let store = Arc::new(self.database.open().await?);
        let keys = self.keys(&*store).await?;
        Ok(Central::open(store, keys, Clock::system(), &face.name, &face.public_url).await?)
    }

    /// The keys in the directory. They are made for new data alone: data that have a key already belong to other
    /// servers too, or to a backup, and products have pinned that key.
    async fn keys(&self, store: &dyn Store) -> Result<Keyring, Failure> {
        if let Some(key) = store.bound().await?
            && let Some(missing) = [KEY_FILE, PSEUDONYM_FILE].into_iter().find(|name| !self.dir.join(name).exists())
        {
            let message = format!(
                "{} belongs to the key {key}, and {} has no {missing}: copy {KEY_FILE} and {PSEUDONYM_FILE} there from \
                 another server on these data, or from the backup of the keys",
                self.database(),
                self.dir.display()
            );
            return Err(Failure::new("no-key", message));
        }
        Ok(Keyring::open(&self.dir)?)
    }

    /// How the server last presented itself.
    pub(super) fn face(&self) -> Result<Face, Failure> {
        let unknown = || Face { public_url: format!("http://{DEFAULT_LISTEN}"), name: DEFAULT_NAME.to_owned() };
        Ok(self.remembered()?.map_or_else(unknown, |last| last.face))
    }

    /// What the server was last started with, if it ever was.
    fn remembered(&self) -> Result<Option<Remembered>, Failure> {
        let path = self.dir.join(FACE_FILE);
        let failed = |reason: String| Failure::new("server-file", format!("{}: {reason}", path.display()));
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Writes down how the server presents itself, whole or not at all.
    pub(super) fn remember(&self, face: &Face) -> Result<(), Failure> {
        let path = self.dir.join(FACE_FILE);
        let elsewhere = (!self.database.is_in(&self.dir)).then(|| self.database());
        let remembered = Remembered { face: face.clone(), database: elsewhere };
        let json =
            serde_json::to_vec_pretty(&remembered).map_err(|error| Failure::new("server-file", error.to_string()))?;
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
