//! One run of a plugin: a fresh store, one call, one record.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use seatline_protocol::license::Counting;
use seatline_protocol::pairing::Secret;
use seatline_protocol::report::{PluginFacts, ProductFacts};
use seatline_protocol::standing::LicenseStanding;
use wasmtime::Store;

use super::contract::{LicenseVisibilityPre, reporter};
use super::state::RunState;
use super::{Grants, Inspection, RunError, Sandbox, Submission, outcome, pass};
use crate::ports::Product;

/// A plugin that is compiled and linked, ready to run. It can be run from several threads at once: runs share nothing.
#[derive(Clone)]
pub struct LoadedPlugin {
    sandbox: Sandbox,
    pre: LicenseVisibilityPre<RunState>,
    inspection: Arc<Inspection>,
}

impl fmt::Debug for LoadedPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedPlugin").field("inspection", &self.inspection).finish_non_exhaustive()
    }
}

/// Why a plugin is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The host has started.
    Start,
    /// The synchronisation interval has passed.
    Interval,
    /// Somebody asked for a count now.
    Demand,
}

impl Trigger {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Interval => "interval",
            Self::Demand => "demand",
        }
    }
}

/// The settings of the link that hold for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkSettings {
    /// Whether the product is linked to a central server.
    pub linked: bool,
    /// The synchronisation interval, in seconds.
    pub interval: u32,
    /// After how many days without a sign-in a counted account is dormant.
    pub dormancy_days: u32,
    /// The rule by which accounts are counted: the license's, else the central server's, else `account`.
    pub counting: Counting,
}

/// What a run of a plugin is given.
pub struct Occasion<'a> {
    /// The product, for its accounts and measurements.
    pub product: Arc<dyn Product>,
    /// What the product is.
    pub facts: &'a ProductFacts,
    /// The licenses that are set, with their standing, those in force first.
    pub licenses: &'a [LicenseStanding],
    /// The link's settings.
    pub link: LinkSettings,
    /// The key of the pseudonyms.
    pub pseudonym_key: &'a Secret,
    /// What the administrator granted to this plugin.
    pub grants: Grants,
    /// Why it is run.
    pub trigger: Trigger,
    /// The day, in UTC: the only clock of a plugin.
    pub today: Date,
}

/// What a run came to, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The report, or why there is none.
    pub result: Result<Submission, RunError>,
    /// What the plugin logged, in order.
    pub journal: Vec<JournalLine>,
    /// Lines that were not kept, beyond the run's quota or without the grant.
    pub dropped_lines: u64,
    /// From the instantiation to the end, with the time that the product took.
    pub took: Duration,
    /// The part of it that was the plugin's own: what [`Limits::plugin_time`](super::Limits::plugin_time) is held
    /// against.
    pub plugin_took: Duration,
    /// Of that, the time that the host waited for the product: the rest is what the plugin itself cost.
    pub waited: Duration,
    /// Accounts that the plugin read, in all passes.
    pub accounts_read: u64,
    /// The linear memory that the plugin used at its peak, in bytes.
    pub peak_memory: usize,
}

/// A line that a plugin logged: cleaned, at most 400 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// How grave the plugin takes it to be.
    pub level: JournalLevel,
    /// The line.
    pub text: String,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JournalLevel {
    /// For who works on the plugin.
    Debug,
    /// For who wants to know.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed.
    Error,
}

impl JournalLevel {
    /// The name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl LoadedPlugin {
    pub(super) fn new(sandbox: Sandbox, pre: LicenseVisibilityPre<RunState>, inspection: Inspection) -> Self {
        Self { sandbox, pre, inspection: Arc::new(inspection) }
    }

    /// What is known of the plugin from its bytes.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The plugin as a report names it, with the capabilities that it is granted.
    pub fn facts(&self, grants: &Grants) -> PluginFacts {
        self.inspection.facts(grants)
    }

    /// Runs the plugin once, on this thread. Whatever it does ends in the record; the store with all that it allocated
    /// is dropped on every path.
    pub fn run(&self, occasion: Occasion<'_>) -> RunRecord {
        let call = reporter::Occasion { trigger: occasion.trigger.into(), today: pass::day(occasion.today) };
        let sandbox = &*self.sandbox.inner;
        let limits = &sandbox.limits;
        let mut store = Store::new(&sandbox.engine, RunState::new(limits, &sandbox.errands, occasion));
        store.limiter(|state| &mut state.allotment);
        store.set_hostcall_fuel(limits.bytes_per_call);
        store.set_max_component_handles(limits.handles);
        let under_way = sandbox.ticker.begin(&mut store, |state| &state.watch);
        let returned = self
            .pre
            .instantiate(&mut store)
            .and_then(|plugin| plugin.seatline_license_visibility_reporter().call_run(&mut store, call));
        drop(under_way);
        let mut state = store.into_data();
        RunRecord {
            result: outcome::conclude(returned, &mut state),
            took: state.watch.took(),
            plugin_took: state.watch.plugin_took(),
            waited: state.watch.waited(),
            accounts_read: state.accounts_read,
            peak_memory: state.allotment.memory(),
            dropped_lines: state.journal.dropped,
            journal: state.journal.lines,
        }
    }
}

impl From<Trigger> for reporter::Trigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Start => Self::Start,
            Trigger::Interval => Self::Interval,
            Trigger::Demand => Self::Demand,
        }
    }
}
