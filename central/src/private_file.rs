//! Files that are written whole or not at all, for their owner alone.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use seatline_web::secret::random;

/// Writes `bytes` to `path`, in the place of what is there. When it returns, they are on the disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.file.write_all(bytes)?;
    draft.finish()
}

/// Writes `bytes` beside `path`, to a new file that only its owner may read; gives its path.
pub(crate) fn draft(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut draft = Draft::begin(path)?;
    draft.file.write_all(bytes)?;
    draft.file.sync_all()?;
    draft.is_kept = true;
    Ok(draft.path.clone())
}

/// A file that is being written beside its place, for its owner alone. It is removed where it is not finished.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Where it is written to.
    pub(crate) file: File,
    path: PathBuf,
    place: PathBuf,
    is_kept: bool,
}

impl Draft {
    /// Begins a file that will stand at `place`.
    pub(crate) fn begin(place: &Path) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(place.file_name().unwrap_or_default());
        // Nobody else knows the name beforehand, so that in a directory of many nobody can have made the file for us.
        name.push(format!(".{:032x}", u128::from_le_bytes(random().map_err(io::Error::other)?)));
        let path = place.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, place: place.to_owned(), is_kept: false })
    }

    /// Puts it in its place. When it returns, it is there for good.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.place)?;
        self.is_kept = true;
        sync_directory(&self.place)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Syncs the directory of `path`: then a file that came or went there did so for good.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_is_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("answer.json");
        fs::write(&path, "before").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        write(&path, b"after").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"after");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "no draft stays behind");
    }

    #[test]
    fn what_cannot_be_put_in_its_place_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("taken");
        fs::create_dir(&path).expect("made");
        write(&path, b"after").expect_err("a directory is no file");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "the directory alone");
    }
}
