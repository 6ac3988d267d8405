//! The instance that reports: product, server ID, nodes, plugin.

use seatline_protocol::report::NodeFacts;
use seatline_ui::format;

use crate::domain::Licenses;

/// How many nodes are listed at once; the rest unfolds.
const NODES_SHOWN: usize = 4;

/// The instance as it presents itself.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) product: String,
    pub(super) version: String,
    pub(super) edition: Option<String>,
    pub(super) server_id: String,
    pub(super) node_count: String,
    pub(super) nodes: Vec<NodeFacts>,
    pub(super) more_nodes: Vec<NodeFacts>,
    pub(super) plugin: Option<Plugin>,
    pub(super) host: Option<String>,
}

/// The plugin that counted.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
}

impl Instance {
    pub(super) fn of(view: &Licenses) -> Option<Self> {
        let product = view.product.as_ref()?;
        let reporter = view.reported.as_ref().map(|reported| &reported.reporter);
        let mut nodes = product.nodes.clone();
        let more_nodes = nodes.split_off(nodes.len().min(NODES_SHOWN));
        Some(Self {
            name: product.name.clone(),
            product: product.id.to_string(),
            version: product.version.clone(),
            edition: product.edition.clone(),
            server_id: product.server_id.to_string(),
            node_count: format::counted(product.nodes.len() as u64, "node runs", "nodes run"),
            nodes,
            more_nodes,
            plugin: reporter.and_then(|reporter| reporter.plugin.as_ref()).map(|plugin| Plugin {
                name: plugin.name.clone(),
                version: plugin.version.clone(),
                digest: plugin.digest.to_string(),
            }),
            host: reporter.map(|reporter| reporter.host.clone()),
        })
    }
}
