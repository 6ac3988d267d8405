//! The Support Information File (`s11`): what a vendor's support needs to know of an instance, as one JSON document.
//!
//! It is built of typed facts, each of which is named here: ids, versions, editions, names of dimensions, the link's
//! interval and days, times, counts and stable codes. Whatever else somebody typed or configured has no way into it: no
//! name or address of a person, no message of an error (which may quote a file or a database), no licensee, no host or
//! node by its name. JSON, because the vendor's tools read it, and because in its plain words a person can read all of
//! it before he sends it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::runs::PastRun;
use seatline_host::sandbox::Capability;
use seatline_protocol::license::Mode;
use seatline_protocol::report::{AccountCounts, Measured, Outcome};
use seatline_protocol::standing::{LicenseStanding, LimitFacts, LimitStanding, ReasonCode, Standing, Status, Verdict};
use seatline_protocol::{Counting, Digest, Dimension, Kind, LicenseId, ProductId, Sequence};
use serde::Serialize;

use crate::system_info::{ClockInfo, SystemInfo, Versions};

/// What the field `format` of every file holds.
pub const FORMAT: &str = "seatline-support-information";
/// The version of the format.
pub const VERSION: u32 = 1;

/// The file.
#[derive(Debug, Serialize)]
pub struct SupportFile {
    format: &'static str,
    version: u32,
    made_at: Timestamp,
    server_id: String,
    product: Option<Product>,
    versions: Versions,
    state_store: &'static str,
    clock: ClockInfo,
    licenses: Option<Licenses>,
    link: Option<Link>,
    exchange: Option<Exchange>,
    outbox: Option<Waiting>,
    held: Option<Waiting>,
    plugin: Option<Plugin>,
    runs: Vec<Run>,
    /// The codes of what could not be read.
    unread: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
struct Product {
    id: ProductId,
    version: String,
    edition: Option<String>,
    staging: bool,
    nodes: usize,
    /// How many nodes run each version of the product.
    node_versions: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
struct Licenses {
    verdict: Verdict,
    support: bool,
    reasons: Vec<Reason>,
    governed_by: Option<LicenseId>,
    licenses: Vec<License>,
    limits: Vec<LimitStanding>,
    features: BTreeSet<String>,
    nodes_without: usize,
    counting: Option<Counting>,
}

#[derive(Debug, Serialize)]
struct Reason {
    code: ReasonCode,
    license: Option<LicenseId>,
    dimension: Option<Dimension>,
    at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct License {
    id: LicenseId,
    product: ProductId,
    add_on_of: Option<ProductId>,
    kind: Kind,
    status: Status,
    begins: Timestamp,
    expires: Option<Timestamp>,
    maintenance_until: Option<Timestamp>,
    support: bool,
    mode: Mode,
    limits: Vec<LimitFacts>,
}

#[derive(Debug, Serialize)]
struct Link {
    state: &'static str,
    accepted_at: Timestamp,
    interval: Option<u32>,
    dormancy_days: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Exchange {
    tried_at: Option<Timestamp>,
    succeeded_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    failures: u32,
    problem: Option<String>,
    last_receipt: Option<Sequence>,
}

#[derive(Debug, Serialize)]
struct Waiting {
    reports: usize,
    capacity: usize,
    oldest: Option<Timestamp>,
    since: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Plugin {
    digest: Digest,
    bytes: usize,
    installed_at: Timestamp,
    asks: Vec<Capability>,
    granted: Vec<Capability>,
    can_go_back: bool,
}

#[derive(Debug, Serialize)]
struct Run {
    at: Timestamp,
    trigger: String,
    took_ms: u64,
    plugin: Option<Digest>,
    sequence: Option<Sequence>,
    is_held: bool,
    problem: Option<String>,
    accounts: Option<AccountCounts>,
    measurements: BTreeMap<Dimension, Option<u64>>,
    omissions: BTreeSet<String>,
    /// How many lines of each level the plugin wrote.
    journal: BTreeMap<String, usize>,
}

/// A code as it is: words of small letters and digits. What else stands where a code belongs is not told.
fn code(text: &str) -> String {
    let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() <= 40 && text.chars().all(is_code) { text.to_owned() } else { "other".to_owned() }
}

impl SupportFile {
    /// The file of `host` at `now`, by the clock of this machine.
    pub fn of(host: &Host, now: Timestamp) -> Self {
        let info = SystemInfo::of(host, now);
        let mut unread: BTreeSet<String> = info.unread.iter().map(|problem| code(&problem.code)).collect();
        let roster = host.plugins().list().map_err(|error| unread.insert(code(error.code()))).unwrap_or_default();
        let exchange = info.exchange.as_ref().map(|state| Exchange {
            tried_at: state.tried_at,
            succeeded_at: state.succeeded_at,
            next_attempt_at: state.next_attempt_at,
            failures: state.failures,
            problem: state.problem.as_ref().map(|problem| code(&problem.code)),
            last_receipt: state.last_receipt.as_ref().map(|receipt| receipt.sequence),
        });
        let link = info.link.as_ref().map(|link| Link {
            state: link.state.name(),
            accepted_at: link.accepted_at,
            interval: link.settings.as_ref().map(|settings| settings.interval),
            dormancy_days: link.settings.as_ref().map(|settings| settings.dormancy_days),
        });
        Self {
            format: FORMAT,
            version: VERSION,
            made_at: now,
            product: info.product.as_ref().map(|product| Product {
                id: product.id.clone(),
                version: product.version.clone(),
                edition: product.edition.clone(),
                staging: product.staging,
                nodes: product.nodes.len(),
                node_versions: counted(product.nodes.iter().map(|node| node.version.clone())),
            }),
            licenses: host.live().ok().map(|live| Licenses::of(&live.standing)),
            link,
            exchange,
            outbox: info.outbox.map(|outbox| Waiting {
                reports: outbox.pending,
                capacity: outbox.capacity,
                oldest: outbox.oldest,
                since: None,
            }),
            held: info.hold.map(|hold| Waiting {
                reports: hold.held,
                capacity: hold.capacity,
                oldest: hold.oldest,
                since: hold.since,
            }),
            plugin: roster.current.map(|plugin| Plugin {
                digest: plugin.digest,
                bytes: plugin.size,
                installed_at: plugin.installed_at,
                asks: plugin.asks,
                granted: plugin.grants.iter().collect(),
                can_go_back: roster.previous.is_some(),
            }),
            runs: host.past_runs().unwrap_or_default().iter().map(Run::of).collect(),
            server_id: info.server_id,
            versions: info.versions,
            state_store: info.state_store,
            clock: info.clock,
            unread,
        }
    }

