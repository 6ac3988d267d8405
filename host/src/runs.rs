//! What the last run came to: shown to people, and held against the licenses until the next one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seatline_protocol::report::{Measured, Outcome, PluginFacts, ProductFacts};
use seatline_protocol::{Dimension, Kind, Observed, ProductId, Sequence, Standing};
use serde::{Deserialize, Serialize};

use crate::host::Made;
use crate::identity::Identity;
use crate::ports::{Description, Node};
use crate::sandbox::JournalLine;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The last run of the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LastRun {
    /// When it was made.
    pub at: Timestamp,
    /// Why: `start`, `interval` or `demand`.
    pub trigger: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The plugin, where there was one.
    pub plugin: Option<PluginFacts>,
    /// What it collected, or why it failed. What is kept of it is without the sketch of the people.
    pub outcome: Outcome,
    /// What the plugin wrote.
    pub journal: Vec<JournalEntry>,
    /// The latest count of each dimension, over all runs.
    pub counts: BTreeMap<Dimension, u64>,
    /// When accounts were last counted.
    pub counted_at: Option<Timestamp>,
}

/// A line that a plugin wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JournalEntry {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The line, cleaned and capped.
    pub line: String,
}

impl JournalEntry {
    /// That lines are missing: too many were written, or without the grant.
    pub(crate) fn of_dropped(lines: u64) -> Self {
        Self { level: "warn".to_owned(), line: format!("{lines} lines of the plugin were not kept") }
    }
}

impl From<JournalLine> for JournalEntry {
    fn from(line: JournalLine) -> Self {
        Self { level: line.level.name().to_owned(), line: line.text }
    }
}

impl LastRun {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Option<Self>, StoreError> {
        slots::read(store, Slot::LastRun)
    }

    /// The run as it is kept: without the sketch of the people, which is for the report alone.
    pub(crate) fn to_keep(&self) -> Self {
        let mut kept = self.clone();
        if let Outcome::Collected(collected) = &mut kept.outcome {
            (collected.people, collected.people_key) = (None, None);
        }
        kept
    }
}

/// The most runs that are remembered.
const MAX_PAST_RUNS: usize = 10;
/// The most lines of the journal that are remembered of a past run.
const MAX_PAST_LINES: usize = 40;

/// A run of late, as it is remembered: to see how runs go, and what has changed from one to the next (`b7`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PastRun {
    /// When it was made.
    pub at: Timestamp,
    /// Why: `start`, `interval` or `demand`.
    pub trigger: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The plugin, where there was one.
    pub plugin: Option<PluginFacts>,
    /// What it collected, without licenses and the sketch of the people; or why it failed.
    pub outcome: Outcome,
    /// The first lines that the plugin wrote.
    pub journal: Vec<JournalEntry>,
    /// Its report's place in the chain, where it went into the outbox.
    pub sequence: Option<Sequence>,
    /// Whether its report was held for approval.
    pub is_held: bool,
}

impl PastRun {
    /// All that are remembered, the newest first.
    pub(crate) fn read_all(store: &dyn StateReader) -> Result<Vec<Self>, StoreError> {
        Ok(slots::read(store, Slot::PastRuns)?.unwrap_or_default())
    }

    /// Remembers `run`, and what was `made` of it if a report could be.
    pub(crate) fn note(locked: &mut dyn LockedStore, run: &LastRun, made: Option<&Made>) -> Result<(), StoreError> {
        let mut outcome = run.outcome.clone();
        if let Outcome::Collected(collected) = &mut outcome {
            (collected.people, collected.people_key, collected.standing) = (None, None, None);
        }
        let mut journal: Vec<JournalEntry> = run.journal.iter().take(MAX_PAST_LINES).cloned().collect();
        if run.journal.len() > MAX_PAST_LINES {
            journal.push(JournalEntry::of_dropped((run.journal.len() - MAX_PAST_LINES) as u64));
        }
        let past = Self {
            at: run.at,
            trigger: run.trigger.clone(),
            took_ms: run.took_ms,
            plugin: run.plugin.clone(),
            outcome,
            journal,
            sequence: made.and_then(|made| match made {
                Made::Pending(report) => Some(report.sequence),
                Made::None | Made::Held => None,
            }),
            is_held: matches!(made, Some(Made::Held)),
        };
        // They are for people to look at: where they are damaged, they begin anew.
        let before = Self::read_all(locked.store()).unwrap_or_default();
        let runs: Vec<Self> = std::iter::once(past).chain(before).take(MAX_PAST_RUNS).collect();
        slots::write(locked, Slot::PastRuns, &runs)
    }
}

/// The counts after a run: what it gave replaces what was known, what it could not give stays as it was.
pub(crate) fn counts_after(
    before: Option<&LastRun>,
    outcome: &Outcome,
    nodes: usize,
    at: Timestamp,
) -> (BTreeMap<Dimension, u64>, Option<Timestamp>) {
    let mut counts = before.map(|run| run.counts.clone()).unwrap_or_default();
    let mut counted_at = before.and_then(|run| run.counted_at);
    counts.insert(Dimension::nodes(), nodes as u64);
    if let Outcome::Collected(collected) = outcome {
        for measurement in &collected.measurements {
            if let Measured::Value(value) = measurement.value {
                counts.insert(measurement.dimension.clone(), value);
            }
        }
        if let Some(accounts) = &collected.accounts {
            counts.insert(Dimension::users(), accounts.counted);
            counted_at = Some(at);
        }
    }
    (counts, counted_at)
}

/// What is held against the licenses.
pub(crate) fn observed(description: &Description, identity: Identity, counts: BTreeMap<Dimension, u64>) -> Observed {
    Observed {
        edition: description.edition.clone(),
        staging: identity.staging,
        previous: identity.previous,
        released: description.released,
        counts,
        nodes: description.nodes.iter().map(|node| node.id.clone()).collect(),
        ..Observed::new(description.id.clone(), identity.server_id)
    }
}

/// What a report says of the product, cleaned and capped. An instance is a staging one if it is declared to be, or if
/// the vendor has said so of its server ID: by a staging license that governs.
pub(crate) fn facts(description: &Description, identity: &Identity, standing: &Standing) -> ProductFacts {
    use seatline_protocol::license::MAX_NAME;
    use seatline_protocol::report::{MAX_NODES, NodeFacts};
    use seatline_protocol::text::line;
    let node = |node: &Node| NodeFacts { id: line(&node.id, 64), version: line(&node.version, 64) };
    let id: ProductId = description.id.clone();
    let name = Some(line(&description.name, MAX_NAME)).filter(|name| !name.is_empty());
    ProductFacts {
        name: name.unwrap_or_else(|| id.to_string()),
        id,
        version: line(&description.version, 64),
        edition: description.edition.as_ref().map(|edition| line(edition, MAX_NAME)),
        server_id: identity.server_id.clone(),
        staging: identity.staging || standing.governing().is_some_and(|license| license.kind == Kind::Staging),
        nodes: description.nodes.iter().take(MAX_NODES).map(node).collect(),
    }
}
