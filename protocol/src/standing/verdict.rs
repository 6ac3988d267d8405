//! The verdict, and the reasons for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, LicenseId, ProductId};

/// The standing in one word, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything is in order.
    Licensed,
    /// In force, and something needs attention: a limit, an expiry, an add-on.
    Attention,
    /// A license is in force, and its features are stopped: a restricting limit is passed, or the release is not
    /// covered.
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reason {
    /// What it is about, stable for machines.
    pub code: ReasonCode,
    /// One line for an administrator: what, why, and what to do.
    pub message: String,
    /// The license that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
    /// The add-on that it is about; absent for the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on: Option<ProductId>,
    /// The dimension that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// Since when, or from when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a reason is about. Between reasons of the same weight for the verdict, the order is that of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// There is no license of the product.
    NoLicense,
    /// The license is for another product.
    WrongProduct,
    /// The license is for another edition.
    WrongEdition,
    /// The license is bound to other servers.
    WrongServer,
    /// The license is for staging, and the instance is not a staging one.
    StagingOnly,
    /// The license was set for nodes that do not run.
    WrongNode,
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
    /// The license is bound to the server ID before the last move, and holds on for some days.
    ServerChanged,
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

impl ReasonCode {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoLicense => "no-license",
            Self::WrongProduct => "wrong-product",
            Self::WrongEdition => "wrong-edition",
            Self::WrongServer => "wrong-server",
            Self::StagingOnly => "staging-only",
            Self::WrongNode => "wrong-node",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Restricted => "restricted",
            Self::OverLimit => "over-limit",
            Self::MaintenanceEndedBeforeRelease => "maintenance-ended-before-release",
            Self::InGrace => "in-grace",
            Self::ServerChanged => "server-changed",
            Self::InAllowance => "in-allowance",
            Self::NearLimit => "near-limit",
            Self::ExpiresSoon => "expires-soon",
            Self::MaintenanceEnded => "maintenance-ended",
            Self::MaintenanceEndsSoon => "maintenance-ends-soon",
        }
    }
}
