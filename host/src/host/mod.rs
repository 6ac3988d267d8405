//! The host: one instance of a product with its licenses, its plugin, its link and its reports.
//!
//! Everything is a plain function that returns when it is done, so that a product calls it from whatever it has: a
//! thread, a timer, an async runtime's blocking pool. Nothing here starts by itself, and no failure of a plugin, a network
//! or a key is more than an error value.

mod collecting;
mod linking;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use seatline_protocol::license::License;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{Dimension, PublicKey, ServerId, Standing, standing};

use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::exchange::ExchangeState;
use crate::identity;
use crate::licenses::{self, InstalledLicense, LicenseChange, SetLicenseError};
use crate::plugins::{PluginError, PluginStore};
use crate::ports::{Description, PortError, Product};
use crate::runs::{self, LastRun};
use crate::sandbox::Limits;
use crate::status::{self, Status};
use crate::store::{StateStore, StoreError};

pub use collecting::{CollectError, Collected, Preview, PreviewedReport};
pub use linking::Synchronised;

/// What a host is opened with.
pub struct HostOptions {
    /// The product.
    pub product: Arc<dyn Product>,
    /// Where the state is kept.
    pub store: Box<dyn StateStore>,
    /// The directory of the plugins.
    pub plugins: PathBuf,
    /// The vendors' keys that licenses are trusted from.
    pub vendor_keys: Vec<PublicKey>,
    /// What a run of a plugin may use.
    pub limits: Limits,
    /// Where the time comes from.
    pub clock: Box<dyn Clock>,
}

impl HostOptions {
    /// Options with the default limits and the system's clock.
    pub fn new(product: Arc<dyn Product>, store: impl StateStore, plugins: impl Into<PathBuf>) -> Self {
        Self {
            product,
            store: Box::new(store),
            plugins: plugins.into(),
            vendor_keys: Vec::new(),
            limits: Limits::default(),
            clock: Box::new(SystemClock),
        }
    }
}

/// Why the host could not be opened, or could not look at its own state.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plugins.
    #[error(transparent)]
    Plugins(#[from] PluginError),
    /// The product does not say what it is.
    #[error("the product does not say what it is: {0}")]
    Product(#[from] PortError),
}

impl HostError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Plugins(error) => error.code(),
            Self::Product(_) => "product-unavailable",
        }
    }
}

/// An instance of a product.
pub struct Host {
    product: Arc<dyn Product>,
    store: Box<dyn StateStore>,
    plugins: PluginStore,
    vendor_keys: Vec<PublicKey>,
    clock: Box<dyn Clock>,
    client: Client,
    server_id: ServerId,
    /// One run at a time.
    running: Mutex<()>,
    /// One exchange at a time. Two processes may exchange at once: every document can be sent twice without harm.
    exchanging: Mutex<()>,
}

impl Host {
    /// Opens the state of an instance; the first time, its server ID is made (`c7`).
    ///
    /// # Errors
    /// When the state or the plugin directory cannot be used.
    pub fn open(options: HostOptions) -> Result<Self, HostError> {
        let server_id = identity::server_id(&*options.store)?;
        Ok(Self {
            plugins: PluginStore::open(options.plugins, options.limits)?,
            product: options.product,
            store: options.store,
            vendor_keys: options.vendor_keys,
            clock: options.clock,
            client: Client::new(),
            server_id,
            running: Mutex::new(()),
            exchanging: Mutex::new(()),
        })
    }

    /// The identity of the instance.
    pub fn server_id(&self) -> &ServerId {
        &self.server_id
    }

    /// The plugins of the instance.
    pub fn plugins(&self) -> &PluginStore {
        &self.plugins
    }

    /// The time, in whole milliseconds: the clock's, but never before the floor that receipts have set
    /// ([`ExchangeState::clock_floor`]).
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn now(&self) -> Result<Timestamp, StoreError> {
        let floor = ExchangeState::read(&*self.store)?.clock_floor;
        let now = Timestamp::from_millisecond(self.clock.now().as_millisecond()).unwrap_or(Timestamp::MIN);
        Ok(now.max(floor.unwrap_or(Timestamp::MIN)))
    }

    /// What the product is, as it would be reported.
    ///
    /// # Errors
    /// When the product does not say.
    pub fn product(&self) -> Result<ProductFacts, PortError> {
        Ok(runs::facts(&self.product.describe()?, &self.server_id))
    }

    /// The license of a pasted key, if it may be set now. Nothing is changed.
    ///
    /// # Errors
    /// The one reason why it may not.
    pub fn check_license(&self, pasted: &str) -> Result<License, SetLicenseError> {
        self.open_license(pasted).map(|(_, license, _)| license)
    }

    /// Sets a pasted license key (`c1`). It takes effect at once; the keys from before stay as history (`c10`).
    ///
    /// # Errors
    /// The one reason why it was refused. What was set before stays as it was.
    pub fn set_license(&self, pasted: &str) -> Result<LicenseChange, SetLicenseError> {
        let (key, license, now) = self.open_license(pasted)?;
        let mut locked = self.store.lock()?;
        licenses::add(&mut *locked, key, license, &self.vendor_keys, now)
    }

    fn open_license(&self, pasted: &str) -> Result<(String, License, Timestamp), SetLicenseError> {
        let description = self.product.describe().map_err(SetLicenseError::Product)?;
        let now = self.now()?;
        let (product, edition) = (&description.id, description.edition.as_deref());
        let instance = licenses::Instance { product, edition, server_id: &self.server_id };
        let (key, license) = licenses::open(pasted, &self.vendor_keys, &instance, now)?;
        Ok((key, license, now))
    }

    /// All license keys that were set, the oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn licenses(&self) -> Result<Vec<InstalledLicense>, StoreError> {
        licenses::list(&*self.store, &self.vendor_keys)
    }

    /// What the licenses come to now, with the latest counts.
    ///
    /// # Errors
    /// When the state cannot be read, or the product does not say what it is.
    pub fn standing(&self) -> Result<Standing, HostError> {
        let description = self.product.describe()?;
        let counts = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        Ok(self.standing_with(&description, counts, self.now()?)?)
    }

    fn standing_with(
        &self,
        description: &Description,
        counts: BTreeMap<Dimension, u64>,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let licenses: Vec<License> = self.licenses()?.into_iter().filter_map(|key| key.license.ok()).collect();
        Ok(standing(&licenses, &runs::observed(description, &self.server_id, counts), now))
    }

    /// Everything that an administrator wants to know at a glance.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn status(&self) -> Result<Status, HostError> {
        status::read(self, &*self.store, self.clock.now())
    }
}
