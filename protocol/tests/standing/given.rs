//! Licenses and observations in few words.

use jiff::Timestamp;
use seatline_protocol::standing::NodeStanding;
use seatline_protocol::{Behaviour, Dimension, Kind, License, Limit, Mode, Observed, Standing, standing};

/// Noon of a day in UTC, such as `2026-06-01`; or any instant in full.
pub fn at(text: &str) -> Timestamp {
    let text = if text.len() == 10 { format!("{text}T12:00:00Z") } else { text.to_owned() };
    text.parse().expect("a time of a test")
}

pub fn dimension(name: &str) -> Dimension {
    name.parse().expect("a dimension of a test")
}

/// A perpetual license of acme-wiki with the feature that is named as the license, issued and begun on that day.
pub fn license(id: &str, issued: &str) -> License {
    License {
        id: id.parse().expect("a license id of a test"),
        product: "acme-wiki".parse().expect("a product id"),
        edition: None,
        kind: Kind::Commercial,
        licensee: "Example Ltd".to_owned(),
        limits: Vec::new(),
        features: [id.to_lowercase()].into(),
        issued: at(issued),
        not_before: None,
        expires: None,
        grace_days: 0,
        maintenance_until: None,
        servers: Vec::new(),
        support: false,
        mode: Mode::Installation,
        prerequisites: Vec::new(),
        add_on_of: None,
        replaces: Vec::new(),
        critical: Vec::new(),
        unknown: Default::default(),
    }
}

/// Changes of a license, to be chained.
pub trait With: Sized {
    fn with(self, change: impl FnOnce(&mut License)) -> License;

    fn expires(self, day: &str) -> License {
        self.with(|license| license.expires = Some(at(day)))
    }
    fn grace(self, days: u16) -> License {
        self.with(|license| license.grace_days = days)
    }
    fn begins(self, day: &str) -> License {
        self.with(|license| license.not_before = Some(at(day)))
    }
    fn maintained(self, day: &str) -> License {
        self.with(|license| license.maintenance_until = Some(at(day)))
    }
    fn replacing(self, id: &str) -> License {
        self.with(|license| license.replaces.push(id.parse().expect("a license id")))
    }
    fn kind(self, kind: Kind) -> License {
        self.with(|license| license.kind = kind)
    }
    fn edition(self, edition: &str) -> License {
        self.with(|license| license.edition = Some(edition.to_owned()))
    }
    fn bound_to(self, server: char) -> License {
        self.with(|license| license.servers.push(server_id(server)))
    }
    fn by_node(self) -> License {
        self.with(|license| license.mode = Mode::Node)
    }
    fn of(self, product: &str) -> License {
        self.with(|license| license.product = product.parse().expect("a product id"))
    }
    fn add_on(self, product: &str) -> License {
        self.of(product).with(|license| license.add_on_of = Some("acme-wiki".parse().expect("a product id")))
    }
    fn limit(self, name: &str, max: u64, extra: u64, behaviour: Behaviour) -> License {
        let limit = Limit { dimension: dimension(name), max: Some(max), extra, counting: None, behaviour };
        self.with(|license| license.limits.push(limit))
    }
}

impl With for License {
    fn with(mut self, change: impl FnOnce(&mut License)) -> License {
        change(&mut self);
        self
    }
}

/// The server ID of this character.
pub fn server_id(of: char) -> seatline_protocol::ServerId {
    let group = of.to_string().repeat(4);
    [group.as_str(); 5].join("-").parse().expect("a server ID")
}

/// The community edition of acme-wiki on the server AAAA-…, with these counts.
pub fn observed(counts: &[(&str, u64)]) -> Observed {
    Observed {
        edition: Some("community".to_owned()),
        counts: counts.iter().map(|(name, count)| (dimension(name), *count)).collect(),
        ..Observed::new("acme-wiki".parse().expect("a product id"), server_id('A'))
    }
}

/// The same with these nodes running.
pub fn running(nodes: &[&str]) -> Observed {
    Observed { nodes: nodes.iter().map(|node| (*node).to_owned()).collect(), ..observed(&[]) }
}

impl Place for Observed {
    fn placed(mut self, id: &str, nodes: &[&str]) -> Observed {
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        self.placed.insert(id.parse().expect("a license id"), nodes);
        self
    }
}

/// For which nodes a license was set.
pub trait Place {
    fn placed(self, id: &str, nodes: &[&str]) -> Observed;
}

/// The nodes with their licenses in one line: `node-1:L-1 node-2:-`.
pub fn coverage(nodes: &[NodeStanding]) -> String {
    let license = |node: &NodeStanding| node.license.as_ref().map_or("-".to_owned(), ToString::to_string);
    nodes.iter().map(|node| format!("{}:{}", node.id, license(node))).collect::<Vec<_>>().join(" ")
}

/// The standing in one line: verdict, what governs, the license list, the reasons, the features, the next change.
pub fn brief(standing: &Standing) -> String {
    let governed = standing.governed_by.as_ref().map_or("none".to_owned(), ToString::to_string);
    let list = |words: Vec<String>| if words.is_empty() { "-".to_owned() } else { words.join(" ") };
    let licenses =
        standing.licenses.iter().map(|license| format!("{}:{}", license.id, license.status.name())).collect();
    let name = |value| serde_json::to_value(value).expect("a name").as_str().expect("a text").to_owned();
    let reasons = standing.reasons.iter().map(|reason| {
        let about =
            reason.dimension.as_ref().map(ToString::to_string).or(reason.license.as_ref().map(ToString::to_string));
        format!("{}({})", name(reason.code), about.unwrap_or_default())
    });
    let changes = standing.changes_at.map_or("never".to_owned(), |at| at.to_string()[..10].to_owned());
    format!(
        "{} by {governed} | {} | {} | {} | {changes}",
        standing.verdict.name(),
        list(licenses),
        list(reasons.collect()),
        list(standing.features.iter().cloned().collect()),
    )
}

/// What the licenses come to on that day, in one line.
pub fn says(licenses: &[License], observed: &Observed, now: &str) -> String {
    brief(&standing(licenses, observed, at(now)))
}
