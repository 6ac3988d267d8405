//! What one license comes to, as it is listed.

use std::collections::BTreeSet;

use super::rules::Finding;
use super::{LicenseStanding, LimitFacts, MAX_NODE_NAME, Observed, messages};
use crate::ids::MAX_COUNT;
use crate::license::License;
use crate::report::MAX_NODES;
use crate::text;

/// A license with what was found of it.
pub(super) fn license_standing(license: &License, finding: Finding<'_>, observed: &Observed) -> LicenseStanding {
    let facts = |limit: &crate::Limit| LimitFacts {
        dimension: limit.dimension.clone(),
        max: limit.max.map(|max| max.min(MAX_COUNT)),
    };
    LicenseStanding {
        id: license.id.clone(),
        product: license.product.clone(),
        add_on_of: license.add_on_of.clone(),
        edition: license.edition.clone(),
        kind: license.kind,
        licensee: license.licensee.clone(),
        limits: license.limits.iter().map(facts).collect(),
        features: license.features.clone(),
        begins: license.begins(),
        expires: license.expires,
        grace_ends: license.grace_ends(),
        maintenance_until: license.maintenance_until,
        support: license.support,
        mode: license.mode,
        set_for: set_for(license, observed),
        prerequisites: license.prerequisites.clone(),
        status: finding.status(),
        reason: messages::finding(license, finding, observed),
    }
}

/// The nodes that a license was set for, as they are shown.
fn set_for(license: &License, observed: &Observed) -> BTreeSet<String> {
    let nodes = observed.placed.get(&license.id).into_iter().flatten().take(MAX_NODES);
    nodes.map(|node| text::line(node, MAX_NODE_NAME)).collect()
}
