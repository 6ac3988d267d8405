//! The store as a directory of files.
//!
//! A slot is a file that is written beside its place, synced, and renamed. A log is one file of records, each behind a
//! head with its length and a checksum; an append is synced before it returns. A crash in the middle of an append
//! leaves a torn record at the end, which was promised to nobody and is cut off by the next append. Whatever else does
//! not fit is damage: it is told, and nothing is cut off. The directory has mode 0700, its files 0600.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use seatline_protocol::text;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{LockedStore, Log, Slot, Stamp, StateReader, StateStore, StoreError};
use crate::files::{FileError, Folder, Writing};

/// The version of the layout, in the file `version`.
const LAYOUT: &str = "1";
const VERSION: &str = "version";
/// Where the state was moved to, as text. It does not live here any more.
const MOVED: &str = "moved";
/// The most bytes of that.
const MAX_PLACE: usize = 1024;
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
        let store = Self { files };
        store.lives_here()?;
        Ok(store)
    }

    /// Whether there is a state in `path`, which was not moved elsewhere. Nothing is made or changed.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn lives_in(path: &Path) -> Result<bool, StoreError> {
        let is_there = |name: &str| path.join(name).try_exists().map_err(FileError::new("cannot look at", path));
        Ok(is_there(&slot_file(Slot::Identity))? && !is_there(MOVED)?)
    }

    /// Whether the state in `path` was moved elsewhere. Nothing is made or changed.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn was_moved(path: &Path) -> Result<bool, StoreError> {
        Ok(path.join(MOVED).try_exists().map_err(FileError::new("cannot look at", path))?)
    }

    /// Moves the state elsewhere: `hand_over` brings it there, while nobody changes it here, and says where that is.
    /// When this returns, it does not live here any more, and whoever still uses it here is told so. The files stay as
    /// they were.
    ///
    /// # Errors
    /// What `hand_over` gives, or why the directory could not be used: then the state goes on here.
    pub fn move_away<E: From<StoreError>>(
        &self,
        hand_over: impl FnOnce(&dyn StateReader) -> Result<String, E>,
    ) -> Result<(), E> {
        let writing = self.writing()?;
        let to = hand_over(self)?;
        writing.write(MOVED, to.as_bytes()).map_err(StoreError::from)?;
        Ok(())
    }

    /// The right to change it, while the state lives here.
    fn writing(&self) -> Result<Writing<'_>, StoreError> {
        let writing = self.files.writing()?;
        self.lives_here()?;
        Ok(writing)
    }

    fn lives_here(&self) -> Result<(), StoreError> {
        let Some(to) = self.files.read(MOVED, MAX_PLACE)? else { return Ok(()) };
        let to = text::line(&String::from_utf8_lossy(&to), MAX_PLACE);
        Err(StoreError::Moved { what: self.files.shown(), to })
    }
}

fn slot_file(slot: Slot) -> String {
    format!("{}.json", slot.name())
}