    /// The file's name: ASCII without quotation marks.
    pub fn name(&self) -> String {
        format!("support-information-{}.json", self.server_id)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never with these facts; it is for the caller to say so.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Licenses {
    fn of(standing: &Standing) -> Self {
        let reason = |reason: &seatline_protocol::standing::Reason| Reason {
            code: reason.code,
            license: reason.license.clone(),
            dimension: reason.dimension.clone(),
            at: reason.at,
        };
        Self {
            verdict: standing.verdict,
            support: standing.support,
            reasons: standing.reasons.iter().map(reason).collect(),
            governed_by: standing.governed_by.clone(),
            licenses: standing.licenses.iter().map(License::of).collect(),
            limits: standing.limits.clone(),
            features: standing.features.clone(),
            nodes_without: standing.nodes.iter().filter(|node| node.license.is_none()).count(),
            counting: standing.counting,
        }
    }
}

impl License {
    /// What it says but for whom it was issued to, the nodes that it was set for, and the licenses of others that it
    /// needs.
    fn of(license: &LicenseStanding) -> Self {
        Self {
            id: license.id.clone(),
            product: license.product.clone(),
            add_on_of: license.add_on_of.clone(),
            kind: license.kind,
            status: license.status,
            begins: license.begins,
            expires: license.expires,
            maintenance_until: license.maintenance_until,
            support: license.support,
            mode: license.mode,
            limits: license.limits.clone(),
        }
    }
}

impl Run {
    fn of(run: &PastRun) -> Self {
        let mut shown = Self {
            at: run.at,
            trigger: code(&run.trigger),
            took_ms: run.took_ms,
            plugin: run.plugin.as_ref().map(|plugin| plugin.digest.clone()),
            sequence: run.sequence,
            is_held: run.is_held,
            problem: None,
            accounts: None,
            measurements: BTreeMap::new(),
            omissions: BTreeSet::new(),
            journal: counted(run.journal.iter().map(|entry| code(&entry.level))),
        };
        match &run.outcome {
            Outcome::Failed(failure) => shown.problem = Some(code(&failure.code)),
            Outcome::Collected(collected) => {
                shown.accounts = collected.accounts.clone();
                shown.omissions = collected.omissions.iter().map(|omission| code(&omission.subject)).collect();
                let measured = |value: &Measured| match value {
                    Measured::Value(value) => Some(*value),
                    Measured::Failed(_) => None,
                };
                let measurements = collected.measurements.iter();
                shown.measurements =
                    measurements.map(|found| (found.dimension.clone(), measured(&found.value))).collect();
            }
        }
        shown
    }
}

/// How often each of `names` is there.
fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_what_is_no_code_is_not_told_in_the_place_of_one() {
        assert_eq!(code("central-unreachable"), "central-unreachable");
        for text in ["postgres://ada@db", "Ada Lovelace", "no such user: ada", &"a".repeat(41)] {
            assert_eq!(code(text), "other");
        }
    }
}
