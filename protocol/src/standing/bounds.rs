//! What holds for a standing that came inside a report.

use serde::Serialize;

use super::{
    AddOnStanding, LicenseStanding, LimitStanding, MAX_ENABLED_FEATURES, MAX_LICENSES, MAX_MESSAGE, MAX_NODE_NAME,
    MAX_REASONS, MAX_STANDING_BYTES, NodeStanding, Standing,
};
use crate::ids::{Dimension, MAX_COUNT};
use crate::license::{MAX_FEATURE, MAX_LIMITS, MAX_NAME, MAX_PREREQUISITES};
use crate::report::MAX_NODES;
use crate::text;

impl Standing {
    /// The rules for a standing that came inside a report: every list, text and number is bounded, and so is the whole.
    /// What `standing` makes of licenses that were opened holds to them.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    pub fn check(&self) -> Result<(), String> {
        at_most("reasons", self.reasons.len(), MAX_REASONS)?;
        at_most("licenses", self.licenses.len(), MAX_LICENSES)?;
        check_limits(&self.limits)?;
        at_most("features", self.features.len(), MAX_ENABLED_FEATURES)?;
        self.reasons.iter().try_for_each(|reason| line("a message", &reason.message, MAX_MESSAGE))?;
        self.licenses.iter().try_for_each(LicenseStanding::check)?;
        at_most("add-ons", self.add_ons.len(), MAX_LICENSES)?;
        self.add_ons.iter().try_for_each(AddOnStanding::check)?;
        check_nodes(&self.nodes)?;
        self.features.iter().try_for_each(|feature| line("a feature", feature, MAX_FEATURE))?;
        at_most("bytes", json_bytes(self), MAX_STANDING_BYTES)
    }
}

impl AddOnStanding {
    fn check(&self) -> Result<(), String> {
        check_limits(&self.limits)?;
        check_nodes(&self.nodes)
    }
}

fn check_limits(limits: &[LimitStanding]) -> Result<(), String> {
    at_most("limits", limits.len(), MAX_LIMITS + 1)?;
    limits.iter().try_for_each(|limit| {
        let numbers = [limit.max.unwrap_or_default(), limit.extra, limit.used.unwrap_or_default()];
        numbers.into_iter().try_for_each(|number| count(&limit.dimension, number))
    })
}

fn check_nodes(nodes: &[NodeStanding]) -> Result<(), String> {
    at_most("nodes", nodes.len(), MAX_NODES)?;
    nodes.iter().try_for_each(|node| line("a node", &node.id, MAX_NODE_NAME))
}

impl LicenseStanding {
    pub(crate) fn check(&self) -> Result<(), String> {
        at_most("limits of a license", self.limits.len(), MAX_LIMITS)?;
        at_most("features of a license", self.features.len(), MAX_ENABLED_FEATURES)?;
        line("a licensee", &self.licensee, MAX_NAME)?;
        line("an edition", self.edition.as_deref().unwrap_or_default(), MAX_NAME)?;
        at_most("nodes of a license", self.set_for.len(), MAX_NODES)?;
        self.set_for.iter().try_for_each(|node| line("a node", node, MAX_NODE_NAME))?;
        at_most("prerequisites", self.prerequisites.len(), MAX_PREREQUISITES)?;
        for needed in &self.prerequisites {
            line("a prerequisite", &needed.name, MAX_NAME)?;
            line("a prerequisite's edition", needed.edition.as_deref().unwrap_or_default(), MAX_NAME)?;
        }
        line("a reason", self.reason.as_deref().unwrap_or_default(), MAX_MESSAGE)?;
        self.features.iter().try_for_each(|feature| line("a feature", feature, MAX_FEATURE))?;
        self.limits.iter().try_for_each(|limit| count(&limit.dimension, limit.max.unwrap_or_default()))
    }
}

fn at_most(what: &str, length: usize, max: usize) -> Result<(), String> {
    if length > max { Err(format!("standing: at most {max} {what}")) } else { Ok(()) }
}

fn line(what: &str, text: &str, max: usize) -> Result<(), String> {
    if text::is_line(text, max) {
        Ok(())
    } else {
        Err(format!("standing: {what} must be one line of at most {max} characters, without control characters"))
    }
}

fn count(dimension: &Dimension, number: u64) -> Result<(), String> {
    if number > MAX_COUNT { Err(format!("standing: `{dimension}`: at most {MAX_COUNT}")) } else { Ok(()) }
}

/// How many bytes a part of a standing, or all of it, has as JSON.
pub(super) fn json_bytes(part: &impl Serialize) -> usize {
    // A standing holds nothing that JSON cannot express; if it ever did, it would be held to be too large.
    serde_json::to_vec(part).map_or(usize::MAX, |json| json.len())
}