fn log_file(log: Log) -> String {
    format!("{}.log", log.name())
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
    /// Gives the records of a log to `take`, until it breaks off, and returns where those end that were read. What is
    /// beyond the last of them is a torn record.
    fn scan(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<u64, StoreError> {
        let name = log_file(log);
        let Some((file, size)) = self.files.open_file(&name, MAX_LOG_BYTES)? else { return Ok(0) };
        let path = self.files.path(&name);
        scan(&mut BufReader::with_capacity(64 * 1024, file), size, take).map_err(|error| match error {
            ScanError::Io(source) => FileError::new("cannot read", &path)(source).into(),
            ScanError::Damaged(reason) => {
                StoreError::Damaged { what: path.display().to_string(), reason, way_out: log.way_out() }
            }
        })
    }

    /// That `what` would become longer than it may be. Nothing is written that could not be read.
    fn too_long(&self, name: &str) -> StoreError {
        let source = std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it would become too long");
        StoreError::Io { action: "cannot write", what: self.files.path(name).display().to_string(), source }
    }
}

enum ScanError {
    Io(std::io::Error),
    Damaged(String),
}

impl From<std::io::Error> for ScanError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the records in `from`, which has `size` bytes, one at a time: see [`Directory::scan`].
fn scan(from: &mut impl Read, size: u64, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<u64, ScanError> {
    let (mut at, mut number, mut record) = (0, 0_u64, Vec::new());
    loop {
        let mut head = [0; HEAD];
        if size - at < HEAD as u64 || !fills(from, &mut head)? {
            return Ok(at);
        }
        number += 1;
        let left = size - at - HEAD as u64;
        let Some(length) = length_in(&head) else {
            // A file system may have grown the file without its content.
            if head == [0; HEAD] && only_zeros(from)? {
                return Ok(at);
            }
            return Err(ScanError::Damaged(format!("the length of record {number} cannot be")));
        };
        // Only the last append can be torn, and then its end is missing.
        if (length as u64) > left {
            return Ok(at);
        }
        record.resize(length, 0);
        let is_whole = fills(from, &mut record)?;
        if !is_whole || checksum_of(&record) != head[8..] {
            if length as u64 == left {
                return Ok(at);
            }
            return Err(ScanError::Damaged(format!("record {number} does not match its checksum")));
        }
        at += (HEAD + length) as u64;
        if take(&record).is_break() {
            return Ok(at);
        }
    }
}

/// Whether there were as many bytes as `buffer` has room for.
fn fills(from: &mut impl Read, buffer: &mut [u8]) -> Result<bool, std::io::Error> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn only_zeros(from: &mut impl Read) -> Result<bool, std::io::Error> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(true),
            read if buffer[..read].iter().any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

impl StateReader for Directory {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.lives_here()?;
        Ok(self.files.read(&slot_file(slot), MAX_SLOT_BYTES)?)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.lives_here()?;
        self.scan(log, take).map(|_| ())
    }
}

impl StateStore for Directory {
    fn kind(&self) -> &'static str {
        "files"
    }

    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        self.lives_here()?;
        slots.iter().map(|slot| Ok(self.files.stamp(&slot_file(*slot))?.map_or(Stamp::EMPTY, Stamp::new))).collect()
    }

    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        Ok(Box::new(LockedDirectory { store: self, writing: self.writing()?, ends: HashMap::new() }))
    }
}

/// The directory while this holder may change it. Each step of a change is durable when it returns, in its order: the
/// host is written so that it can be interrupted between any two of them.
struct LockedDirectory<'a> {
    store: &'a Directory,
    writing: Writing<'a>,
    /// Where the logs end that were looked through, so that it is done once.
    ends: HashMap<Log, u64>,
}

impl LockedDirectory<'_> {
    /// Where the log ends. Nothing is appended to damage.
    fn end(&self, log: Log) -> Result<u64, StoreError> {
        match self.ends.get(&log) {
            Some(end) => Ok(*end),
            None => self.store.scan(log, &mut |_| ControlFlow::Continue(())),
        }
    }
}

impl StateReader for LockedDirectory<'_> {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.store.read(slot)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.store.visit(log, take)
    }
}

impl LockedStore for LockedDirectory<'_> {
    fn store(&self) -> &dyn StateReader {
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

    fn append(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        let (name, end) = (log_file(log), self.end(log)?);
        let framed: Option<Vec<Vec<u8>>> = records.iter().map(|record| framed(record)).collect();
        let bytes = framed.map(|framed| framed.concat());
        let bytes = bytes.filter(|bytes| end as usize + bytes.len() <= MAX_LOG_BYTES);
        let bytes = bytes.ok_or_else(|| self.store.too_long(&name))?;
        // What a failure leaves behind is not known.
        self.ends.remove(&log);
        self.writing.write_end(&name, end, &bytes)?;
        self.ends.insert(log, end + bytes.len() as u64);
        Ok(())
    }

    fn rewrite(&mut self, log: Log, keep: &mut dyn FnMut(&[u8]) -> bool, more: &[Vec<u8>]) -> Result<(), StoreError> {
        let name = log_file(log);
        let mut new = self.writing.replacement(&name)?;
        let (mut end, mut failed) = (0, None);
        let mut add = |record: &[u8]| -> Result<(), StoreError> {
            let framed = framed(record).filter(|framed| end + framed.len() <= MAX_LOG_BYTES);
            let framed = framed.ok_or_else(|| self.store.too_long(&name))?;
            end += framed.len();
            Ok(new.write(&framed)?)
        };
        self.store.scan(log, &mut |record| {
            if keep(record) {
                failed = add(record).err();
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failed.map_or(Ok(()), Err)?;
        more.iter().try_for_each(|record| add(record))?;
        self.ends.remove(&log);
        new.finish()?;
        self.ends.insert(log, end as u64);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
