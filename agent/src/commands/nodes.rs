//! `seatline nodes`

use jiff::Timestamp;
use seatline_host::status::Status;
use seatline_protocol::LicenseId;
use serde::Serialize;

use super::Context;
use crate::cluster::{Node, NodeState};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::{Page, time};

/// Show the nodes of the product: which run, which of them synchronises, and their licenses
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline nodes --json")]
pub struct Options {}

#[derive(Serialize)]
struct Shown {
    /// Whether nodes share their state, so that the agents know of each other.
    shared: bool,
    nodes: Vec<ShownNode>,
}

#[derive(Serialize)]
struct ShownNode {
    id: String,
    state: NodeState,
    version: String,
    /// The license that covers it; none where it lacks one, or does not run.
    license: Option<LicenseId>,
    /// What only agents know that share their state.
    agent: Option<String>,
    plugin: Option<String>,
    started_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    synchronises_since: Option<Timestamp>,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let shown = shown(&instance)?;
    context.output.show(&shown, |page| write(page, &shown))
}

/// The nodes that are held against the licenses, and beside them those that only the agents know of.
fn shown(instance: &Instance) -> Result<Shown, Failure> {
    let Status { product, standing, .. } = instance.host.status()?;
    let license = |id: &str| standing.nodes.iter().find(|node| node.id == id).and_then(|node| node.license.clone());
    let mut known = instance.cluster.as_ref().map(|cluster| cluster.nodes()).transpose()?;
    let shared = known.is_some();
    let mut take = |id: &str| -> Option<Node> {
        let known = known.as_mut()?;
        known.iter().position(|node| node.id == id).map(|at| known.swap_remove(at))
    };
    let running = product.nodes.into_iter().map(|node| {
        let agent = take(&node.id);
        ShownNode {
            state: NodeState::Running,
            license: license(&node.id),
            ..ShownNode::of(node.id, node.version, agent)
        }
    });
    let mut nodes: Vec<ShownNode> = running.collect();
    let others = known.unwrap_or_default().into_iter();
    nodes.extend(others.map(|node| ShownNode::of(node.id.clone(), node.version.clone(), Some(node))));
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(Shown { shared, nodes })
}

impl ShownNode {
    fn of(id: String, version: String, agent: Option<Node>) -> Self {
        let state = agent.as_ref().map_or(NodeState::Running, |node| node.state);
        let (started_at, seen_at) =
            (agent.as_ref().map(|node| node.started_at), agent.as_ref().map(|node| node.seen_at));
        let synchronises_since = agent.as_ref().and_then(|node| node.synchronises_since);
        let (agent, plugin) = agent.map(|node| (node.agent, node.plugin)).unzip();
        Self {
            id,
            state,
            version,
            license: None,
            agent,
            plugin: plugin.flatten(),
            started_at,
            seen_at,
            synchronises_since,
        }
    }
}

fn write(page: &mut Page, shown: &Shown) {
    let rows: Vec<Vec<String>> = shown.nodes.iter().map(row).collect();
    page.table(&["NODE", "STATE", "VERSION", "LAST SEEN", "SYNCHRONISES", "LICENSE"], &rows);
    if !shown.shared {
        page.gap();
        page.line("These are the nodes of seatline.toml. Agents that share their state ([state]) know of each other.");
    }
}

fn row(node: &ShownNode) -> Vec<String> {
    let license = match (&node.license, node.state) {
        (Some(license), _) => license.to_string(),
        (None, NodeState::Running) => "none".to_owned(),
        (None, NodeState::Lapsed) => "-".to_owned(),
    };
    let state = node.state.name().to_owned();
    let since = node.synchronises_since.map(|since| format!("since {}", time(since))).unwrap_or_default();
    let seen = node.seen_at.map_or_else(|| "-".to_owned(), time);
    vec![node.id.clone(), state, node.version.clone(), seen, since, license]
}
