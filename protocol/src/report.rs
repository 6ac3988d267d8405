//! The report: what a product's plugin counted, chained to the report before.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, Dimension, LinkId, MAX_COUNT, ProductId, Sequence, ServerId};
use crate::license::{Counting, MAX_NAME};
use crate::pseudonym::PseudonymKeyId;
use crate::seal::Document;
use crate::standing::Standing;
use crate::text;

/// The most bytes of a theta sketch.
pub const MAX_SKETCH_BYTES: usize = 65_536;
/// The most measurements, nodes or licenses that a report lists.
pub const MAX_MEASUREMENTS: usize = 64;
/// The most running nodes that a report lists.
pub const MAX_NODES: usize = 256;
/// The most capabilities that a report names.
pub const MAX_GRANTED: usize = 32;
/// The most omissions, and the most notes.
pub const MAX_REMARKS: usize = 16;
/// The most characters of a reason or a note.
pub const MAX_LINE: usize = 200;
/// How far a product's clock may be ahead. A report from further ahead would stay the newest one for as long, and hide
/// the true ones; it is refused, kept aside, and taken when its time has come or the product has mended its clock. A
/// day leaves room for a clock that was set to a local time as if it were UTC.
pub const MAX_CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How far before the approval of its link a report may say that it was made: as far as a clock may be behind. Before
/// that there was no link to report over, and a history of that time would be made up.
pub const MAX_CLOCK_BEHIND: SignedDuration = SignedDuration::from_hours(24);

/// A report of one link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The link that it is sent over.
    pub link: LinkId,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of the sealed report before; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was observed, by the host's clock.
    pub observed_at: Timestamp,
    /// Why it was made: `start`, `interval` or `demand`.
    pub trigger: String,
    /// What made it.
    pub reporter: Reporter,
    /// What it is about.
    pub product: ProductFacts,
    /// What was collected, or why nothing was.
    pub outcome: Outcome,
}

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reporter {
    /// The host's version, such as `0.1.0`.
    pub host: String,
    /// The plugin; absent in a report that says that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginFacts>,
}

/// The plugin that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PluginFacts {
    /// Its name, such as `license-visibility`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of the component.
    pub digest: Digest,
    /// The capabilities that it is granted, such as `accounts`. An early version of the host does not say them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<BTreeSet<String>>,
}

impl PluginFacts {
    fn check(&self) -> Result<(), String> {
        line("reporter.plugin.name", &self.name, 64)?;
        line("reporter.plugin.version", &self.version, 64)?;
        let granted = self.granted.iter().flatten();
        if granted.clone().count() > MAX_GRANTED {
            return Err(format!("reporter.plugin.granted: at most {MAX_GRANTED}"));
        }
        granted.into_iter().try_for_each(|name| line("reporter.plugin.granted: a capability", name, 64))
    }
}

/// The product that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProductFacts {
    /// The product id.
    pub id: ProductId,
    /// The name that people know it by.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The instance.
    pub server_id: ServerId,
    /// Whether it is a staging instance (`s3`): never counted in the totals of production.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub staging: bool,
    /// The nodes that run.
    pub nodes: Vec<NodeFacts>,
}

impl ProductFacts {
    /// The rules for what a product says of itself, in a report and in a join.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    pub fn check(&self) -> Result<(), String> {
        line("product.name", &self.name, MAX_NAME)?;
        line("product.version", &self.version, 64)?;
        line("product.edition", self.edition.as_deref().unwrap_or_default(), MAX_NAME)?;
        if self.nodes.len() > MAX_NODES {
            return Err(format!("product.nodes: at most {MAX_NODES}"));
        }
        for node in &self.nodes {
            line("product.nodes: an id", &node.id, 64)?;
            line("product.nodes: a version", &node.version, 64)?;
        }
        Ok(())
    }
}

/// A running node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeFacts {
    /// Unique in the cluster.
    pub id: String,
    /// The product version that it runs.
    pub version: String,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The plugin reported.
    Collected(Box<Collected>),
    /// The plugin did not, and the host says why: nothing is counted wrongly, and nobody waits without knowing.
    Failed(Failure),
}

/// Why a run gave no counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Failure {
    /// A stable code, such as `plugin-deadline`.
    pub code: String,
    /// One line for an administrator.
    pub message: String,
}

/// The typed content of a plugin's report, validated by the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Collected {
    /// The accounts by class; absent where they could not be had, see `omissions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountCounts>,
    /// Other dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// What the licenses come to with these counts; absent where the plugin did not report licenses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// A compact theta sketch of the counted pseudonyms, in base64.
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<u8>>,
    /// The key that its pseudonyms were made with. An early version of the host does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people_key: Option<PseudonymKeyId>,
    /// What is missing, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omissions: Vec<Omission>,
    /// Remarks for an administrator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The accounts of a product, each in exactly one class (`b7`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccountCounts {
    /// All accounts: the sum of the classes.
    pub total: u64,
    /// Seats, held against the limit of `users`.
    pub counted: u64,
    /// Switched off.
    pub deactivated: u64,
    /// Active, without the right to use the product.
    pub no_access: u64,
    /// Never signed in, where the rule counts from the first sign-in.
    pub never_signed_in: u64,
    /// Accounts of machines.
    pub service_accounts: u64,
    /// How many of `counted` have not signed in for `dormancy_days`.
    pub dormant: u64,
    /// The days after which an account was held to be dormant.
    pub dormancy_days: u32,
    /// The rule that was applied.
    pub counting: Counting,
}

