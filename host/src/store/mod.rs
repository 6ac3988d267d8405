//! Where the host keeps its state: named slots and a few logs, behind a trait.
//!
//! [`Directory`] keeps them as files, which serves one node. A cluster brings a store of its own (the agent has one on
//! PostgreSQL), and a host product may bring what it has.
//!
//! Every [`change`] happens under the store's lock, which other processes on the same store respect: `seatline sync`
//! may run beside `seatline run`. A slot changes as a whole or not at all; what a change has returned from is durable.

mod conformance;
mod directory;
mod memory;

use std::ops::ControlFlow;

pub use conformance::conformance;
pub use directory::Directory;
pub use memory::Memory;
use zeroize::Zeroizing;

use crate::files::FileError;

/// A named value of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The server ID, what it is made with, and how it has changed.
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
    /// The tokens of an API beside the product: the program's own, see [`Slot::is_of_the_program`].
    ApiTokens,
    /// When administrators are reminded, and the thresholds that they have set.
    Reminders,
    /// Where notices go, with the secrets for it.
    NotificationSettings,
    /// What was told, and what waits to be delivered.
    Notices,
    /// Who signs in to the pages: the program's own as well.
    Users,
    /// Since when reports are held for approval, while they are.
    Hold,
    /// The report that was made last, to the byte.
    LastReport,
    /// How the latest runs went.
    PastRuns,
    /// The last report that said all, to the byte, and those that waiting reports repeat.
    FullReports,
}

impl Slot {
    /// All slots.
    pub const ALL: [Self; 16] = [
        Self::Identity,
        Self::Licenses,
        Self::Link,
        Self::LocalPseudonymKey,
        Self::LastRun,
        Self::LastExchange,
        Self::Peaks,
        Self::ApiTokens,
        Self::Reminders,
        Self::NotificationSettings,
        Self::Notices,
        Self::Users,
        Self::Hold,
        Self::LastReport,
        Self::PastRuns,
        Self::FullReports,
    ];

    /// Whether it is kept for the program around the host, which alone knows what is in it
    /// ([`Host::change_kept`](crate::Host::change_kept)).
    pub fn is_of_the_program(self) -> bool {
        matches!(self, Self::ApiTokens | Self::NotificationSettings | Self::Users)
    }

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
            Self::ApiTokens => "api-tokens",
            Self::Reminders => "reminders",
            Self::NotificationSettings => "notification-settings",
            Self::Notices => "notices",
            Self::Users => "users",
            Self::Hold => "hold",
            Self::LastReport => "last-report",
            Self::PastRuns => "past-runs",
            Self::FullReports => "full-reports",
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
            Self::ApiTokens => "restore it from a backup, or move it away and make the tokens anew",
            Self::Reminders => "restore it from a backup, or move it away: the reminders are then the usual ones",
            Self::NotificationSettings => "restore it from a backup, or move it away and set them again",
            Self::Notices => "restore it from a backup, or move it away: what is so is then told once more",
            Self::Users => "restore it from a backup, or move it away and add the users anew with `seatline user add`",
            Self::Hold => {
                "restore it from a backup, or move it away and hold reports anew with `seatline report hold on`"
            }
            Self::LastReport => "move it away: the next report writes it anew",
            Self::PastRuns => "move it away: the next run begins it anew",
            Self::FullReports => "move it away: the next report says all again",
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
    /// Reports that will never be received: their link was removed, or a wrong clock has made them.
    Retired,
    /// Reports that wait for approval.
    Held,
}

impl Log {
    /// All logs.
    pub const ALL: [Self; 4] = [Self::Outbox, Self::Receipts, Self::Retired, Self::Held];

    /// A name for files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Receipts => "receipts",
            Self::Retired => "retired",
            Self::Held => "held",
        }
    }

    /// What an administrator can do where it is damaged.
    pub(crate) fn way_out(self) -> &'static str {
        match self {
            Self::Outbox => "restore it from a backup, or move it away, remove the link and link the product again",
            Self::Receipts | Self::Retired => {
                "restore it from a backup, or move it away: it is evidence, and not read back"
            }
            Self::Held => "restore it from a backup, or move it away: what waits there for approval is then discarded",
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
    /// The server that keeps the state cannot do so at the moment, or not for us.
    #[error("the state in {what} cannot be used: {reason}")]
    Unavailable {
        /// The database.
        what: String,
        /// Why, and the way out.
        reason: String,
    },
    /// The state lives elsewhere now, and this copy of it shall not live on beside it.
    #[error(
        "the state in {what} was moved to {to}: use it there, and start the agent again where it still runs on this one"
    )]
    Moved {
        /// Where it was.
        what: String,
        /// Where it is.
        to: String,
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
            Self::Unavailable { .. } => "store-unavailable",
            Self::Moved { .. } => "store-moved",
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

/// What can be read of a state.
pub trait StateReader {
    /// What the slot holds.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Gives the records of a log to `take`, the oldest first, until it breaks off. They are those of one moment, and
    /// no more than a few of them are in memory at once. `take` must not use the store.
    ///
    /// # Errors
    /// When they cannot be read, or a record that was promised is damaged.
    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError>;
}

/// A place that keeps the host's state. Implementations pass [`conformance`].
pub trait StateStore: StateReader + Send + Sync + 'static {
    /// What kind of store it is, in a word or two for an administrator: `files`.
    fn kind(&self) -> &'static str {
        "a store of the product"
    }

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

    /// Waits until no one else, in this process or another, changes the store, and begins a change: see [`change`].
    ///
    /// # Errors
    /// When the store cannot be locked.
    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError>;
}

/// A store that is locked for a change. What is read through it is what the change has made of the store so far.
///
/// The change is promised when [`commit`](Self::commit) has returned. One that was dropped, interrupted or refused
/// before is not: of what it did, all, nothing or a beginning may be there, each slot and log as a whole.
pub trait LockedStore: StateReader {
    /// The store, for reading.
    fn store(&self) -> &dyn StateReader;

    /// Replaces what the slot holds.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError>;

    /// Empties the slot.
    ///
    /// # Errors
    /// When it cannot be written.
    fn clear(&mut self, slot: Slot) -> Result<(), StoreError>;

    /// Adds records at the end of the log.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError>;

    /// Keeps of the log what `keep` picks, in order, and adds `more` at its end, in one go. `keep` must not use the
    /// store.
    ///
    /// # Errors
    /// When it cannot be written.
    fn rewrite(&mut self, log: Log, keep: &mut dyn FnMut(&[u8]) -> bool, more: &[Vec<u8>]) -> Result<(), StoreError>;

    /// Makes the change durable, and ends it.
    ///
    /// # Errors
    /// When it cannot be made durable.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Changes `store` as `act` does, while nobody else does. When this returns a value, the change is durable; after an
/// error of `act` it was not asked for.
///
/// # Errors
/// What `act` gives, or why the store could not be changed.
pub fn change<T, E: From<StoreError>>(
    store: &dyn StateStore,
    act: impl FnOnce(&mut dyn LockedStore) -> Result<T, E>,
) -> Result<T, E> {
    let mut locked = store.begin()?;
    let value = act(&mut *locked)?;
    locked.commit()?;
    Ok(value)
}

/// All records of a log at once: for logs that are known to be short, and for tests.
///
/// # Errors
/// As [`StateReader::visit`].
pub fn records(store: &dyn StateReader, log: Log) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut records = Vec::new();
    store.visit(log, &mut |record| {
        records.push(record.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(records)
}
