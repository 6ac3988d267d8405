//! The licenses of an instance: every key that was ever set, the latest last (`c10`).
//!
//! The keys are kept as they were sealed, and opened anew at every look: a vendor's key that is no longer trusted takes
//! its licenses with it, and says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seatline_protocol::license::{Kind, License};
use seatline_protocol::report::MAX_NODES;
use seatline_protocol::standing::MAX_NODE_NAME;
use seatline_protocol::{Digest, LicenseId, Mode, OpenError, ProductId, PublicKey, ServerId, seal, text};
use serde::{Deserialize, Serialize};

use crate::ports::PortError;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The most keys that an instance keeps: then the oldest that have ended leave.
pub const MAX_KEYS: usize = seatline_protocol::standing::MAX_LICENSES;

/// A key that was set, and what it opens to today.
#[derive(Debug, Clone)]
pub struct InstalledLicense {
    /// The digest of the key.
    pub digest: Digest,
    /// When it was set.
    pub set_at: Timestamp,
    /// The nodes that it was set for; all of them where empty (`c8`).
    pub nodes: BTreeSet<String>,
    /// The license, or why the key is not trusted any more.
    pub license: Result<License, OpenError>,
}

/// What setting a key changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenseChange {
    /// The license of the key.
    pub license: License,
    /// Whether the same key was there already, for the same nodes: then nothing has changed.
    pub was_set: bool,
}

/// Why a key was not set. What was set before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum SetLicenseError {
    /// No vendor's key is trusted, so no license can be.
    #[error("no vendor key is configured, so no license can be verified; set `vendor_keys`")]
    NoVendorKeys,
    /// The key is not a license that a trusted vendor has signed.
    #[error("the license key was refused: {0}")]
    Open(#[from] OpenError),
    /// The license is for another product.
    #[error("the license {license} is for the product `{found}`, and this is `{expected}`")]
    WrongProduct {
        /// The license.
        license: LicenseId,
        /// What it licenses.
        found: ProductId,
        /// What runs here.
        expected: ProductId,
    },
    /// The license is for another edition.
    #[error("the license {license} is for the edition `{found}`, and this is `{expected}`")]
    WrongEdition {
        /// The license.
        license: LicenseId,
        /// The edition that it licenses.
        found: String,
        /// The edition that runs here.
        expected: String,
    },
    /// The license is bound to other instances.
    #[error(
        "the license {license} is bound to the server ID {}, and this is {expected}: ask for a license for it",
        in_short(found)
    )]
    WrongServer {
        /// The license.
        license: LicenseId,
        /// The instances that it is bound to.
        found: Vec<ServerId>,
        /// This instance.
        expected: ServerId,
    },
    /// The license is for staging, bound to no server, and this is not a staging instance.
    #[error(
        "the license {license} is for staging, and this is not declared to be a staging instance: set a license for \
         production, or declare the instance"
    )]
    StagingOnly {
        /// The license.
        license: LicenseId,
    },
    /// The license has ended, and its grace with it.
    #[error("the license {license} expired on {}; ask for its renewal", expired.strftime("%Y-%m-%d"))]
    Expired {
        /// The license.
        license: LicenseId,
        /// When.
        expired: Timestamp,
    },
    /// It was to be set for something that is no node.
    #[error(
        "a node is named by 1 to {MAX_NODE_NAME} characters on one line, and `{found}` is not; see `seatline license show`"
    )]
    Node {
        /// What was given, cleaned and cut.
        found: String,
    },
    /// Another license with this id was set, and says something else.
    #[error("another license with the id {license} is set; a changed license needs a new id")]
    SameId {
        /// The license.
        license: LicenseId,
    },
    /// There are too many keys, and none that has ended.
    #[error(
        "{MAX_KEYS} license keys are set, the most that are kept, and none of them has ended; to begin anew, move \
         `licenses` of the state away and set those that are needed"
    )]
    TooMany,
    /// The product does not say what it is, so no license can be held against it.
    #[error("the product does not say what it is: {0}")]
    Product(#[source] PortError),
    /// The key could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SetLicenseError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoVendorKeys => "no-vendor-keys",
            Self::Open(error) => error.code(),
            Self::WrongProduct { .. } => "wrong-product",
            Self::WrongEdition { .. } => "wrong-edition",
            Self::WrongServer { .. } => "wrong-server",
            Self::StagingOnly { .. } => "staging-only",
            Self::Expired { .. } => "expired",
            Self::Node { .. } => "invalid-node",
            Self::SameId { .. } => "same-id",
            Self::TooMany => "too-many-licenses",
            Self::Product(_) => "product-unavailable",
            Self::Store(error) => error.code(),
        }
    }
}

