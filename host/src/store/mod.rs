//! Where the host keeps its state: a few named slots and two logs, behind a trait.
//!
//! [`Directory`] keeps them as files, which serves one node. A cluster brings a store of its own (the agent has one on
//! PostgreSQL), and a host product may bring what it has.
//!
//! Every change happens under the store's lock, which other processes on the same store respect: `seatline sync` may run
//! beside `seatline run`. A slot changes as a whole or not at all; what a write or an append has returned from is durable.

mod directory;

pub use directory::Directory;
use zeroize::Zeroizing;

use crate::files::FileError;

/// A named value of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The server ID, made once.
    Identity,
    /// All licenses that were ever set.
    Licenses,
    /// The application link, with its secret key.
    Link,
    /// The key for pseudonyms while there is no link.
    LocalPseudonymKey,
    /// What the last run counted, and how it went.
    LastRun,
    /// How the last exchange went, and the highest time that a receipt has proven.
    LastExchange,
    /// The highest count of each dimension.
    Peaks,
}

impl Slot {
    /// All slots.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Licenses,
        Self::Link,
        Self::LocalPseudonymKey,
        Self::LastRun,
        Self::LastExchange,
        Self::Peaks,
    ];

    /// A name for files and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Licenses => "licenses",
            Self::Link => "link",
            Self::LocalPseudonymKey => "pseudonym-key",
            Self::LastRun => "last-run",
            Self::LastExchange => "last-exchange",
            Self::Peaks => "peaks",
        }
    }

    /// What an administrator can do where it is damaged or missing.
    pub(crate) fn way_out(self) -> &'static str {
        match self {
            Self::Identity => "restore it from a backup: the licenses and the link are those of this server ID",
            Self::Licenses => "restore it from a backup, or move it away and set the license keys again",
            Self::Link => "restore it from a backup, or move it away and link the product again",
            Self::LocalPseudonymKey => "restore it from a backup, or move it away: a new key is made",
            Self::LastRun => "move it away: the next run writes it anew",
            Self::LastExchange => "move it away: the next exchange writes it anew",
            Self::Peaks => "restore it from a backup, or move it away: the highest counts are then taken anew",
        }
    }
}

/// A sequence of records that grows at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Log {
    /// The reports that wait for their receipt.
    Outbox,
    /// The receipts, as evidence.
    Receipts,
    /// Reports that were never received before their link was removed.
    Retired,
}

impl Log {
    /// All logs.
    pub const ALL: [Self; 3] = [Self::Outbox, Self::Receipts, Self::Retired];

    /// A name for files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Receipts => "receipts",
            Self::Retired => "retired",
        }
    }

    /// What an administrator can do where it is damaged.
    pub(crate) fn way_out(self) -> &'static str {
        match self {
            Self::Outbox => "restore it from a backup, or move it away, remove the link and link the product again",
            Self::Receipts | Self::Retired => {
                "restore it from a backup, or move it away: it is evidence, and not read back"
            }
        }
    }
}

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("{action} {what}: {source}{}", crate::files::way_out(source))]
    Io {
        /// What was tried, such as `cannot write`.
        action: &'static str,
        /// The file or row.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// What was read is not what was written.
    #[error("{what} is damaged ({reason}); {way_out}")]
    Damaged {
        /// The file or row.
        what: String,
        /// What is wrong with it.
        reason: String,
        /// What an administrator can do about it.
        way_out: &'static str,
    },
    /// The store was written by a newer version.
    #[error("the state in {what} was written by a newer version of Seatline; upgrade this one")]
    Newer {
        /// The directory or database.
        what: String,
    },
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::Io { action: error.action, what: error.path.display().to_string(), source: error.source }
    }
}

impl StoreError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "store-io",
            Self::Damaged { .. } => "store-damaged",
            Self::Newer { .. } => "store-newer",
        }
    }
}

/// A mark of what a slot holds, without its content: [`StateStore::stamps`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp(Vec<u64>);

impl Stamp {
    /// The stamp of an empty slot.
    pub const EMPTY: Self = Self(Vec::new());

    /// A stamp of whatever tells one write from another: a revision, or what a file system notes of a file.
    pub fn new(parts: impl IntoIterator<Item = u64>) -> Self {
        Self(parts.into_iter().collect())
    }
}

