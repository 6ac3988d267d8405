//! Files that people hand over: read within bounds, and written for their owner alone.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;

/// The most bytes of a file with a key, a password, an invite or the configuration, with what mail adds to it.
pub const MAX_TEXT: usize = 1024 * 1024;

/// The bytes of the file at `path`. Memory that held them is zeroed: they may be a secret.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    // The room is there beforehand, so that no copy of a secret is left behind by a growing buffer.
    bounded(file, most, size.min(most) + 1)
}

/// The text of the file at `path`, of at most [`MAX_TEXT`] bytes.
///
/// # Errors
/// As [`read`], and when it is not UTF-8 ([`io::ErrorKind::InvalidData`]).
pub fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    utf8(read(path, MAX_TEXT)?)
}

/// The bytes of the file that an argument names, or of standard input for `-`.
///
/// # Errors
/// When they cannot be read, or are more than `most`.
pub fn read_argument(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match path == Path::new("-") {
        true => bounded(io::stdin().lock(), most, 0),
        false => read(path, most),
    }
    .map_err(|error| Failure::io("read", path, &error))
}

/// The text of a key or an invite that was given as itself, as `@FILE`, or as `-` for standard input.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or is far too long.
pub fn read_pasted(argument: &str) -> Result<Zeroizing<String>, Failure> {
    let path = match argument.strip_prefix('@') {
        Some(path) => path,
        None if argument == "-" => argument,
        None => return Ok(Zeroizing::new(argument.to_owned())),
    };
    let path = Path::new(path);
    utf8(read_argument(path, MAX_TEXT)?).map_err(|error| Failure::io("read", path, &error))
}

/// The secret in the file that an argument names, or on standard input for `-`, without the line break at its end.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = utf8(read_argument(path, MAX_TEXT)?).map_err(|error| Failure::io("read", path, &error))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn bounded(from: impl Read, most: usize, room: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

fn utf8(mut bytes: Zeroizing<Vec<u8>>) -> io::Result<Zeroizing<String>> {
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")
    })
}

/// Writes a new file with `mode`, synced.
///
/// # Errors
/// When it is there already ([`io::ErrorKind::AlreadyExists`]), or cannot be written.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Writes a file that is for its owner alone, new or in the place of an older one.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        file.write_all(content)
    };
    write().map_err(|error| Failure::io("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_not_beyond_whatever_its_size_says() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, "12345").expect("a file");
        assert_eq!(read(&path, 5).expect("it fits").as_slice(), b"12345");
        assert_eq!(read(&path, 4).expect_err("too large").kind(), io::ErrorKind::FileTooLarge);
        // Its size is said to be 0, and it has no end.
        let endless = read_text(Path::new("/dev/zero")).expect_err("too large");
        assert_eq!(endless.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_private_file_is_for_its_owner_alone_also_where_there_was_another() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, "an older one, and longer").expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("for everybody");
        write_private(&path, b"new").expect("written");
        assert_eq!(std::fs::read(&path).expect("the file"), b"new");
        assert_eq!(path.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
    }
}