/// The server IDs of a license in short.
fn in_short(servers: &[ServerId]) -> String {
    match servers {
        [] => String::new(),
        [only] => only.to_string(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// On what instance a key is set.
pub(crate) struct Instance<'a> {
    pub product: &'a ProductId,
    pub edition: Option<&'a str>,
    pub server_id: ServerId,
    pub staging: bool,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    set_at: Timestamp,
    /// For all nodes where empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    nodes: BTreeSet<String>,
}

/// The licenses that are trusted today, and which of them were set for some nodes alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    pub licenses: Vec<License>,
    pub placed: BTreeMap<LicenseId, BTreeSet<String>>,
}

impl Keys {
    pub fn read(store: &dyn StateReader, vendor_keys: &[PublicKey]) -> Result<Self, StoreError> {
        let entries: Vec<Entry> = slots::read(store, Slot::Licenses)?.unwrap_or_default();
        Ok(Self::of(&entries, vendor_keys))
    }

    fn of(entries: &[Entry], vendor_keys: &[PublicKey]) -> Self {
        let mut keys = Self::default();
        for entry in entries {
            if let Ok(license) = seal::open::<License>(&entry.key, vendor_keys) {
                keys.add(license, &entry.nodes);
            }
        }
        keys
    }

    fn add(&mut self, license: License, nodes: &BTreeSet<String>) {
        if !nodes.is_empty() {
            self.placed.insert(license.id.clone(), nodes.clone());
        }
        self.licenses.push(license);
    }
}

/// A node by its name, if it can be one's.
pub(crate) fn node_name(node: Option<&str>) -> Result<Option<&str>, SetLicenseError> {
    match node {
        Some(name) if name.is_empty() || !text::is_line(name, MAX_NODE_NAME) => {
            Err(SetLicenseError::Node { found: text::line(name, MAX_NODE_NAME) })
        }
        node => Ok(node),
    }
}

/// All keys that were set, the oldest first.
pub(crate) fn list(store: &dyn StateReader, vendor_keys: &[PublicKey]) -> Result<Vec<InstalledLicense>, StoreError> {
    let entries: Vec<Entry> = slots::read(store, Slot::Licenses)?.unwrap_or_default();
    Ok(entries
        .into_iter()
        .map(|entry| InstalledLicense {
            digest: Digest::of(entry.key.as_bytes()),
            set_at: entry.set_at,
            nodes: entry.nodes,
            license: seal::open(&entry.key, vendor_keys),
        })
        .collect())
}

/// All keys that were set, the oldest first.
pub(crate) fn keys(store: &dyn StateReader) -> Result<Vec<String>, StoreError> {
    let entries: Vec<Entry> = slots::read(store, Slot::Licenses)?.unwrap_or_default();
    Ok(entries.into_iter().map(|entry| entry.key).collect())
}

/// The license of a pasted key, whether it may be set or not. Nothing is changed.
pub(crate) fn open(pasted: &str, vendor_keys: &[PublicKey]) -> Result<(String, License), SetLicenseError> {
    use seatline_protocol::Document as _;
    if vendor_keys.is_empty() {
        return Err(SetLicenseError::NoVendorKeys);
    }
    // Line breaks and quote marks may double a pasted key, and not more.
    if pasted.len() > 2 * License::MAX_BYTES {
        return Err(OpenError::TooLarge { max: License::MAX_BYTES }.into());
    }
    let key = seal::unwrap_pasted(pasted);
    let license: License = seal::open(&key, vendor_keys)?;
    Ok((key, license))
}

/// Whether a license may be set on `instance` now.
pub(crate) fn judge(license: &License, instance: &Instance<'_>, now: Timestamp) -> Result<(), SetLicenseError> {
    let id = || license.id.clone();
    let base = license.add_on_of.as_ref().unwrap_or(&license.product);
    if base != instance.product {
        let (found, expected) = (base.clone(), instance.product.clone());
        return Err(SetLicenseError::WrongProduct { license: id(), found, expected });
    }
    if let (None, Some(found), Some(expected)) = (&license.add_on_of, &license.edition, instance.edition)
        && !found.eq_ignore_ascii_case(expected)
    {
        let (found, expected) = (found.clone(), expected.to_owned());
        return Err(SetLicenseError::WrongEdition { license: id(), found, expected });
    }
    if !license.servers.is_empty() && !license.servers.contains(&instance.server_id) {
        let (found, expected) = (license.servers.clone(), instance.server_id.clone());
        return Err(SetLicenseError::WrongServer { license: id(), found, expected });
    }
    if license.servers.is_empty() && license.kind == Kind::Staging && !instance.staging {
        return Err(SetLicenseError::StagingOnly { license: id() });
    }
    if let (Some(end), Some(expired)) = (license.grace_ends(), license.expires)
        && end <= now
    {
        return Err(SetLicenseError::Expired { license: id(), expired });
    }
    Ok(())
}

/// Whether the license of a key has ended, with its grace.
fn has_ended(key: &str, vendor_keys: &[PublicKey], now: Timestamp) -> bool {
    let license: Result<License, OpenError> = seal::open(key, vendor_keys);
    license.is_ok_and(|license| license.grace_ends().is_some_and(|end| end <= now))
}

/// Adds an opened key to those that are set, for all nodes or for one. Where there is no room, the oldest that has
/// ended makes some.
pub(crate) fn add(
    locked: &mut dyn LockedStore,
    key: String,
    license: License,
    node: Option<&str>,
    vendor_keys: &[PublicKey],
    now: Timestamp,
) -> Result<LicenseChange, SetLicenseError> {
    let entries: Vec<Entry> = slots::read(locked.store(), Slot::Licenses)?.unwrap_or_default();
    let was_set = match with_added(entries, key, &license, node, vendor_keys, now)? {
        Some(entries) => {
            slots::write(locked, Slot::Licenses, &entries)?;
            false
        }
        None => true,
    };
    Ok(LicenseChange { license, was_set })
}

/// The keys that would be set after a key was added; none where it is among them already, for the same nodes.
fn with_added(
    mut entries: Vec<Entry>,
    key: String,
    license: &License,
    node: Option<&str>,
    vendor_keys: &[PublicKey],
    now: Timestamp,
) -> Result<Option<Vec<Entry>>, SetLicenseError> {
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
        let nodes = placed(&entry.nodes, license, node);
        let is_changed = nodes != entry.nodes;
        entry.nodes = nodes;
        return Ok(is_changed.then_some(entries));
    }
    for entry in &entries {
        if seal::open::<License>(&entry.key, vendor_keys).is_ok_and(|other| other.id == license.id) {
            return Err(SetLicenseError::SameId { license: license.id.clone() });
        }
    }
    if entries.len() >= MAX_KEYS {
        let ended = entries.iter().position(|entry| has_ended(&entry.key, vendor_keys, now));
        entries.remove(ended.ok_or(SetLicenseError::TooMany)?);
    }
    entries.push(Entry { key, set_at: now, nodes: placed(&BTreeSet::new(), license, node) });
    Ok(Some(entries))
}