/// A place that keeps the host's state. Implementations pass [`conformance`].
pub trait StateStore: Send + Sync + 'static {
    /// What the slot holds.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// A mark of what each of `slots` holds, in their order.
    ///
    /// Two equal stamps of a slot promise that it held the same at both times, whichever process wrote meanwhile; two
    /// that differ only say that it may have changed. It is how a host sees what another process did, and is asked once
    /// a second: it reads no values, and takes one look at the store (for a database one query, such as of a revision
    /// that every write of a slot raises), for all slots together.
    ///
    /// # Errors
    /// When it cannot be read.
    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError>;

    /// The records of a log, the oldest first. A record whose append never returned may be missing.
    ///
    /// # Errors
    /// When it cannot be read, or a record that was promised is damaged.
    fn records(&self, log: Log) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Waits until no one else, in this process or another, holds the lock, and takes it.
    ///
    /// # Errors
    /// When the store cannot be locked.
    fn lock(&self) -> Result<Box<dyn LockedStore + '_>, StoreError>;
}

/// A store that is locked for a change, until it is dropped. What is read through it is what the change stands on.
pub trait LockedStore {
    /// The store, for reading.
    fn store(&self) -> &dyn StateStore;

    /// Replaces what the slot holds.
    ///
    /// # Errors
    /// When it cannot be made durable; the slot then holds what it held before, or the new value as a whole.
    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError>;

    /// Empties the slot.
    ///
    /// # Errors
    /// When it cannot be made durable.
    fn clear(&mut self, slot: Slot) -> Result<(), StoreError>;

    /// Adds a record at the end of the log.
    ///
    /// # Errors
    /// When it cannot be made durable; the record may then be there or not.
    fn append(&mut self, log: Log, record: &[u8]) -> Result<(), StoreError>;

    /// Replaces all records of the log.
    ///
    /// # Errors
    /// When it cannot be made durable; the log then holds what it held before, or the new records as a whole.
    fn replace(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError>;
}

/// What every [`StateStore`] must do, as checks that panic with the rule that was broken. For tests of stores.
pub fn conformance(store: &dyn StateStore) {
    for slot in Slot::ALL {
        assert!(store.read(slot).expect("read").is_none(), "a new store has an empty slot {}", slot.name());
    }
    let mut locked = store.lock().expect("lock");
    locked.write(Slot::Link, b"one").expect("write");
    locked.write(Slot::Link, b"two").expect("write");
    locked.write(Slot::Identity, b"").expect("write");
    let value = locked.store().read(Slot::Link).expect("read");
    assert_eq!(value.as_deref().map(Vec::as_slice), Some(&b"two"[..]), "a slot holds what was written last");
    let empty = locked.store().read(Slot::Identity).expect("read");
    assert_eq!(empty.as_deref().map(Vec::len), Some(0), "an empty value is a value");
    locked.clear(Slot::Link).expect("clear");
    locked.clear(Slot::Link).expect("clear again");
    assert!(store.read(Slot::Link).expect("read").is_none(), "a cleared slot is empty");

    let stamp = || store.stamps(&[Slot::Peaks, Slot::Link]).expect("stamps").swap_remove(0);
    let mut stamps = vec![stamp()];
    assert_eq!(stamp(), stamps[0], "a slot that nobody writes keeps its stamp");
    for round in 0..50 {
        locked.write(Slot::Peaks, format!("{round:03}").as_bytes()).expect("write");
        assert!(!stamps.contains(&stamp()), "another content has another stamp");
        stamps.push(stamp());
    }
    locked.write(Slot::Link, b"three").expect("write");
    assert_eq!(stamps.last(), Some(&stamp()), "each slot has a stamp of its own");
    for slot in [Slot::Peaks, Slot::Link] {
        locked.clear(slot).expect("clear");
    }
    assert_eq!(stamp(), stamps[0], "a cleared slot is as it was before");

    let large = vec![7; 300_000];
    for record in [&b"a"[..], b"", &large] {
        locked.append(Log::Outbox, record).expect("append");
    }
    drop(locked);
    let records = store.records(Log::Outbox).expect("records");
    assert_eq!(records, [b"a".to_vec(), Vec::new(), large], "a log keeps its records, in order");
    assert!(store.records(Log::Receipts).expect("records").is_empty(), "logs are apart");
    let mut locked = store.lock().expect("a dropped lock is free");
    locked.replace(Log::Outbox, &[b"b".to_vec()]).expect("replace");
    locked.append(Log::Outbox, b"c").expect("append");
    drop(locked);
    assert_eq!(store.records(Log::Outbox).expect("records"), [b"b".to_vec(), b"c".to_vec()], "a replaced log grows on");
}
