//! The store as a directory of files.
//!
//! A slot is a file that is written beside its place, synced, and renamed. A log is one file of records, each with its
//! length and a checksum; an append is synced before it returns. A crash in the middle of an append leaves a torn record
//! at the end, which was promised to nobody and is cut off by the next append. The directory has mode 0700, its files 0600.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{LockedStore, Log, Slot, StateStore, StoreError};

/// The version of the layout, in the file `version`.
const LAYOUT: &str = "1";
/// A record's length and checksum stand before it.
const HEAD: usize = 4 + CHECKSUM;
/// Bytes of SHA-256 that are kept of each record: enough to see damage, which is all they are for.
const CHECKSUM: usize = 8;
/// The longest record: a sealed report of the greatest size, and what stands around it.
const MAX_RECORD: usize = 2 * 1024 * 1024;

/// A store in a directory of its own.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Threads of this process wait here; other processes at the lock file, which is locked for each holder anew.
    within: Mutex<()>,
}

impl Directory {
    /// Opens the store in `path`, and makes the directory where there is none.
    ///
    /// # Errors
    /// When the directory cannot be made or written, or was written by a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|source| StoreError::Io {
            action: "cannot make",
            what: path.display().to_string(),
            source,
        })?;
        let store = Self { path, within: Mutex::new(()) };
        match read_file(&store.path.join("version"))? {
            None => {
                let mut locked = store.lock_files()?;
                locked.write_file("version", LAYOUT.as_bytes())?;
            }
            Some(version) if version.as_slice() == LAYOUT.as_bytes() => {}
            Some(_) => return Err(StoreError::Newer { what: store.path.display().to_string() }),
        }
        Ok(store)
    }

    fn slot_path(&self, slot: Slot) -> PathBuf {
        self.path.join(format!("{}.json", slot.name()))
    }

    fn log_path(&self, log: Log) -> PathBuf {
        self.path.join(format!("{}.log", log.name()))
    }

    fn lock_files(&self) -> Result<LockedDirectory<'_>, StoreError> {
        let within = self.within.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.join("lock");
        let file = options().create(true).truncate(false).open(&path).map_err(failed("cannot open", &path))?;
        file.lock().map_err(failed("cannot lock", &path))?;
        Ok(LockedDirectory { store: self, _file: file, _within: within })
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let what = path.display().to_string();
    move |source| StoreError::Io { action, what, source }
}

fn read_file(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("cannot read", path)(error)),
    };
    // The capacity is set beforehand, so that no copy of a secret is left behind by a growing buffer.
    let size = file.metadata().map_err(failed("cannot read", path))?.len();
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1)));
    file.read_to_end(&mut bytes).map_err(failed("cannot read", path))?;
    Ok(Some(bytes))
}

/// The records in `bytes`, and how many bytes they take: what is beyond is a torn record.
fn parse(bytes: &[u8], path: &Path) -> Result<(Vec<Vec<u8>>, usize), StoreError> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((head, rest)) = bytes[at..].split_first_chunk::<HEAD>() {
        let (length, checksum) = head.split_at(4);
        let length = length.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        let whole = rest.get(..length).filter(|record| length <= MAX_RECORD && checksum_of(record) == checksum);
        let Some(record) = whole else {
            // Only the last append can be torn, and a file system may have grown the file without its content: a bad
            // record with other bytes behind it is damage.
            let unwritten = bytes[at..].iter().all(|byte| *byte == 0);
            if rest.len() > length && length <= MAX_RECORD && !unwritten {
                let reason = format!("record {} does not match its checksum", records.len() + 1);
                return Err(StoreError::Damaged { what: path.display().to_string(), reason });
            }
            break;
        };
        records.push(record.to_vec());
        at += HEAD + length;
    }
    Ok((records, at))
}

fn checksum_of(record: &[u8]) -> [u8; CHECKSUM] {
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&Sha256::digest(record)[..CHECKSUM]);
    checksum
}

/// A record as it stands in a file.
fn framed(record: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(record.len()).ok().filter(|length| *length as usize <= MAX_RECORD);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the record is too long"))?;
    Ok([&length.to_le_bytes()[..], &checksum_of(record), record].concat())
}

impl StateStore for Directory {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        read_file(&self.slot_path(slot))
    }

    fn records(&self, log: Log) -> Result<Vec<Vec<u8>>, StoreError> {
        let path = self.log_path(log);
        let bytes = read_file(&path)?.unwrap_or_default();
        parse(&bytes, &path).map(|(records, _)| records)
    }

    fn lock(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        Ok(Box::new(self.lock_files()?))
    }
}

/// The directory while this holder may change it.
struct LockedDirectory<'a> {
    store: &'a Directory,
    /// Closing the file gives the lock back, also when the process dies.
    _file: File,
    _within: MutexGuard<'a, ()>,
}

