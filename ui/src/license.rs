//! A license: what it grants, to whom, until when, and what it comes to.

use askama::Template;
use jiff::Timestamp;
use seatline_protocol::Mode;
use seatline_protocol::standing::LicenseStanding;

use crate::format::{self, When};
use crate::signs::{Badge, Prose};
use crate::words;

/// How many features are listed at once; the rest unfolds.
const FEATURES_SHOWN: usize = 12;

/// A license as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "license.html")]
pub struct LicenseCard {
    id: String,
    status: Badge,
    /// Whether it is the one whose limits hold now.
    governs: bool,
    time_left: Option<String>,
    reason: Option<Prose>,
    facts: Vec<(&'static str, Fact)>,
    features: Vec<String>,
    more_features: Vec<String>,
}

/// What a license says of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    Text(String),
    Time(When),
}

impl LicenseCard {
    /// The license at `now`; `governs` says whether its limits are the ones that hold.
    pub fn new(license: &LicenseStanding, governs: bool, now: Timestamp) -> Self {
        let time = |at: Timestamp| Fact::Time(When { at, now });
        let limits = license.limits.iter().map(|limit| match limit.max {
            Some(max) => format!("{} {}", format::number(max), limit.dimension),
            None => format!("{}: no limit", limit.dimension),
        });
        let limits: Vec<String> = limits.collect();
        let product = match &license.add_on_of {
            Some(extended) => format!("{}, an add-on of {extended}", license.product),
            None => license.product.to_string(),
        };
        let mut facts = vec![
            ("Licensee", Fact::Text(license.licensee.clone())),
            ("Kind", Fact::Text(words::kind(license.kind).to_owned())),
            ("Product", Fact::Text(product)),
        ];
        facts.extend(license.edition.clone().map(|edition| ("Edition", Fact::Text(edition))));
        facts.push(("Limits", Fact::Text(if limits.is_empty() { "none".to_owned() } else { limits.join(", ") })));
        facts.push(("Begins", Fact::Text(format::date_time(license.begins))));
        facts.push(("Expires", license.expires.map_or(Fact::Text("never (perpetual)".to_owned()), time)));
        facts.extend(
            license.grace_ends.filter(|ends| Some(*ends) != license.expires).map(|at| ("Grace ends", time(at))),
        );
        facts.extend(license.maintenance_until.map(|at| ("Maintenance until", time(at))));
        if license.mode == Mode::Node {
            facts.push(("Covers", Fact::Text("one node".to_owned())));
        }
        if !license.set_for.is_empty() {
            let nodes: Vec<&str> = license.set_for.iter().map(String::as_str).collect();
            facts.push(("Set for the nodes", Fact::Text(nodes.join(", "))));
        }
        if license.support {
            facts.push(("Support", Fact::Text("the vendor's, while maintenance lasts".to_owned())));
        }
        if !license.prerequisites.is_empty() {
            let needed: Vec<String> = license.prerequisites.iter().map(ToString::to_string).collect();
            facts.push(("Needs as well", Fact::Text(needed.join("; "))));
        }
        let mut features: Vec<String> = license.features.iter().cloned().collect();
        let more_features = features.split_off(features.len().min(FEATURES_SHOWN));
        Self {
            id: license.id.to_string(),
            status: words::status(license.status),
            governs,
            time_left: license.time_left(now).map(words::time_left),
            reason: license.reason.as_deref().map(Prose::sentence),
            facts,
            features,
            more_features,
        }
    }
}

impl askama::filters::HtmlSafe for LicenseCard {}
