//! The host: one instance of a product with its licenses, its plugin, its link and its reports.
//!
//! Everything is a plain function that returns when it is done, so that a product calls it from whatever it has: a
//! thread, a timer, an async runtime's blocking pool. Nothing here starts by itself, and no failure of a plugin, a
//! network or a key is more than an error value.

mod collecting;
mod holding;
mod identifying;
mod keeping;
mod licensing;
mod linking;
mod notifying;
mod waiting;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{PublicKey, ServerId};

use crate::activity::{Activity, Counters};
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::exchange::{ExchangeState, Problem};
use crate::identity;
use crate::live::Keeper;
use crate::plugins::{PluginError, PluginStore};
use crate::ports::{PortError, Product};
use crate::proxy::{OutboundProxy, ProxySource};
use crate::runs::{self, LastRun};
use crate::sandbox::Limits;
use crate::status::{self, Status};
use crate::store::{StateStore, StoreError};

pub(crate) use collecting::Made;
pub use collecting::{CollectError, Collected, Preview, PreviewedReport};
pub use identifying::{ConfirmError, Confirmed};
pub use licensing::LicensePreview;
pub use linking::{Reached, Synchronised};
pub use waiting::News;

/// What a host is opened with.
pub struct HostOptions {
    /// The product.
    pub product: Arc<dyn Product>,
    /// Where the state is kept.
    pub store: Arc<dyn StateStore>,
    /// The directory of the plugins.
    pub plugins: PathBuf,
    /// The vendors' keys that licenses are trusted from.
    pub vendor_keys: Vec<PublicKey>,
    /// What a run of a plugin may use.
    pub limits: Limits,
    /// Whether the instance is declared to be a staging one (`s3`).
    pub staging: bool,
    /// Whether opening a new state waits for the product to name its database, so that the first server ID is bound to
    /// it (`s2`). Where people are answered meanwhile, it does not wait: the first look binds the ID.
    pub waits_for_database: bool,
    /// The proxy that leads to the central server.
    pub proxy: ProxySource,
    /// Where the time comes from.
    pub clock: Box<dyn Clock>,
}

impl HostOptions {
    /// Options with the default limits, the proxy of the environment and the system's clock.
    pub fn new(product: Arc<dyn Product>, store: impl StateStore, plugins: impl Into<PathBuf>) -> Self {
        Self::sharing(product, Arc::new(store), plugins)
    }

    /// As [`new`](Self::new), over a store that the program around the host goes on using.
    pub fn sharing(product: Arc<dyn Product>, store: Arc<dyn StateStore>, plugins: impl Into<PathBuf>) -> Self {
        Self {
            product,
            store,
            plugins: plugins.into(),
            vendor_keys: Vec::new(),
            limits: Limits::default(),
            staging: false,
            waits_for_database: true,
            proxy: Box::new(|| Ok(OutboundProxy::of_environment())),
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
    store: Arc<dyn StateStore>,
    plugins: PluginStore,
    vendor_keys: Vec<PublicKey>,
    clock: Box<dyn Clock>,
    client: Client,
    /// Whether the instance is declared to be a staging one.
    staging: bool,
    /// The server ID that was read last: it holds while the state cannot be read.
    server_id: Mutex<ServerId>,
    /// Why the last look did not confirm the server ID.
    identity_problem: Mutex<Option<Problem>>,
    /// What the licenses come to, in memory.
    live: Keeper,
    activity: Counters,
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
        let HostOptions { product, store, plugins, vendor_keys, limits, staging, waits_for_database, proxy, clock } =
            options;
        let makings = || if waits_for_database { identifying::makings(&*product, staging).ok() } else { None };
        let record = identity::state::open(&*store, makings, whole_milliseconds(clock.now()))?;
        Ok(Self {
            plugins: PluginStore::open(plugins, limits)?,
            product,
            store,
            vendor_keys,
            clock,
            client: Client::new(proxy),
            staging,
            server_id: Mutex::new(record.server_id().clone()),
            identity_problem: Mutex::new(record.is_provisional().then(identifying::not_looked)),
            live: Keeper::default(),
            activity: Counters::default(),
            running: Mutex::new(()),
            exchanging: Mutex::new(()),
        })
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
        Ok(self.clock_now().max(floor.unwrap_or(Timestamp::MIN)))
    }

    /// The clock's time in whole milliseconds, which may be before the floor.
    fn clock_now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }

    /// What the product is, as it would be reported.
    ///
    /// # Errors
    /// When the product does not say, or the state cannot be read.
    pub fn product(&self) -> Result<ProductFacts, HostError> {
        let description = self.product.describe()?;
        let counts = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        let standing = self.standing_with(&description, counts, self.now()?)?;
        Ok(runs::facts(&description, &self.present_identity()?, &standing))
    }

    /// What the host has done since it was opened.
    pub fn activity(&self) -> Activity {
        self.activity.read()
    }

    /// The last run, of whichever process.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn last_run(&self) -> Result<Option<LastRun>, StoreError> {
        LastRun::read(&*self.store)
    }

    /// Everything that an administrator wants to know at a glance.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn status(&self) -> Result<Status, HostError> {
        status::read(self, &*self.store, self.clock.now())
    }
}

/// A time as documents hold it.
fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(Timestamp::MIN)
}
