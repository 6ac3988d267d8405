//! The store as a directory of files.
//!
//! A slot is a file that is written beside its place, synced, and renamed. A log is one file of records, each behind a
//! head with its length and a checksum; an append is synced before it returns. A crash in the middle of an append leaves a
//! torn record at the end, which was promised to nobody and is cut off by the next append. Whatever else does not fit is
//! damage: it is told, and nothing is cut off. The directory has mode 0700, its files 0600.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{LockedStore, Log, Slot, Stamp, StateStore, StoreError};
use crate::files::{Folder, Writing};

/// The version of the layout, in the file `version`.
const LAYOUT: &str = "1";
const VERSION: &str = "version";
/// A record's length, the same with all bits turned over, and the record's checksum stand before it. The second length
/// tells damage of the first from a record that is torn.
const HEAD: usize = 4 + 4 + CHECKSUM;
/// Bytes of SHA-256 that are kept of each record: enough to see damage, which is all they are for.
const CHECKSUM: usize = 8;
/// The longest record: a sealed report of the greatest size, and what stands around it.
const MAX_RECORD: usize = 2 * 1024 * 1024;
/// The most bytes of a slot: 64 license keys of the greatest size have half of it.
const MAX_SLOT_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a log: what [`crate::outbox`] puts into one is half of it.
const MAX_LOG_BYTES: usize = 160 * 1024 * 1024;

/// A store in a directory of its own.
#[derive(Debug)]
pub struct Directory {
    files: Folder,
}

impl Directory {
    /// Opens the store in `path`, and makes the directory where there is none.
    ///
    /// # Errors
    /// When the directory cannot be made or written, or was written by a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let files = Folder::open(path.into())?;
        match files.read(VERSION, LAYOUT.len()) {
            Ok(None) => files.writing()?.write(VERSION, LAYOUT.as_bytes())?,
            Ok(Some(version)) if version.as_slice() == LAYOUT.as_bytes() => {}
            Err(error) if error.source.kind() != std::io::ErrorKind::FileTooLarge => return Err(error.into()),
            Ok(Some(_)) | Err(_) => return Err(StoreError::Newer { what: files.shown() }),
        }
        Ok(Self { files })
    }
}

fn slot_file(slot: Slot) -> String {
    format!("{}.json", slot.name())
}

fn log_file(log: Log) -> String {
    format!("{}.log", log.name())
}

/// The records in `bytes`, and how many bytes they take: what is beyond is a torn record. Or what is damaged.
fn parse(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, usize), String> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((head, rest)) = bytes[at..].split_first_chunk::<HEAD>() {
        // A file system may have grown the file without its content.
        if bytes[at..].iter().all(|byte| *byte == 0) {
            break;
        }
        let number = records.len() + 1;
        let (length, checksum) = (length_in(head), &head[8..]);
        let length = length.ok_or_else(|| format!("the length of record {number} cannot be"))?;
        // Only the last append can be torn, and then its end is missing.
        let Some(record) = rest.get(..length) else { break };
        if checksum_of(record) != checksum {
            if rest.len() == length {
                break;
            }
            return Err(format!("record {number} does not match its checksum"));
        }
        records.push(record.to_vec());
        at += HEAD + length;
    }
    Ok((records, at))
}

/// The length in a head; none where it is damaged.
fn length_in(head: &[u8; HEAD]) -> Option<usize> {
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    (number(0) == !number(4)).then_some(number(0) as usize).filter(|length| *length <= MAX_RECORD)
}

fn checksum_of(record: &[u8]) -> [u8; CHECKSUM] {
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&Sha256::digest(record)[..CHECKSUM]);
    checksum
}

/// A record as it stands in a file; none if it is too long.
fn framed(record: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(record.len()).ok().filter(|length| *length as usize <= MAX_RECORD)?;
    Some([&length.to_le_bytes()[..], &(!length).to_le_bytes(), &checksum_of(record), record].concat())
}

impl Directory {
    /// The records of a log, and where they end.
    fn read_log(&self, log: Log) -> Result<(Vec<Vec<u8>>, usize), StoreError> {
        let name = log_file(log);
        let Some(bytes) = self.files.read(&name, MAX_LOG_BYTES)? else { return Ok((Vec::new(), 0)) };
        parse(&bytes).map_err(|reason| StoreError::Damaged {
            what: self.files.path(&name).display().to_string(),
            reason,
            way_out: log.way_out(),
        })
    }

    /// That `what` would become longer than it may be. Nothing is written that could not be read.
    fn too_long(&self, name: &str) -> StoreError {
        let source = std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it would become too long");
        StoreError::Io { action: "cannot write", what: self.files.path(name).display().to_string(), source }
    }
}

impl StateStore for Directory {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(self.files.read(&slot_file(slot), MAX_SLOT_BYTES)?)
    }

    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        slots.iter().map(|slot| Ok(self.files.stamp(&slot_file(*slot))?.map_or(Stamp::EMPTY, Stamp::new))).collect()
    }

    fn records(&self, log: Log) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read_log(log).map(|(records, _)| records)
    }

    fn lock(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        Ok(Box::new(LockedDirectory { store: self, writing: self.files.writing()? }))
    }
}

