//! A Unix socket: made whole under a name of its own and then put in its place, so that nobody connects before its mode
//! is set.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::secret::{hex, random};

/// For its owner and group.
const MODE: u32 = 0o660;

/// A Unix socket that is listened on. It is removed when it is dropped, if it is still the one at its path.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Listens at `path`.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        check_place(path)?;
        let draft = path.with_file_name(format!(".{}", hex(&random::<4>().map_err(io::Error::other)?)));
        let listener = net::UnixListener::bind(&draft)?;
        let placed = listener
            .set_nonblocking(true)
            .and_then(|()| fs::set_permissions(&draft, fs::Permissions::from_mode(MODE)))
            .and_then(|()| fs::metadata(&draft))
            .and_then(|metadata| fs::rename(&draft, path).map(|()| metadata.ino()));
        let inode = placed.inspect_err(|_| drop(fs::remove_file(&draft)))?;
        Ok(Self { listener: UnixListener::from_std(listener)?, path: path.to_owned(), inode })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a socket may be put at `path`: where there is nothing, or a socket on which nobody answers.
fn check_place(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another program answers there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_for_its_owner_and_group_and_goes_when_it_is_dropped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("api.sock");
        let socket = Socket::bind(&path).expect("bound");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        net::UnixStream::connect(&path).expect("somebody listens");
        drop(socket);
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
    }

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_nothing_else_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("api.sock");
        // What a killed program leaves.
        drop(net::UnixListener::bind(&path).expect("bound"));
        let first = Socket::bind(&path).expect("nobody answers on it any more");
        let second = Socket::bind(&path).expect_err("somebody answers");
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        fs::write(&path, "precious").expect("a file");
        assert_eq!(Socket::bind(&path).expect_err("a file").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "no draft stays behind");
    }

    #[tokio::test]
    async fn a_socket_that_another_has_put_in_its_place_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("api.sock");
        let socket = Socket::bind(&path).expect("bound");
        fs::remove_file(&path).expect("removed");
        let _other = net::UnixListener::bind(&path).expect("bound");
        drop(socket);
        assert!(path.exists());
    }
}