impl LockedDirectory<'_> {
    fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (path, new) = (self.store.path.join(name), self.store.path.join(format!("{name}.new")));
        let written = options().create(true).truncate(true).open(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(failed("cannot write", &new))?;
        fs::rename(&new, &path).map_err(failed("cannot write", &path))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        let path = &self.store.path;
        File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("cannot sync", path))
    }
}

impl LockedStore for LockedDirectory<'_> {
    fn store(&self) -> &dyn StateStore {
        self.store
    }

    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError> {
        self.write_file(&format!("{}.json", slot.name()), value)
    }

    fn clear(&mut self, slot: Slot) -> Result<(), StoreError> {
        let path = self.store.slot_path(slot);
        match fs::remove_file(&path) {
            Ok(()) => self.sync_directory(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("cannot remove", &path)(error)),
        }
    }

    fn append(&mut self, log: Log, record: &[u8]) -> Result<(), StoreError> {
        let path = self.store.log_path(log);
        let bytes = read_file(&path)?;
        let is_new = bytes.is_none();
        let (_, end) = parse(&bytes.unwrap_or_default(), &path)?;
        let appended = framed(record).and_then(|framed| {
            let mut file = options().create(true).truncate(false).open(&path)?;
            file.set_len(end as u64)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(end as u64))?;
            file.write_all(&framed)?;
            file.sync_all()
        });
        appended.map_err(failed("cannot append to", &path))?;
        if is_new { self.sync_directory() } else { Ok(()) }
    }

    fn replace(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        let path = self.store.log_path(log);
        let framed: io::Result<Vec<Vec<u8>>> = records.iter().map(|record| framed(record)).collect();
        let bytes = framed.map_err(failed("cannot write", &path))?.concat();
        self.write_file(&format!("{}.log", log.name()), &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn directory() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Directory::open(dir.path().join("state")).expect("a new store");
        (dir, store)
    }

    fn records(store: &Directory) -> Vec<String> {
        let records = store.records(Log::Outbox).expect("records");
        records.into_iter().map(|record| String::from_utf8(record).expect("text")).collect()
    }

    #[test]
    fn a_directory_does_what_every_store_must() {
        super::super::conformance(&directory().1);
    }

    #[test]
    fn secrets_are_readable_by_their_owner_alone() {
        let (_dir, store) = directory();
        store.lock().expect("lock").write(Slot::Link, b"secret").expect("write");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&store.path), mode(&store.slot_path(Slot::Link))), (0o700, 0o600));
    }

    #[test]
    fn a_torn_append_is_cut_off_at_every_length_and_what_was_promised_stays() {
        let (_dir, store) = directory();
        let path = store.log_path(Log::Outbox);
        store.lock().expect("lock").append(Log::Outbox, b"kept").expect("append");
        let kept = fs::read(&path).expect("the log").len();
        store.lock().expect("lock").append(Log::Outbox, b"torn").expect("append");
        let whole = fs::read(&path).expect("the log");
        for end in kept..whole.len() {
            fs::write(&path, &whole[..end]).expect("a torn log");
            assert_eq!(records(&store), ["kept"], "cut at byte {end}");
            store.lock().expect("lock").append(Log::Outbox, b"next").expect("append");
            assert_eq!(records(&store), ["kept", "next"], "cut at byte {end}");
        }
    }

    #[test]
    fn damage_in_the_middle_is_told_and_not_cut_off() {
        let (_dir, store) = directory();
        for record in [b"first", b"other"] {
            store.lock().expect("lock").append(Log::Outbox, record).expect("append");
        }
        let path = store.log_path(Log::Outbox);
        let mut bytes = fs::read(&path).expect("the log");
        bytes[HEAD] ^= 1;
        fs::write(&path, &bytes).expect("a damaged log");
        assert_eq!(store.records(Log::Outbox).expect_err("damage").code(), "store-damaged");
        let append = store.lock().expect("lock").append(Log::Outbox, b"more");
        assert_eq!(append.expect_err("nothing is appended to damage").code(), "store-damaged");
        assert_eq!(fs::read(&path).expect("the log"), bytes, "nothing was changed");
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let (_dir, store) = directory();
        fs::write(store.path.join("version"), "2").expect("another version");
        assert_eq!(Directory::open(&store.path).expect_err("newer").code(), "store-newer");
    }

    #[test]
    fn two_threads_that_append_lose_nothing() {
        let (_dir, store) = directory();
        std::thread::scope(|scope| {
            for name in ["a", "b"] {
                let store = &store;
                scope.spawn(move || {
                    for _ in 0..20 {
                        store.lock().expect("lock").append(Log::Outbox, name.as_bytes()).expect("append");
                    }
                });
            }
        });
        assert_eq!(records(&store).len(), 40);
    }
}
