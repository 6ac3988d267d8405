//! What the nodes of a cluster share: the state in PostgreSQL, the list of the nodes, and whose turn it is to
//! synchronise.
//!
//! | module | holds |
//! |---|---|
//! | `store`, `change`, `walk` | the state: reading it, changing it in one transaction, walking along its logs |
//! | `arrival`, `departure` | a state that is moved here from a directory, and back into one |
//! | `nodes` | the list of the nodes, and the lease on the turn |
//! | `layout` | the tables, and their migrations |
//! | `pool` | connections, and what is in their way |
//!
//! Every agent that runs gives signs of life ([`Cluster::beat`]), and with each it keeps the turn to synchronise, or
//! takes it where whoever had it gives none any more. The turn only spares work and doubled reports: should two nodes
//! take it to be theirs for a moment, because one of them stood still, each of their reports still follows the other in
//! the chain.

mod arrival;
mod change;
mod departure;
mod layout;
mod nodes;
mod pool;
mod store;
mod walk;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use seatline_host::ports;
use seatline_host::store::StoreError;

pub use arrival::MoveError;
pub use departure::{Left, copy_into};
pub use nodes::{Node, NodeState};
pub use store::PostgresStore;

use crate::config::Config;
use crate::failure::Failure;
use nodes::{Member, Sign};

/// How many signs of life a node gives within the time after which it has lapsed.
const SIGNS: u32 = 3;
/// For how long the list of the nodes is known without looking again.
const FRESH: Duration = Duration::from_secs(1);

/// This process as one of those that share a state.
pub struct Cluster {
    store: Arc<PostgresStore>,
    member: Member,
    /// Until when it is surely this node's turn.
    on_duty_until: Mutex<Option<Instant>>,
    /// Until when the turn is left to the others, because this node could not do what it is for.
    passed_until: Mutex<Option<Instant>>,
    has_beaten: AtomicBool,
    /// The digest of the plugin that this node has.
    plugin: Mutex<Option<String>>,
    /// The last sign of life of another process with our name.
    rival: Mutex<Option<std::time::SystemTime>>,
    known: Mutex<Option<(Instant, Vec<Node>)>>,
}

