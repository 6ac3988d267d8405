//! The data directory and its disk.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use seatline_host::store::StoreError;

use super::Finding;
use crate::failure::Failure;
use crate::instance::check_user;

/// With less room than this, writing may fail any moment: what the outbox of reports can come to.
const LITTLE_ROOM: u64 = 256 << 20;
/// What is written to see whether writing works.
const PROBE_BYTES: usize = 64 << 10;
/// Who must not read the directory: it holds keys.
const OTHERS: u32 = 0o007;

/// Looks whether the data directory is there, is ours, can be written, and has room.
pub(super) fn directory(dir: &Path, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "directory";
    let shown = dir.display();
    let metadata = match std::fs::metadata(dir) {
        Ok(metadata) => metadata,
        // That there is no configuration is told next, with the way out.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found(Finding::bad(CHECK, Failure::io("read", dir, &error))),
    };
    if let Err(failure) = check_user(dir) {
        return found(Finding::bad(CHECK, failure));
    }
    if let Err(source) = probe(dir) {
        let (action, what) = ("cannot write into", shown.to_string());
        return found(Finding::bad(CHECK, StoreError::Io { action, what, source }));
    }
    if metadata.mode() & OTHERS != 0 {
        let message =
            format_args!("everybody on this machine can look into {shown}, which holds keys: `chmod o= {shown}`");
        return found(Finding::attention(CHECK, "directory-open", message));
    }
    match room(dir) {
        Ok(room) if room < LITTLE_ROOM => {
            let message = format_args!("{} left on the disk of {shown}: make room before it is full", mebibytes(room));
            found(Finding::attention(CHECK, "disk-nearly-full", message));
        }
        Ok(room) => found(Finding::good(CHECK, format_args!("{shown} can be written, {} left", mebibytes(room)))),
        Err(error) => found(Finding::bad(CHECK, Failure::io("look at the disk of", dir, &error))),
    }
}

/// Writes a file and removes it.
fn probe(dir: &Path) -> io::Result<()> {
    struct Removed(PathBuf);
    impl Drop for Removed {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let _removed = Removed(path);
    file.write_all(&vec![0; PROBE_BYTES])?;
    file.sync_all()
}

/// The bytes that this user can still write.
fn room(dir: &Path) -> io::Result<u64> {
    let disk = statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        mebibytes @ 0..1024 => format!("{mebibytes} MiB"),
        mebibytes => format!("{} GiB", mebibytes >> 10),
    }
}