/// The nodes that a license is for, once it is set for `node` too, or for all of them. One by node is for one alone; of
/// the others, there are no more than a report lists.
fn placed(before: &BTreeSet<String>, license: &License, node: Option<&str>) -> BTreeSet<String> {
    let Some(node) = node else { return BTreeSet::new() };
    let others = before.iter().filter(|_| license.mode == Mode::Installation).take(MAX_NODES - 1).cloned();
    others.chain([node.to_owned()]).collect()
}

/// The licenses before and after a key is added, and whether adding it would be refused.
pub(crate) struct Rehearsal {
    pub before: Keys,
    /// Where it would be refused: as if it were not.
    pub after: Keys,
    pub was_set: bool,
    pub refused: Option<SetLicenseError>,
}

/// What [`add`] would come to. Nothing is changed.
pub(crate) fn rehearse(
    store: &dyn StateReader,
    key: &str,
    license: &License,
    node: Option<&str>,
    vendor_keys: &[PublicKey],
    now: Timestamp,
) -> Result<Rehearsal, StoreError> {
    let entries: Vec<Entry> = slots::read(store, Slot::Licenses)?.unwrap_or_default();
    let before = Keys::of(&entries, vendor_keys);
    Ok(match with_added(entries, key.to_owned(), license, node, vendor_keys, now) {
        Ok(None) => Rehearsal { after: before.clone(), before, was_set: true, refused: None },
        Ok(Some(entries)) => {
            Rehearsal { before, after: Keys::of(&entries, vendor_keys), was_set: false, refused: None }
        }
        Err(refused) => {
            let mut after = before.clone();
            after.licenses.retain(|other| other.id != license.id);
            after.placed.remove(&license.id);
            after.add(license.clone(), &placed(&BTreeSet::new(), license, node));
            Rehearsal { before, after, was_set: false, refused: Some(refused) }
        }
    })
}
