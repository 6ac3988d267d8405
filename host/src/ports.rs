//! The ports: what a host product tells the host about itself.
//!
//! A product implements [`Product`]; the `seatline` agent does so for products in other languages. Nothing here knows
//! where the facts come from. Every port may fail, with one line for an administrator: the run then reports the
//! failure, counts nothing wrongly, and is tried again at the next interval.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use seatline_protocol::{Dimension, ProductId};

/// A host product.
///
/// Its methods are called from the host's own threads, one run at a time.
pub trait Product: Send + Sync + 'static {
    /// What the product is.
    ///
    /// # Errors
    /// When the product cannot say at the moment.
    fn describe(&self) -> Result<Description, PortError>;

    /// Gives every account to `sink`, in any order, each once; nothing needs to be held in memory.
    ///
    /// # Errors
    /// When the accounts cannot be read, or not to the end: then none of them is counted. An error of
    /// [`AccountSink::push`] is passed on with `?`.
    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError>;

    /// What the product measures besides accounts. Each dimension can fail on its own.
    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        Vec::new()
    }

    /// The identity of the product's database, where the server ID is bound to it (`s2`); by default it is not, and the
    /// server ID is the instance's own. It is asked at the first start, before every run, and by
    /// [`Host::look_at_identity`](crate::Host::look_at_identity): it should answer, or fail, within seconds.
    ///
    /// # Errors
    /// When the database cannot be read at the moment: the server ID that is known then holds.
    fn database(&self) -> Result<Option<DatabaseIdentity>, PortError> {
        Ok(None)
    }
}

/// What makes a database this one and no other. None of it leaves the host, or is kept: it becomes a server ID.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseIdentity {
    /// Where it is. What an upgrade of the database server changes, such as its version, is no part of it.
    pub place: DatabasePlace,
    /// What the product has stored in the database since its installation, and no other installation has: a random
    /// identifier, or the time of the installation. A copy of the data has the same.
    pub birth_mark: String,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabasePlace {
    /// On a server.
    Server {
        /// The hosts and ports, as they are configured: names are not looked up. Several are those of one database.
        hosts: Vec<(String, u16)>,
        /// The database's name.
        database: String,
        /// The schema, where the server tells schemas and databases apart.
        schema: Option<String>,
    },
    /// In a file, or a directory: its canonical path.
    File(PathBuf),
}

impl fmt::Debug for DatabaseIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseIdentity(…)")
    }
}

/// What a product is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The product id, such as `acme-wiki`: licenses are held against it.
    pub id: ProductId,
    /// The name that people know it by.
    pub name: String,
    /// The version that runs.
    pub version: String,
    /// The edition that runs, where there are editions.
    pub edition: Option<String>,
    /// When the running release was built: held against the maintenance period of a license.
    pub released: Option<Timestamp>,
    /// The nodes that now run. A product without a cluster has one.
    pub nodes: Vec<Node>,
}

/// A running node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Unique in the cluster.
    pub id: String,
    /// The version that it runs.
    pub version: String,
}

/// An account of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Who it is: a mail address, or else a login. It never leaves the host: a keyed pseudonym is made of it.
    pub identity: &'a str,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether it may use the product.
    pub licensed_access: bool,
    /// The last sign-in.
    pub last_seen: LastSeen,
    /// Whether it belongs to a machine.
    pub service_account: bool,
}

/// What is known of an account's last sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastSeen {
    /// The product does not say.
    Unknown,
    /// There was none.
    Never,
    /// The day, in UTC.
    On(Date),
}

/// Takes the accounts of a product, one after the other.
pub trait AccountSink {
    /// Takes one account. It may wait while the plugin counts those before.
    ///
    /// # Errors
    /// When no more accounts are wanted, because the run has ended: pass the error on.
    fn push(&mut self, account: Account<'_>) -> Result<(), PortError>;
}

/// Why a product could not answer: one line for an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortError {
    message: String,
}

impl PortError {
    /// An error whose message names what could not be read and why, without any name of a person.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: seatline_protocol::text::line(&message.to_string(), seatline_protocol::report::MAX_LINE) }
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PortError {}
