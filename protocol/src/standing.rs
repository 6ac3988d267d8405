//! The standing: from licenses and what was observed to one verdict, with its reasons, dates and effects.
//!
//! It is a pure function. Every page, banner, API answer, report and reminder comes from it, so they cannot disagree;
//! what a product does about it is for the product to enforce.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, LicenseId, ProductId, ServerId};
use crate::license::{Behaviour, Counting, Kind, License};
use crate::text;

/// What is known of the product at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The product.
    pub product: ProductId,
    /// Its edition.
    pub edition: Option<String>,
    /// The instance.
    pub server_id: ServerId,
    /// When the running release was built, where the product says so: held against maintenance (`c6`).
    pub released: Option<Timestamp>,
    /// The latest count of each dimension, with `users` and `nodes` among them. What was never counted is absent.
    pub counts: BTreeMap<Dimension, u64>,
}

/// What the licenses come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The whole in one word.
    pub verdict: Verdict,
    /// Why, the gravest first; empty for `licensed` without anything to tell.
    pub reasons: Vec<Reason>,
    /// The license of the product that governs now, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governed_by: Option<LicenseId>,
    /// Every license that was considered, those in force first.
    pub licenses: Vec<LicenseStanding>,
    /// The limits of the governing license, against the counts.
    pub limits: Vec<LimitStanding>,
    /// The features that are enabled now, of the product and its add-ons; none while restricted.
    pub features: BTreeSet<String>,
    /// The rule that the governing license demands for counting users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// When the verdict can next change by the passing of time alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_at: Option<Timestamp>,
}

/// The standing in one word, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything is in order.
    Licensed,
    /// In force, and something needs attention soon: a limit, an expiry.
    Attention,
    /// There is a license, and its features are stopped: a restricting limit is passed.
    Restricted,
    /// No license is in force.
    Unlicensed,
}

impl Verdict {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Licensed => "licensed",
            Self::Attention => "attention",
            Self::Restricted => "restricted",
            Self::Unlicensed => "unlicensed",
        }
    }
}

/// One reason for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is about, stable for machines.
    pub code: ReasonCode,
    /// One line for an administrator: what, why, and what to do.
    pub message: String,
    /// The license that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
    /// The dimension that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// Since when, or from when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a reason is about. The order is that of gravity, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// There is no license at all.
    NoLicense,
    /// The license is for another product.
    WrongProduct,
    /// The license is for another edition.
    WrongEdition,
    /// The license is bound to other servers.
    WrongServer,
    /// The license has expired, and its grace with it.
    Expired,
    /// The license begins later.
    NotYetValid,
    /// A limit that restricts is passed, beyond its allowance.
    Restricted,
    /// A limit is passed, beyond its allowance.
    OverLimit,
    /// The release is newer than the maintenance period covers.
    MaintenanceEndedBeforeRelease,
    /// The license has expired, and the days of grace run.
    InGrace,
    /// A limit is passed, within its allowance.
    InAllowance,
    /// A limit is near.
    NearLimit,
    /// The expiry is near.
    ExpiresSoon,
    /// Maintenance has ended; the release is still covered.
    MaintenanceEnded,
    /// Maintenance ends soon.
    MaintenanceEndsSoon,
}

/// What one license comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseStanding {
    /// The license.
    pub id: LicenseId,
    /// What it licenses.
    pub product: ProductId,
    /// For the license of an add-on: the product that it extends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on_of: Option<ProductId>,
    /// The edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The kind.
    pub kind: Kind,
    /// Whom it was issued to.
    pub licensee: String,
    /// Its limits: dimension and greatest count.
    pub limits: Vec<LimitFacts>,
    /// The features that it enables while it is in force.
    pub features: BTreeSet<String>,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When its days of grace end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ends: Option<Timestamp>,
    /// When support and upgrades end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<Timestamp>,
    /// What it comes to.
    pub status: Status,
    /// One line where the status is not `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A limit as a license states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// What is limited.
    pub dimension: Dimension,
    /// The greatest count; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What one license comes to, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// In force.
    Active,
    /// Past its expiry, within its days of grace.
    Grace,
    /// Begins later.
    Upcoming,
    /// Past its expiry and its grace.
    Expired,
    /// Not for this product, edition or server.
    NotApplicable,
    /// Replaced by another license that is in force; history (`c10`).
    Replaced,
}

impl Status {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Upcoming => "upcoming",
            Self::Expired => "expired",
            Self::NotApplicable => "not-applicable",
            Self::Replaced => "replaced",
        }
    }
}

/// A limit against its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitStanding {
    /// What is limited.
    pub dimension: Dimension,
    /// The greatest licensed count; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The tolerated overage.
    pub extra: u64,
    /// The latest count; absent where it was never taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// How the count lies to the limit.
    pub state: LimitState,
    /// What happens beyond `max + extra`.
    pub behaviour: Behaviour,
}

/// How a count lies to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitState {
    /// Never counted.
    Unknown,
    /// Below nine tenths of the limit, or no limit.
    Within,
    /// Nine tenths of the limit, or more, up to the limit itself.
    Near,
    /// Beyond the limit, within the allowance.
    InAllowance,
    /// Beyond the limit and its allowance.
    Over,
}

/// For how many days before its expiry a license calls for attention (`s5`: two months).
pub const EXPIRY_NOTICE_DAYS: i64 = 60;

/// The most licenses that are considered at once.
pub const MAX_LICENSES: usize = 64;

impl Standing {
    /// The rules for a standing that came inside a report.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    pub fn check(&self) -> Result<(), String> {
        if self.licenses.len() > MAX_LICENSES || self.reasons.len() > 4 * MAX_LICENSES || self.limits.len() > 256 {
            return Err("standing: too many licenses, reasons or limits".to_owned());
        }
        let lines = self.reasons.iter().map(|reason| &reason.message);
        let lines = lines.chain(self.licenses.iter().flat_map(|license| {
            license.edition.iter().chain([&license.licensee]).chain(&license.reason).chain(&license.features)
        }));
        match lines.chain(&self.features).find(|line| !text::is_line(line, 400)) {
            Some(_) => Err("standing: a text is not one line of at most 400 characters".to_owned()),
            None => Ok(()),
        }
    }
}

/// What `licenses` come to on the observed product at `now`.
pub fn standing(licenses: &[License], observed: &Observed, now: Timestamp) -> Standing {
    let _ = (licenses, observed, now);
    Standing {
        verdict: Verdict::Unlicensed,
        reasons: Vec::new(),
        governed_by: None,
        licenses: Vec::new(),
        limits: Vec::new(),
        features: BTreeSet::new(),
        counting: None,
        changes_at: None,
    }
}
