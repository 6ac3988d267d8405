//! What the metrics are made of, read in one go.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use seatline_host::activity::Activity;
use seatline_host::exchange::ExchangeState;
use seatline_host::held::HoldStatus;
use seatline_host::link::LinkState;
use seatline_host::live::Live;
use seatline_host::runs::LastRun;
use seatline_host::status::OutboxStatus;
use seatline_host::store::StoreError;

use crate::instance::Instance;

/// What the metrics are made of.
#[derive(Debug)]
pub struct Facts {
    /// The time that counts: the clock's, but never before what receipts have proven.
    pub now: Timestamp,
    /// What the licenses come to; none where that could not be told since the start.
    pub live: Option<Arc<Live>>,
    /// What this process has done.
    pub activity: Activity,
    /// What the state holds; none where it cannot be read.
    pub state: Option<State>,
    /// Whether this node synchronises, where several share the state.
    pub has_turn: Option<bool>,
    /// The memory of this process, where the system tells it.
    pub resident_bytes: Option<u64>,
}

/// What the state holds.
#[derive(Debug)]
pub struct State {
    /// The last run.
    pub last_run: Option<LastRun>,
    /// How far the link is.
    pub link: Option<LinkState>,
    /// How often is counted and reported.
    pub interval: Duration,
    /// What waits.
    pub outbox: OutboxStatus,
    /// What waits for approval.
    pub hold: HoldStatus,
    /// How the exchanges go.
    pub exchange: ExchangeState,
    /// By how many seconds the clock is behind what receipts have proven.
    pub clock_behind: u64,
}

impl Facts {
    /// The facts of now.
    pub fn read(instance: &Instance) -> Self {
        let host = &instance.host;
        let clock = Timestamp::now();
        let state = State::read(instance, clock)
            .inspect_err(|error| tracing::debug!(code = error.code(), "the metrics go without the state: {error}"))
            .ok();
        let floor = state.as_ref().and_then(|state| state.exchange.clock_floor);
        Self {
            now: floor.map_or(clock, |floor| floor.max(clock)),
            live: host.live().ok(),
            activity: host.activity(),
            has_turn: instance.cluster.as_ref().map(|cluster| cluster.is_on_duty()),
            state,
            resident_bytes: resident_bytes(),
        }
    }

    /// Whether the state could be read, for these facts and for the standing.
    pub fn is_state_readable(&self) -> bool {
        self.state.is_some() && self.live.as_ref().is_some_and(|live| live.problem.is_none())
    }
}

impl State {
    fn read(instance: &Instance, clock: Timestamp) -> Result<Self, StoreError> {
        let host = &instance.host;
        let exchange = host.exchange_state()?;
        let behind = exchange.clock_floor.map_or(0, |floor| floor.duration_since(clock).as_secs().max(0));
        Ok(Self {
            last_run: host.last_run()?,
            link: host.link()?.map(|link| link.state),
            interval: host.interval()?,
            outbox: host.outbox()?,
            hold: host.hold_status()?,
            exchange,
            clock_behind: behind.unsigned_abs(),
        })
    }
}

/// The resident memory of this process, see proc(5).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
