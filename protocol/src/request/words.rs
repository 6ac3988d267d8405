//! A request as text for a mail: one fact on a line, in plain words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::LicenseRequest;
use crate::ids::Dimension;
use crate::standing::{LicenseStanding, Peak};
use crate::text::{day, number};

/// The most nodes that the text names.
const MAX_NODES_NAMED: usize = 20;

impl LicenseRequest {
    /// The request as text to send by mail. It says what the file says, in the words of people.
    pub fn to_text(&self) -> String {
        let mut text = format!("Request for a license of {}\n\n", self.licensed());
        let mut fact = |name: &str, value: &str| {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{name:<18}{value}");
        };
        let product = &self.product;
        fact("Product", &format!("{} ({})", product.name, product.id));
        if let Some(add_on) = &self.add_on {
            fact("Add-on", add_on.as_str());
        }
        fact("Version", &product.version);
        fact("Edition", product.edition.as_deref().unwrap_or("none"));
        fact("Server ID", product.server_id.as_str());
        if !self.previous_servers.is_empty() {
            let ids: Vec<&str> = self.previous_servers.iter().map(|id| id.as_str()).collect();
            fact("Before it moved", &ids.join(", "));
        }
        if product.staging {
            fact("Use", "staging");
        }
        fact("Nodes", &self.nodes());
        fact("Counted", &counts(&self.counts, self.counted_at));
        if !self.peaks.is_empty() {
            fact("Highest counts", &peaks(&self.peaks, self.peaks_since));
        }
        match &self.replaces {
            Some(present) => {
                fact("Present license", &license(present));
                fact("Its state", &state(present));
            }
            None => fact("Present license", "none"),
        }
        fact("Standing", self.verdict.name());
        if let Some(wish) = &self.wish {
            fact("Wish", wish);
        }
        fact("Asked on", &day(self.made_at));
        text
    }

    fn nodes(&self) -> String {
        let nodes = &self.product.nodes;
        let named: Vec<&str> = nodes.iter().take(MAX_NODES_NAMED).map(|node| node.id.as_str()).collect();
        match nodes.len() - named.len() {
            0 => format!("{}: {}", nodes.len(), named.join(", ")),
            more => format!("{}: {} and {more} more", nodes.len(), named.join(", ")),
        }
    }
}

fn counts(counts: &BTreeMap<Dimension, u64>, counted_at: Option<Timestamp>) -> String {
    if counts.is_empty() {
        return "nothing yet".to_owned();
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{} {what}", number(*count))).collect();
    let on = counted_at.map_or(String::new(), |at| format!("; users on {}", day(at)));
    format!("{}{on}", counts.join(", "))
}

fn peaks(peaks: &BTreeMap<Dimension, Peak>, since: Option<Timestamp>) -> String {
    let peak = |(what, peak): (&Dimension, &Peak)| format!("{} {what} on {}", number(peak.count), day(peak.at));
    let peaks: Vec<String> = peaks.iter().map(peak).collect();
    let since = since.map_or(String::new(), |at| format!("; kept since {}", day(at)));
    format!("{}{since}", peaks.join(", "))
}

/// The license that would be replaced, and what it allows.
fn license(license: &LicenseStanding) -> String {
    let limit = |max: Option<u64>| max.map_or("unlimited".to_owned(), number);
    let limits = license.limits.iter().map(|facts| format!(", {} {}", limit(facts.max), facts.dimension));
    let limits: String = limits.collect();
    format!("{} ({}), for {}{limits}", license.id, license.kind.name(), license.licensee)
}

fn state(license: &LicenseStanding) -> String {
    let expires = license.expires.map_or("never expires".to_owned(), |at| format!("expires on {}", day(at)));
    let maintenance = license.maintenance_until.map_or(String::new(), |at| format!(", maintenance until {}", day(at)));
    let reason = license.reason.as_ref().map_or(String::new(), |reason| format!(". {reason}"));
    format!("{}, {expires}{maintenance}{reason}", license.status.name())
}
