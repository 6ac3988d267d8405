//! What the licenses of each add-on come to (`p1`, `p2`), and which license covers which node (`c8`, `p3`).

use seatline_protocol::standing::{AddOnStanding, LimitStanding, NodeStanding};
use seatline_ui::{Badge, Gauge, format, words};

/// An add-on.
pub(super) struct AddOn {
    pub(super) product: String,
    pub(super) verdict: Badge,
    /// The license whose limits hold now.
    pub(super) governed_by: Option<String>,
    /// What is limited, with its gauge; or with the limit in words, where nothing was counted.
    pub(super) limits: Vec<(String, Option<Gauge>, String)>,
    pub(super) nodes: Vec<Node>,
}

/// A running node.
pub(super) struct Node {
    pub(super) id: String,
    /// The license that covers it; none where it lacks one.
    pub(super) license: Option<String>,
}

impl From<&AddOnStanding> for AddOn {
    fn from(add_on: &AddOnStanding) -> Self {
        Self {
            product: add_on.product.to_string(),
            verdict: words::verdict(Some(add_on.verdict)),
            governed_by: add_on.governed_by.as_ref().map(ToString::to_string),
            limits: add_on.limits.iter().map(limit).collect(),
            nodes: add_on.nodes.iter().map(Node::from).collect(),
        }
    }
}

fn limit(limit: &LimitStanding) -> (String, Option<Gauge>, String) {
    let max = limit.max.map_or_else(|| "no limit".to_owned(), |max| format!("at most {}", format::number(max)));
    (words::dimension(&limit.dimension), Gauge::of_limit(limit).map(Gauge::small), format!("{max}, not counted"))
}

impl From<&NodeStanding> for Node {
    fn from(node: &NodeStanding) -> Self {
        Self { id: node.id.clone(), license: node.license.as_ref().map(ToString::to_string) }
    }
}
