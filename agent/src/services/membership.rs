//! The service that gives signs of life to the other nodes, and sees who else runs (`c8`, `g5`).

use std::time::Duration;

use seatline_host::ports::Node;
use seatline_host::store::StoreError;

use super::Service;
use super::stop::Stop;
use crate::cluster::{BeatError, Cluster};
use crate::failure::Failure;
use crate::instance::Instance;

/// How soon a sign of life that was not taken is given again.
const RETRY: Duration = Duration::from_secs(1);

/// Gives signs of life until the agent stops.
pub struct Membership<'i> {
    instance: &'i Instance,
    cluster: &'i Cluster,
}

impl<'i> Membership<'i> {
    /// The service of an instance whose state is shared; none where it is not.
    pub fn of(instance: &'i Instance) -> Option<Self> {
        instance.cluster.as_deref().map(|cluster| Self { instance, cluster })
    }

    /// Leaves the other nodes, after all services have ended.
    pub fn end(&self) {
        if let Err(error) = self.cluster.leave() {
            tracing::warn!(code = error.code(), "this node is listed until it has lapsed: {error}");
        }
    }
}

impl Service for Membership<'_> {
    fn name(&self) -> &'static str {
        "membership"
    }

    fn run(&self, stop: &Stop) -> Result<(), Failure> {
        let mut seen = Seen::default();
        while !stop.is_requested() {
            // As it was installed: one that was changed since, or cannot be read, is told by the run that would need
            // it.
            let plugin = self.instance.host.plugins().list().ok().and_then(|roster| roster.current);
            self.cluster.show_plugin(plugin.map(|plugin| plugin.digest.to_string()));
            let wait = match self.cluster.beat().and_then(|on_duty| Ok((on_duty, self.cluster.running()?))) {
                Ok((on_duty, nodes)) => {
                    if seen.note(self.cluster.node(), on_duty, nodes) {
                        // The licenses are held against the nodes that run.
                        self.instance.host.refresh();
                    }
                    self.cluster.beat_interval()
                }
                Err(error) if is_for_good(&error) => return Err(Failure::of(error.code(), &error)),
                Err(error) => {
                    seen.fail(&error);
                    self.cluster.beat_interval().min(RETRY)
                }
            };
            stop.wait(wait);
        }
        Ok(())
    }
}

/// Whether no further sign of life would be taken either.
fn is_for_good(error: &BeatError) -> bool {
    matches!(error, BeatError::Rival { .. } | BeatError::Store(StoreError::Newer { .. }))
}

/// What was seen last, so that changes alone are told.
#[derive(Default)]
struct Seen {
    nodes: Vec<Node>,
    on_duty: bool,
    problem: Option<String>,
}

impl Seen {
    /// Whether other nodes run than before.
    fn note(&mut self, ours: &str, on_duty: bool, nodes: Vec<Node>) -> bool {
        if self.problem.take().is_some() {
            tracing::info!("the other nodes see this one again");
        }
        if on_duty != self.on_duty {
            let turn = if on_duty { "this node synchronises from now on" } else { "another node synchronises now" };
            tracing::info!(node = ours, "{turn}");
        }
        self.on_duty = on_duty;
        let is_new = nodes != self.nodes;
        if is_new {
            let names: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
            tracing::info!(count = nodes.len(), nodes = names.join(", "), "running nodes");
        }
        self.nodes = nodes;
        is_new
    }

    fn fail(&mut self, error: &BeatError) {
        let message = error.to_string();
        if self.problem.replace(message.clone()).as_deref() != Some(&message) {
            tracing::warn!(code = error.code(), "the other nodes do not see this one: {message}");
        }
    }
}
