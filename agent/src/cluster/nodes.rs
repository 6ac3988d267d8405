//! The list of the nodes, and whose turn it is: two tables, and one transaction that gives a sign of life in both.
//!
//! All times are the database's. The clocks of the nodes may differ by whatever they like.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use seatline_host::store::StoreError;
use seatline_postgres::{Connection, Parameter, QueryError};
use serde::Serialize;
use tokio_postgres::types::Type;

use super::layout::NOW;
use super::store::PostgresStore;

/// For how long a node that has lapsed is still listed.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// A process that takes part, as it shows itself to the others.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// What the node is called.
    pub node: String,
    /// Of this process alone.
    pub incarnation: String,
    /// The version of the product.
    pub version: String,
    /// After what time without a sign of life the node has lapsed.
    pub lapse: Duration,
}

/// What a sign of life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is seen by all.
    Seen {
        /// Whether it is this node's turn to synchronise, until it has lapsed.
        on_duty: bool,
    },
    /// Another process has this name, and gave this sign of life last.
    Taken(SystemTime),
}

/// A node, as all see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it is called.
    pub id: String,
    /// Whether it runs, or has lapsed.
    pub state: NodeState,
    /// The version of the product that it runs.
    pub version: String,
    /// The version of its agent.
    pub agent: String,
    /// The digest of its plugin, if it has one.
    pub plugin: Option<String>,
    /// When its agent was started.
    pub started_at: Timestamp,
    /// Its last sign of life.
    pub seen_at: Timestamp,
    /// Since when it is its turn to synchronise, where it is.
    pub synchronises_since: Option<Timestamp>,
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It gives signs of life.
    Running,
    /// It has given none for too long.
    Lapsed,
}

