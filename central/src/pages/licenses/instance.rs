//! The instance that reports: product, server ID, nodes, plugin.

use std::collections::BTreeSet;

use seatline_protocol::ContinuityAnswer;
use seatline_protocol::continuity::parts_in_words;
use seatline_protocol::report::NodeFacts;
use seatline_ui::format;

use crate::domain::{Licenses, Statement};

/// How many nodes are listed at once; the rest unfolds.
const NODES_SHOWN: usize = 4;

/// The instance as it presents itself.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) product: String,
    pub(super) version: String,
    pub(super) edition: Option<String>,
    pub(super) server_id: String,
    pub(super) staging: bool,
    pub(super) changes: Vec<Change>,
    pub(super) node_count: String,
    pub(super) nodes: Vec<NodeFacts>,
    pub(super) more_nodes: Vec<NodeFacts>,
    pub(super) plugin: Option<Plugin>,
    pub(super) host: Option<String>,
}

/// A change of the server ID.
pub(super) struct Change {
    pub(super) at: String,
    pub(super) previous: String,
    pub(super) present: String,
    /// What was another one than before.
    pub(super) parts: String,
    /// What an administrator of the product has said of it.
    pub(super) answer: &'static str,
}

impl Change {
    fn of(statement: &Statement) -> Self {
        let content = &statement.content;
        Self {
            at: format::date_time(content.changed_at),
            previous: content.previous.to_string(),
            present: content.present.to_string(),
            parts: parts_in_words(&content.changed),
            answer: match content.answer {
                Some(ContinuityAnswer::Moved) => "It was moved.",
                Some(ContinuityAnswer::Restored) => "It was restored or installed anew.",
                Some(ContinuityAnswer::Copy) => "It was a copy, which is no longer linked here.",
                None => "Nobody at the product has said what it was.",
            },
        }
    }
}

/// The plugin that counted.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
    /// What it is granted, in words; absent where the host does not say it.
    pub(super) granted: Option<String>,
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
            staging: product.staging,
            changes: view.identity_changes.iter().map(Change::of).collect(),
            node_count: format::counted(product.nodes.len() as u64, "node runs", "nodes run"),
            nodes,
            more_nodes,
            plugin: reporter.and_then(|reporter| reporter.plugin.as_ref()).map(|plugin| Plugin {
                name: plugin.name.clone(),
                version: plugin.version.clone(),
                digest: plugin.digest.to_string(),
                granted: plugin.granted.as_ref().map(granted),
            }),
            host: reporter.map(|reporter| reporter.host.clone()),
        })
    }
}

/// The capabilities that are granted, in words.
fn granted(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}
