//! System Info (`s1`): what an administrator tells a vendor of this instance, and looks at first when something is
//! wrong.

use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::exchange::{ExchangeState, Problem};
use seatline_host::held::HoldStatus;
use seatline_host::identity::IdentityFacts;
use seatline_host::link::LinkFacts;
use seatline_host::runs::PastRun;
use seatline_host::sandbox::{CONTRACT_VERSION, WASMTIME_VERSION};
use seatline_host::status::OutboxStatus;
use seatline_protocol::report::{Outcome, PluginFacts, ProductFacts};
use seatline_protocol::standing::Verdict;
use serde::Serialize;

/// The facts. Each part can fail on its own: what cannot be read is absent, and named in `unread`.
#[derive(Debug, Serialize)]
pub struct SystemInfo {
    /// When they were looked at.
    pub at: Timestamp,
    /// The identity of the instance.
    pub server_id: String,
    /// What that is made of, and how it has changed.
    pub identity: Option<IdentityFacts>,
    /// The product with its version, edition and nodes.
    pub product: Option<ProductFacts>,
    /// What its licenses come to.
    pub verdict: Option<Verdict>,
    /// What runs.
    pub versions: Versions,
    /// What the state is kept in.
    pub state_store: &'static str,
    /// The time.
    pub clock: ClockInfo,
    /// The link.
    pub link: Option<LinkFacts>,
    /// How the exchanges go.
    pub exchange: Option<ExchangeState>,
    /// The reports that wait for their receipt.
    pub outbox: Option<OutboxStatus>,
    /// The reports that wait for approval.
    pub hold: Option<HoldStatus>,
    /// The current plugin.
    pub plugin: Option<PluginFacts>,
    /// The latest runs, the newest first.
    pub runs: Vec<RunInfo>,
    /// What could not be read, and why.
    pub unread: Vec<Problem>,
}

/// The versions of what runs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Versions {
    /// The agent, or the library in a product.
    pub seatline: &'static str,
    /// The contract with plugins.
    pub contract: &'static str,
    /// What runs plugins.
    pub wasmtime: &'static str,
}

impl Versions {
    /// Those of this program.
    pub const PRESENT: Self =
        Self { seatline: env!("CARGO_PKG_VERSION"), contract: CONTRACT_VERSION, wasmtime: WASMTIME_VERSION };
}

/// The time by the clock of this machine, and what is known of its past.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClockInfo {
    /// The clock's time.
    pub now: Timestamp,
    /// The highest time that a receipt has proven: a floor under the clock.
    pub floor: Option<Timestamp>,
    /// By how many seconds the clock is behind the floor, where it was set back.
    pub behind_seconds: Option<u64>,
}

impl ClockInfo {
    fn of(now: Timestamp, floor: Option<Timestamp>) -> Self {
        let behind = floor.filter(|floor| *floor > now).map(|floor| floor.duration_since(now).unsigned_abs().as_secs());
        Self { now, floor, behind_seconds: behind }
    }
}

/// How a run went.
#[derive(Debug, Serialize)]
pub struct RunInfo {
    /// When.
    pub at: Timestamp,
    /// Why: `start`, `interval` or `demand`.
    pub trigger: String,
    /// How long, in milliseconds.
    pub took_ms: u64,
    /// The accounts that were counted, all classes together.
    pub accounts: Option<u64>,
    /// Why it failed, where it did.
    pub problem: Option<Problem>,
}

impl From<&PastRun> for RunInfo {
    fn from(run: &PastRun) -> Self {
        let (accounts, problem) = match &run.outcome {
            Outcome::Collected(collected) => (collected.accounts.as_ref().map(|accounts| accounts.total), None),
            Outcome::Failed(failure) => {
                (None, Some(Problem { code: failure.code.clone(), message: failure.message.clone() }))
            }
        };
        Self { at: run.at, trigger: run.trigger.clone(), took_ms: run.took_ms, accounts, problem }
    }
}

impl SystemInfo {
    /// Looks at `host` at `now`, by the clock of this machine.
    pub fn of(host: &Host, now: Timestamp) -> Self {
        let mut unread = Vec::new();
        let mut read = Reader(&mut unread);
        let exchange = read.part(host.exchange_state(), |error| error.code());
        let live = read.part(host.live(), |error| error.code());
        Self {
            at: now,
            server_id: host.server_id().to_string(),
            identity: read.part(host.identity(), |error| error.code()),
            product: read.part(host.product(), |error| error.code()),
            verdict: live.map(|live| live.standing.verdict),
            versions: Versions::PRESENT,
            state_store: host.state_store(),
            clock: ClockInfo::of(now, exchange.as_ref().and_then(|exchange| exchange.clock_floor)),
            link: read.part(host.link(), |error| error.code()).flatten(),
            exchange,
            outbox: read.part(host.outbox(), |error| error.code()),
            hold: read.part(host.hold_status(), |error| error.code()),
            plugin: read
                .part(host.plugins().installed(), |error| error.code())
                .flatten()
                .map(|installed| installed.facts()),
            runs: read
                .part(host.past_runs(), |error| error.code())
                .map(|runs| runs.iter().map(RunInfo::from).collect())
                .unwrap_or_default(),
            unread,
        }
    }
}

/// Notes what cannot be read.
struct Reader<'a>(&'a mut Vec<Problem>);

impl Reader<'_> {
    fn part<T, E: std::error::Error>(&mut self, read: Result<T, E>, code: impl Fn(&E) -> &'static str) -> Option<T> {
        let note = |error: &E| {
            let problem = Problem { code: code(error).to_owned(), message: error.to_string() };
            if !self.0.contains(&problem) {
                self.0.push(problem);
            }
        };
        read.inspect_err(note).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_a_clock_that_was_set_back_is_told_with_by_how_much() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        assert_eq!(ClockInfo::of(at(100), Some(at(160))).behind_seconds, Some(60));
        assert_eq!(ClockInfo::of(at(100), Some(at(100))).behind_seconds, None);
        assert_eq!(ClockInfo::of(at(100), None).behind_seconds, None);
    }
}