impl NodeState {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A node that stands still in the middle of a sign of life keeps nobody from the turn for longer.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// Whoever has the name keeps it while he lives.
const REGISTER: &str = "
INSERT INTO {s}.nodes AS n (id, incarnation, version, agent, started_at, seen_at, expires_at, plugin)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET incarnation = $2, version = $3, agent = $4, seen_at = $5, expires_at = $6, plugin = $7,
    started_at = CASE WHEN n.incarnation = $2 THEN n.started_at ELSE $5 END
WHERE n.incarnation = $2 OR n.expires_at <= $5";

/// Whoever has the turn keeps it while he lives.
const TAKE_TURN: &str = "
INSERT INTO {s}.leases AS l (name, node, incarnation, taken_at, expires_at)
VALUES ('synchroniser', $1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET node = $1, incarnation = $2, expires_at = $4,
    taken_at = CASE WHEN l.incarnation = $2 THEN l.taken_at ELSE $3 END
WHERE l.incarnation = $2 OR l.expires_at <= $3";

const GIVE_UP_TURN: &str = "DELETE FROM {s}.leases WHERE incarnation = $1";

const LIST: &str = "
SELECT n.id, n.version, n.agent, n.started_at, n.seen_at, n.expires_at, l.taken_at, l.expires_at, CURRENT_TIMESTAMP,
    n.plugin
FROM {s}.nodes n LEFT JOIN {s}.leases l ON l.incarnation = n.incarnation AND l.name = 'synchroniser'
ORDER BY n.id";

impl PostgresStore {
    /// Gives a sign of life of `member`, which has this `plugin`, and takes the turn if it is free and wanted.
    pub(super) fn sign(&self, member: &Member, plugin: Option<&str>, wants_turn: bool) -> Result<Sign, StoreError> {
        let check = self.sql("SELECT layout, phase FROM {s}.instance WHERE id = 'seatline'");
        let row = self.pool().with(|client| client.query_opt(&check, &[]))?;
        self.check(row)?;
        self.pool()
            .with(|client| client.transaction(BEGIN, |client| self.sign_with(client, member, plugin, wants_turn)))
    }

    fn sign_with(
        &self,
        client: &mut Connection,
        member: &Member,
        plugin: Option<&str>,
        wants_turn: bool,
    ) -> Result<Sign, QueryError> {
        let Member { node, incarnation, version, lapse } = member;
        let now: SystemTime = client.query_one(NOW, &[])?.try_get(0)?;
        let (expires_at, forgotten_at) = (now + *lapse, now - REMEMBERED);
        let agent = env!("CARGO_PKG_VERSION");
        let registered = client.execute(
            &self.sql(REGISTER),
            &[
                (node, Type::TEXT),
                (incarnation, Type::TEXT),
                (version, Type::TEXT),
                (&agent, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
                (&expires_at, Type::TIMESTAMPTZ),
                (&plugin, Type::TEXT),
            ],
        )?;
        if registered == 0 {
            let other = self.sql("SELECT seen_at FROM {s}.nodes WHERE id = $1");
            let other = client.query_opt(&other, &[(node, Type::TEXT)])?;
            // It may have left between the two statements.
            return Ok(Sign::Taken(other.map_or(Ok(now), |row| row.try_get(0))?));
        }
        let turn: [Parameter<'_>; 4] = [
            (node, Type::TEXT),
            (incarnation, Type::TEXT),
            (&now, Type::TIMESTAMPTZ),
            (&expires_at, Type::TIMESTAMPTZ),
        ];
        let on_duty = wants_turn && client.execute(&self.sql(TAKE_TURN), &turn)? > 0;
        let forget = self.sql("DELETE FROM {s}.nodes WHERE expires_at < $1");
        client.execute(&forget, &[(&forgotten_at, Type::TIMESTAMPTZ)])?;
        Ok(Sign::Seen { on_duty })
    }

    /// Gives up the turn of `member`, which goes on giving signs of life.
    pub(super) fn give_up_turn(&self, member: &Member) -> Result<(), StoreError> {
        let statement = self.sql(GIVE_UP_TURN);
        self.pool().with(|client| client.execute(&statement, &[(&member.incarnation, Type::TEXT)])).map(drop)
    }

    /// Takes `member` off the list, and gives up its turn.
    pub(super) fn sign_off(&self, member: &Member) -> Result<(), StoreError> {
        let statements = [self.sql("DELETE FROM {s}.nodes WHERE incarnation = $1"), self.sql(GIVE_UP_TURN)];
        self.pool().with(|client| {
            client.transaction(BEGIN, |client| {
                for statement in &statements {
                    client.execute(statement, &[(&member.incarnation, Type::TEXT)])?;
                }
                Ok(())
            })
        })
    }

    /// The nodes that run, and those that have lapsed within the last day.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let list = self.sql(LIST);
        let rows = self.pool().with(|client| client.query(&list, &[]))?;
        rows.iter()
            .map(|row| {
                let now: SystemTime = self.column(row, 8)?;
                let is_over = |expires_at: SystemTime| expires_at <= now;
                let has_lapsed = is_over(self.column(row, 5)?);
                let turn: (Option<SystemTime>, Option<SystemTime>) = (self.column(row, 6)?, self.column(row, 7)?);
                let since = turn.0.zip(turn.1).filter(|(_, expires_at)| !is_over(*expires_at)).map(|(taken, _)| taken);
                Ok(Node {
                    id: self.column(row, 0)?,
                    state: if has_lapsed { NodeState::Lapsed } else { NodeState::Running },
                    version: self.column(row, 1)?,
                    agent: self.column(row, 2)?,
                    plugin: self.column(row, 9)?,
                    started_at: time(self.column(row, 3)?),
                    seen_at: time(self.column(row, 4)?),
                    synchronises_since: since.map(time),
                })
            })
            .collect()
    }
}

/// A time of the database, which counts microseconds.
fn time(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok()).unwrap_or(
        // Only somebody who writes into the table himself can make one that we do not have.
        Timestamp::UNIX_EPOCH,
    )
}