impl Cluster {
    /// This process, beside the product that `config` describes, on the state in `store`. The others see it with its
    /// first sign of life.
    ///
    /// # Errors
    /// When the node has no name.
    pub fn new(store: Arc<PostgresStore>, config: &Config) -> Result<Self, Failure> {
        let node = node_name(config)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::new("no-randomness", format!("the system gives no randomness: {error}")))?;
        let incarnation = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let lapse = Duration::from_secs(config.cluster.lapse_after);
        let member = Member { node, incarnation, version: config.product.version.clone(), lapse };
        let (on_duty_until, passed_until, has_beaten, plugin, rival, known) = Default::default();
        Ok(Self { store, member, on_duty_until, passed_until, has_beaten, plugin, rival, known })
    }

    /// What this node is called.
    pub fn node(&self) -> &str {
        &self.member.node
    }

    /// How often to give a sign of life.
    pub fn beat_interval(&self) -> Duration {
        self.member.lapse / SIGNS
    }

    /// Lets the others see with the next sign of life which plugin this node has.
    pub fn show_plugin(&self, digest: Option<String>) {
        *self.plugin.lock().unwrap_or_else(PoisonError::into_inner) = digest;
    }

    /// Gives a sign of life. Gives whether it is this node's turn to synchronise.
    ///
    /// # Errors
    /// When the database cannot be reached, which passes; or when another process has the name of this node, which does
    /// not ([`BeatError::Rival`]).
    pub fn beat(&self) -> Result<bool, BeatError> {
        // Before the database looks at its clock, so that our turn ends for us before it ends for the others.
        let begun = Instant::now();
        let plugin = self.plugin.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let wants_turn = self.passed_until().is_none_or(|until| begun >= until);
        match self.store.sign(&self.member, plugin.as_deref(), wants_turn)? {
            Sign::Seen { on_duty } => {
                *self.rival() = None;
                *self.on_duty_until() = on_duty.then(|| begun + self.member.lapse);
                // At last: whoever sees it knows whose turn it is.
                self.has_beaten.store(true, Ordering::Release);
                Ok(on_duty)
            }
            Sign::Taken(seen) => {
                *self.on_duty_until() = None;
                match self.rival().replace(seen) {
                    Some(before) if before != seen => Err(BeatError::Rival { node: self.member.node.clone() }),
                    // Perhaps this agent's own predecessor, which was killed: then the name is free when it has lapsed.
                    _ => Err(BeatError::NotYet { node: self.member.node.clone() }),
                }
            }
        }
    }

    /// Passes the turn on, where another node runs that can take it: for as long as a node takes to lapse this one
    /// leaves it to them. Gives whether it did.
    ///
    /// # Errors
    /// When the database cannot be reached. Then the turn stays here, or is taken when this node has lapsed.
    pub fn pass_on(&self) -> Result<bool, StoreError> {
        if self.running()?.iter().all(|node| node.id == self.member.node) {
            return Ok(false);
        }
        *self.passed_until() = Some(Instant::now() + self.member.lapse);
        *self.on_duty_until() = None;
        self.store.give_up_turn(&self.member)?;
        Ok(true)
    }

    /// Whether it is this node's turn to synchronise, as far as it knows.
    pub fn is_on_duty(&self) -> bool {
        self.on_duty_until().is_some_and(|until| Instant::now() < until)
    }

    /// Whether a sign of life of this process was taken. Where it was, [`Self::is_on_duty`] tells whose turn it is from
    /// then on; asked in the other order, the sign may come between the two.
    pub fn has_beaten(&self) -> bool {
        self.has_beaten.load(Ordering::Acquire)
    }

    /// Leaves the list of the nodes, so that another one may take the turn with its next sign of life.
    ///
    /// # Errors
    /// When the database cannot be reached. Then the node lapses.
    pub fn leave(&self) -> Result<(), StoreError> {
        *self.on_duty_until() = None;
        self.store.sign_off(&self.member)
    }

    /// The nodes that run, and those that have lapsed within the last day.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let nodes = self.store.nodes()?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), nodes.clone()));
        Ok(nodes)
    }

    /// The nodes that run, as the product's description has them: this one where no agent runs at all, as for a
    /// command.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn running(&self) -> Result<Vec<ports::Node>, StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let nodes = match known {
            Some((at, nodes)) if at.elapsed() < FRESH => nodes,
            _ => self.nodes()?,
        };
        let running = nodes.into_iter().filter(|node| node.state == NodeState::Running);
        let mut running: Vec<_> = running.map(|node| ports::Node { id: node.id, version: node.version }).collect();
        if running.is_empty() {
            running.push(ports::Node { id: self.member.node.clone(), version: self.member.version.clone() });
        }
        Ok(running)
    }

    fn on_duty_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.on_duty_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.passed_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rival(&self) -> MutexGuard<'_, Option<std::time::SystemTime>> {
        self.rival.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a sign of life was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BeatError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has the name of this node, and may be gone.
    #[error("another agent was seen as the node `{node}` a moment ago; the name is free when that one has lapsed")]
    NotYet {
        /// The name.
        node: String,
    },
    /// Somebody else lives under the name of this node.
    #[error(
        "another agent runs as the node `{node}`: give each its own name with `node` in [cluster] of seatline.toml"
    )]
    Rival {
        /// The name.
        node: String,
    },
}

impl BeatError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::NotYet { .. } => "node-not-yet",
            Self::Rival { .. } => "node-name-taken",
        }
    }
}

/// What this node is called: as it is configured, else as this machine is.
///
/// # Errors
/// When it has no name.
pub fn node_name(config: &Config) -> Result<String, Failure> {
    if let Some(node) = &config.cluster.node {
        return Ok(node.clone());
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    match crate::config::state::is_node_name(name) {
        true => Ok(name.to_owned()),
        false => Err(Failure::new(
            "no-node-name",
            "this machine has no name that a node could have: set `node` in [cluster] of seatline.toml",
        )),
    }
}
