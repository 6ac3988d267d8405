//! The directory of the plugin store: whole files or none, readable by their owner alone, and one writer at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::PluginError;

/// A directory of files.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
}

/// The right to write. It is given back when it is dropped, and when the process dies.
pub(super) struct Writing<'a> {
    files: &'a Files,
    _lock: File,
}

impl Files {
    /// The directory at `path`, made where there is none.
    pub(super) fn open(path: PathBuf) -> Result<Self, PluginError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed("cannot make", &path))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The bytes of a file, or none where there is no such file. A file of more than `most` bytes is not read to its end:
    /// none that this store wrote is longer.
    pub(super) fn read(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, PluginError> {
        read(&self.path(name), most)
    }

    /// Waits until no other process or thread writes.
    pub(super) fn writing(&self) -> Result<Writing<'_>, PluginError> {
        let path = self.path("lock");
        let lock = options().create(true).truncate(false).open(&path).map_err(failed("cannot open", &path))?;
        lock.lock().map_err(failed("cannot lock", &path))?;
        Ok(Writing { files: self, _lock: lock })
    }
}

impl Writing<'_> {
    /// Writes a file so that a crash at any moment leaves the old one or the new one.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PluginError> {
        let (path, new) = (self.files.path(name), self.files.path(&format!("{name}.new")));
        let written = options().create(true).truncate(true).open(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(failed("cannot write", &new))?;
        fs::rename(&new, &path).map_err(failed("cannot write", &path))?;
        let directory = &self.files.path;
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("cannot sync", directory))
    }

    /// Removes the files whose names `unwanted` picks. What cannot be removed stays, and is told in the log: it is in
    /// nobody's way.
    pub(super) fn sweep(&self, unwanted: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.files.path) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(&unwanted)
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(file = %entry.path().display(), %error, "an old file of the plugin store stays");
            }
        }
    }
}

/// Reads at most `most` bytes of the file at `path`, or none where there is no such file.
pub(super) fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>, PluginError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("cannot read", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed("cannot read", path))?;
    if bytes.len() > most {
        let reason = format!("it has more than {most} bytes");
        return Err(PluginError::Damaged { path: path.to_owned(), reason });
    }
    Ok(Some(bytes))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PluginError {
    let path = path.to_owned();
    move |source| PluginError::Io { action, path, source }
}