/// The directory while this holder may change it.
struct LockedDirectory<'a> {
    store: &'a Directory,
    writing: Writing<'a>,
}

impl LockedStore for LockedDirectory<'_> {
    fn store(&self) -> &dyn StateStore {
        self.store
    }

    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError> {
        let name = slot_file(slot);
        if value.len() > MAX_SLOT_BYTES {
            return Err(self.store.too_long(&name));
        }
        Ok(self.writing.write(&name, value)?)
    }

    fn clear(&mut self, slot: Slot) -> Result<(), StoreError> {
        Ok(self.writing.remove(&slot_file(slot))?)
    }

    fn append(&mut self, log: Log, record: &[u8]) -> Result<(), StoreError> {
        let (_, end) = self.store.read_log(log)?;
        let name = log_file(log);
        let framed = framed(record).filter(|framed| end + framed.len() <= MAX_LOG_BYTES);
        let framed = framed.ok_or_else(|| self.store.too_long(&name))?;
        Ok(self.writing.write_end(&name, end, &framed)?)
    }

    fn replace(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        let name = log_file(log);
        let framed: Option<Vec<Vec<u8>>> = records.iter().map(|record| framed(record)).collect();
        let bytes = framed.map(|framed| framed.concat()).filter(|bytes| bytes.len() <= MAX_LOG_BYTES);
        Ok(self.writing.write(&name, &bytes.ok_or_else(|| self.store.too_long(&name))?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

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
        assert_eq!((mode(&store.files.path("")), mode(&store.files.path("link.json"))), (0o700, 0o600));
    }

    #[test]
    fn a_torn_append_is_cut_off_at_every_length_and_what_was_promised_stays() {
        let (_dir, store) = directory();
        let path = store.files.path("outbox.log");
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
        let path = store.files.path("outbox.log");
        let mut bytes = fs::read(&path).expect("the log");
        bytes[HEAD] ^= 1;
        fs::write(&path, &bytes).expect("a damaged log");
        assert_eq!(store.records(Log::Outbox).expect_err("damage").code(), "store-damaged");
        let append = store.lock().expect("lock").append(Log::Outbox, b"more");
        assert_eq!(append.expect_err("nothing is appended to damage").code(), "store-damaged");
        assert_eq!(fs::read(&path).expect("the log"), bytes, "nothing was changed");
    }

    #[test]
    fn a_head_that_was_changed_in_any_bit_is_told_and_no_record_behind_it_is_lost() {
        let (_dir, store) = directory();
        for record in [b"first", b"other"] {
            store.lock().expect("lock").append(Log::Outbox, record).expect("append");
        }
        let path = store.files.path("outbox.log");
        let whole = fs::read(&path).expect("the log");
        for bit in 0..8 * HEAD {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).expect("a damaged log");
            assert_eq!(store.records(Log::Outbox).expect_err("damage").code(), "store-damaged", "bit {bit}");
        }
    }

    #[test]
    fn nothing_is_written_that_could_not_be_read() {
        let (_dir, store) = directory();
        let mut locked = store.lock().expect("lock");
        let long = vec![7; MAX_RECORD + 1];
        assert_eq!(locked.append(Log::Outbox, &long).expect_err("too long").code(), "store-io");
        assert_eq!(locked.replace(Log::Outbox, &[long]).expect_err("too long").code(), "store-io");
        locked.append(Log::Outbox, &vec![7; MAX_RECORD]).expect("the longest record");
        assert_eq!(locked.store().records(Log::Outbox).expect("records").len(), 1);
        let long = vec![7; MAX_SLOT_BYTES + 1];
        assert_eq!(locked.write(Slot::LastRun, &long).expect_err("too long").code(), "store-io");
        fs::write(store.files.path("last-run.json"), &long).expect("somebody writes it");
        let error = store.read(Slot::LastRun).expect_err("it is not read").to_string();
        assert!(error.ends_with("last-run.json: it has more than 16777216 bytes"), "{error}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_says_which_and_why() {
        let (dir, _store) = directory();
        fs::write(dir.path().join("file"), b"").expect("a file");
        let error = Directory::open(dir.path().join("file/state")).expect_err("a file is no directory");
        assert_eq!(error.code(), "store-io");
        assert!(error.to_string().contains("cannot make ") && error.to_string().contains("file/state"), "{error}");
        let denied = StoreError::Io {
            action: "cannot open",
            what: "/state/lock".to_owned(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(
            denied.to_string(),
            "cannot open /state/lock: permission denied; run as the user that owns it, or give that user the right to \
             write there"
        );
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let (_dir, store) = directory();
        fs::write(store.files.path("version"), "2").expect("another version");
        assert_eq!(Directory::open(store.files.path("")).expect_err("newer").code(), "store-newer");
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
