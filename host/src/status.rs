//! The status of an instance at a glance.

use jiff::Timestamp;
use seatline_protocol::report::{PluginFacts, ProductFacts};
use seatline_protocol::{ServerId, Standing};
use serde::Serialize;

use crate::exchange::ExchangeState;
use crate::held::HoldStatus;
use crate::host::{Host, HostError};
use crate::identity::IdentityFacts;
use crate::link::LinkFacts;
use crate::outbox::{MAX_PENDING, Outbox};
use crate::runs::LastRun;
use crate::store::{StateReader, StoreError};

/// What an administrator wants to know at a glance. As JSON it is an interface.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// The instance.
    pub server_id: ServerId,
    /// What it is made of, and how it has changed.
    pub identity: IdentityFacts,
    /// The product.
    pub product: ProductFacts,
    /// What its licenses come to.
    pub standing: Standing,
    /// The current plugin.
    pub plugin: Option<PluginFacts>,
    /// Why the current plugin cannot be used, where it cannot.
    pub plugin_problem: Option<String>,
    /// The last run.
    pub last_run: Option<LastRun>,
    /// The link.
    pub link: Option<LinkFacts>,
    /// The reports that wait for their receipt.
    pub outbox: OutboxStatus,
    /// Whether reports are held for approval, and how many wait.
    pub hold: HoldStatus,
    /// How the exchanges go.
    pub exchange: ExchangeState,
    /// By how many seconds the clock is behind the latest time that a receipt has proven, where it is.
    pub clock_behind: Option<u64>,
}

/// The reports that wait.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OutboxStatus {
    /// How many wait.
    pub pending: usize,
    /// How many can wait at the most: then no report is made until one was received.
    pub capacity: usize,
    /// Whether none is made until one was received: there are as many, or they take up all the room.
    pub is_full: bool,
    /// When the oldest was made.
    pub oldest: Option<Timestamp>,
    /// When the latest report was made, whether it waits or not.
    pub latest: Option<Timestamp>,
}

impl OutboxStatus {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        let outbox = Outbox::read(store)?;
        let (is_full, latest) = (outbox.is_full(), outbox.head.as_ref().and_then(|head| head.made_at));
        Ok(Self { pending: outbox.pending, capacity: MAX_PENDING, is_full, oldest: outbox.oldest, latest })
    }
}

pub(crate) fn read(host: &Host, store: &dyn StateReader, clock: Timestamp) -> Result<Status, HostError> {
    let (plugin, plugin_problem) = match host.plugins().installed() {
        Ok(installed) => (installed.map(|installed| installed.facts()), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let identity = host.identity()?;
    let exchange = ExchangeState::read(store)?;
    let behind = exchange.clock_floor.filter(|floor| *floor > clock).map(|floor| floor.duration_since(clock));
    Ok(Status {
        server_id: identity.server_id.clone(),
        identity,
        product: host.product()?,
        standing: host.standing()?,
        plugin,
        plugin_problem,
        last_run: LastRun::read(store)?,
        link: host.link()?,
        outbox: OutboxStatus::read(store)?,
        hold: HoldStatus::read(store)?,
        clock_behind: behind.map(|behind| behind.unsigned_abs().as_secs()),
        exchange,
    })
}
