//! Folders of files that are whole or not there, readable by their owner alone, with one writer at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

/// Why a file could not be used.
#[derive(Debug)]
pub(crate) struct FileError {
    /// What was tried, such as `cannot write`.
    pub action: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl FileError {
    pub fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { action, path, source }
    }
}

/// What an administrator can do about an error of the file system, to stand behind it; nothing where it says so itself.
pub(crate) fn way_out(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; run as the user that owns it, or give that user the right to write there",
        io::ErrorKind::ReadOnlyFilesystem => "; mount its file system for writing",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space there",
        _ => "",
    }
}

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// The right to change a folder. It is given back when it is dropped, and when the process dies.
pub(crate) struct Writing<'a> {
    folder: &'a Folder,
    _lock: File,
}

impl Folder {
    /// The folder at `path`, made with mode 0700 where there is none.
    pub fn open(path: PathBuf) -> Result<Self, FileError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(FileError::new("cannot make", &path))?;
        Ok(Self { path })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder itself, as text for people.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The bytes of a file, see [`read`].
    pub fn read(&self, name: &str, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
        read(&self.path(name), most)
    }

    /// What tells one [`Writing::write`] of a file from another; none where there is no file.
    pub fn stamp(&self, name: &str) -> Result<Option<[u64; 6]>, FileError> {
        let path = self.path(name);
        match fs::metadata(&path) {
            // The bits alone are compared, so a time before 1970 is as good as any.
            Ok(file) => Ok(Some([
                file.ino(),
                file.size(),
                file.mtime().cast_unsigned(),
                file.mtime_nsec().cast_unsigned(),
                file.ctime().cast_unsigned(),
                file.ctime_nsec().cast_unsigned(),
            ])),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::new("cannot look at", &path)(error)),
        }
    }

    /// A file to read, and its size; none where there is no such file.
    ///
    /// # Errors
    /// As [`read`].
    pub fn open_file(&self, name: &str, most: usize) -> Result<Option<(File, u64)>, FileError> {
        open(&self.path(name), most)
    }

    /// Waits until no other process or thread has the right to write, and takes it.
    pub fn writing(&self) -> Result<Writing<'_>, FileError> {
        let path = self.path("lock");
        let lock = owners_file().create(true).truncate(false).open(&path);
        let lock = lock.map_err(FileError::new("cannot open", &path))?;
        // Each holder opens the file anew, so that threads of one process wait for each other as well.
        lock.lock().map_err(FileError::new("cannot lock", &path))?;
        Ok(Writing { folder: self, _lock: lock })
    }
}

impl Writing<'_> {
    /// Writes a file so that a crash at any moment leaves the old one or the new one.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let mut new = self.replacement(name)?;
        new.write(bytes)?;
        new.finish()
    }

    /// Begins a file that takes the place of the present one when it is [finished](Replacement::finish).
    pub fn replacement(&self, name: &str) -> Result<Replacement<'_>, FileError> {
        let new = self.folder.path(&format!("{name}.new"));
        let file = owners_file().create(true).truncate(true).open(&new);
        let file = file.map_err(FileError::new("cannot write", &new))?;
        Ok(Replacement { writing: self, path: self.folder.path(name), new, file })
    }

    /// Writes `bytes` at the byte `at` of a file, and cuts off what was behind. A crash leaves what was before `at`.
    pub fn write_end(&self, name: &str, at: u64, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.folder.path(name);
        let is_new = !path.exists();
        let written = owners_file().create(true).truncate(false).open(&path).and_then(|mut file| {
            file.set_len(at)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(FileError::new("cannot append to", &path))?;
        if is_new { self.sync() } else { Ok(()) }
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.folder.path(name);
        match fs::remove_file(&path) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(FileError::new("cannot remove", &path)(error)),
        }
    }

    /// Removes the files whose names `unwanted` picks. What cannot be removed stays, and is told in the log: it is in
    /// nobody's way.
    pub fn sweep(&self, unwanted: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.folder.path) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(&unwanted)
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(file = %entry.path().display(), %error, "an old file stays");
            }
        }
    }

    fn sync(&self) -> Result<(), FileError> {
        let path = &self.folder.path;
        let synced = File::open(path).and_then(|folder| folder.sync_all());
        synced.map_err(FileError::new("cannot sync", path))
    }
}

/// A file on its way to take another's place. It does so as a whole, or not at all.
pub(crate) struct Replacement<'w> {
    writing: &'w Writing<'w>,
    path: PathBuf,
    new: PathBuf,
    file: File,
}

impl Replacement<'_> {
    /// Writes at its end, without a buffer in which a secret could stay behind.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(FileError::new("cannot write", &self.new))
    }

    /// Takes the place of the present file. A crash at any moment leaves the old one or the new one.
    pub fn finish(self) -> Result<(), FileError> {
        // To the nanosecond: the file system's own time stands still for some milliseconds, in which a freed inode may
        // serve again, and then two contents would have one stamp.
        let synced = self.file.set_modified(SystemTime::now()).and_then(|()| self.file.sync_all());
        synced.map_err(FileError::new("cannot write", &self.new))?;
        fs::rename(&self.new, &self.path).map_err(FileError::new("cannot write", &self.path))?;
        self.writing.sync()
    }
}

/// The bytes of the file at `path`, or none where there is no such file.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes ([`io::ErrorKind::FileTooLarge`]): such a file is not read.
pub(crate) fn read(path: &Path, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let Some((file, size)) = open(path, most)? else { return Ok(None) };
    // The room is there beforehand, so that no copy of a secret is left behind by a growing buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size as usize + 1));
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(FileError::new("cannot read", path))?;
    if bytes.len() > most { Err(too_large(path, most)) } else { Ok(Some(bytes)) }
}

/// The file at `path` and its size, see [`read`].
fn open(path: &Path, most: usize) -> Result<Option<(File, u64)>, FileError> {
    let failed = || FileError::new("cannot read", path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed()(error)),
    };
    let size = file.metadata().map_err(failed())?.len();
    if size > most as u64 { Err(too_large(path, most)) } else { Ok(Some((file, size))) }
}

fn too_large(path: &Path, most: usize) -> FileError {
    let error = io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes"));
    FileError::new("cannot read", path)(error)
}

/// For writing a file of mode 0600.
fn owners_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}