impl AccountCounts {
    /// Whether the classes add up to the total, and the dormant are among the counted.
    pub fn adds_up(&self) -> bool {
        let classes = [self.counted, self.deactivated, self.no_access, self.never_signed_in, self.service_accounts];
        classes.iter().try_fold(0u64, |sum, class| sum.checked_add(*class)) == Some(self.total)
            && self.dormant <= self.counted
    }

    fn check(&self) -> Result<(), String> {
        if !self.adds_up() {
            return Err("accounts: the classes must add up to the total, and dormant be at most counted".to_owned());
        }
        if self.total > MAX_COUNT {
            return Err(format!("accounts: at most {MAX_COUNT}"));
        }
        Ok(())
    }
}

/// One measured dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Measurement {
    /// What was measured.
    pub dimension: Dimension,
    /// The count, or why it could not be taken.
    #[serde(flatten)]
    pub value: Measured,
}

/// A count, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// The count.
    Value(u64),
    /// One line for an administrator.
    Failed(String),
}

/// A part that is missing from a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Omission {
    /// The interface that refused, such as `accounts`.
    pub subject: String,
    /// One line for an administrator.
    pub reason: String,
}

impl Collected {
    /// The rules that hold for the content alone: also what the host holds a plugin to.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    pub fn check(&self) -> Result<(), String> {
        if let Some(accounts) = &self.accounts {
            accounts.check()?;
        }
        if self.measurements.len() > MAX_MEASUREMENTS {
            return Err(format!("measurements: at most {MAX_MEASUREMENTS}"));
        }
        for (i, measurement) in self.measurements.iter().enumerate() {
            let dimension = &measurement.dimension;
            if *dimension == Dimension::users() {
                return Err("measurements: `users` is counted from the accounts".to_owned());
            }
            if self.measurements[..i].iter().any(|other| other.dimension == *dimension) {
                return Err(format!("measurements: `{dimension}` is there twice"));
            }
            match &measurement.value {
                Measured::Value(count) if *count > MAX_COUNT => {
                    return Err(format!("measurements: `{dimension}`: at most {MAX_COUNT}"));
                }
                Measured::Value(_) => {}
                Measured::Failed(reason) => line("measurements: a reason", reason, MAX_LINE)?,
            }
        }
        if self.people.as_ref().is_some_and(|sketch| sketch.len() > MAX_SKETCH_BYTES) {
            return Err(format!("people: at most {MAX_SKETCH_BYTES} bytes"));
        }
        if self.omissions.len() > MAX_REMARKS || self.notes.len() > MAX_REMARKS {
            return Err(format!("omissions and notes: at most {MAX_REMARKS} each"));
        }
        for omission in &self.omissions {
            line("omissions: a subject", &omission.subject, 64)?;
            line("omissions: a reason", &omission.reason, MAX_LINE)?;
        }
        self.notes.iter().try_for_each(|note| line("notes: a note", note, MAX_LINE))
    }
}

/// Whether a report may name this as why it was made.
pub(crate) fn check_trigger(trigger: &str) -> Result<(), String> {
    match trigger {
        "start" | "interval" | "demand" => Ok(()),
        _ => Err("trigger must be start, interval or demand".to_owned()),
    }
}

fn line(what: &str, text: &str, max: usize) -> Result<(), String> {
    if text::is_line(text, max) {
        Ok(())
    } else {
        Err(format!("{what} must be one line of at most {max} characters, without control characters"))
    }
}

impl Document for Report {
    const PURPOSE: &'static str = "seatline/report/v1";
    // The largest report that holds to the rules has room: its sketch, its standing, nodes, measurements and remarks.
    const MAX_BYTES: usize = 1024 * 1024;

    fn check(&self) -> Result<(), String> {
        if self.previous.is_none() != (self.sequence == Sequence::FIRST) {
            return Err("previous: every report but the first names the one before".to_owned());
        }
        check_trigger(&self.trigger)?;
        line("reporter.host", &self.reporter.host, 64)?;
        if let Some(plugin) = &self.reporter.plugin {
            plugin.check()?;
        }
        self.product.check()?;
        match &self.outcome {
            Outcome::Collected(collected) => {
                collected.check()?;
                collected.standing.as_ref().map_or(Ok(()), Standing::check)
            }
            Outcome::Failed(failure) => {
                line("outcome.failed.code", &failure.code, 64)?;
                line("outcome.failed.message", &failure.message, 400)
            }
        }
    }
}

/// Bytes as a base64 string.
mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_some(&STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| STANDARD.decode(text).map_err(|_| D::Error::custom("people is not base64")))
            .transpose()
    }
}
