//! The license: what a vendor grants to a licensee.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, LicenseId, MAX_COUNT, ProductId, ServerId};
use crate::seal::Document;
use crate::text;

/// For what use a license was issued (`c5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Paid, for production.
    Commercial,
    /// For teaching and research.
    Academic,
    /// For open communities.
    Community,
    /// A trial.
    Evaluation,
    /// For an instance that is not production; never counted in its totals.
    Staging,
    /// For building against the product.
    Developer,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Commercial, Self::Academic, Self::Community, Self::Evaluation, Self::Staging, Self::Developer];

    /// The name in documents and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commercial => "commercial",
            Self::Academic => "academic",
            Self::Community => "community",
            Self::Evaluation => "evaluation",
            Self::Staging => "staging",
            Self::Developer => "developer",
        }
    }
}

/// How an account becomes a counted user (`a5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Counting {
    /// From the account's creation on.
    #[default]
    Account,
    /// From its first sign-in on.
    FirstSignIn,
}

/// What happens beyond a limit and its allowance (`a6`, `g9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// People are told, nothing stops.
    #[default]
    Warn,
    /// The licensed features stop until the count is within the limit again.
    Restrict,
    /// The product is told to refuse what would pass the limit.
    Refuse,
}

/// A license of somebody else that what is licensed needs (`p4`), such as that of a database below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Prerequisite {
    /// The product.
    pub name: String,
    /// Its edition, where only that one serves or is priced so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Whether it costs something.
    pub cost: Cost,
}

/// Whether a license costs something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// It must be bought.
    Paid,
    /// It is free of charge.
    Free,
}

impl Cost {
    /// The name in documents and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Free => "free",
        }
    }
}

impl std::fmt::Display for Prerequisite {
    /// Such as `Example Database (Enterprise), paid`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if let Some(edition) = &self.edition {
            write!(f, " ({edition})")?;
        }
        write!(f, ", {}", self.cost.name())
    }
}

/// What a license covers: a whole installation, or one node of it (`p2`, `p3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One license for all nodes.
    #[default]
    Installation,
    /// One license for each node.
    Node,
}

impl Mode {
    /// The name in documents and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Node => "node",
        }
    }
}

/// A limit on one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Limit {
    /// What is limited.
    pub dimension: Dimension,
    /// The greatest licensed count; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The overage that is tolerated beyond `max`, as a count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extra: u64,
    /// How accounts are counted, for the dimension `users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// What happens beyond `max + extra`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub behaviour: Behaviour,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A license. Unknown fields are kept out unless `critical` names them: then the license is refused, because it says
/// something that this program must not ignore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct License {
    /// The license's name at its vendor.
    pub id: LicenseId,
    /// What is licensed: a product, or an add-on of one.
    pub product: ProductId,
    /// The edition, where the vendor sells editions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// For what use.
    pub kind: Kind,
    /// Whom it was issued to.
    pub licensee: String,
    /// The limits, one per dimension at the most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// The features that it enables (`s8`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features: BTreeSet<String>,
    /// When it was issued.
    pub issued: Timestamp,
    /// From when on it holds; from `issued` on where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it ends; absent for a perpetual license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// For how many days after `expires` it still holds, with a warning.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grace_days: u16,
    /// When support and upgrades end: releases built later are not covered (`c6`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<Timestamp>,
    /// Whether it entitles to the vendor's support (`s11`), for as long as its maintenance lasts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub support: bool,
    /// The instances that it is bound to; any where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerId>,
    /// Whether it covers an installation or a node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// For the license of an add-on: the product that it extends (`p1`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on_of: Option<ProductId>,
    /// The licenses of others that it needs beside it (`p4`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The licenses that this one takes the place of (`c10`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<LicenseId>,
    /// Names of fields that a reader must understand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// Fields that this version does not know. They are read to hold `critical` against them.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

impl License {
    /// From when on the license holds.
    pub fn begins(&self) -> Timestamp {
        self.not_before.unwrap_or(self.issued)
    }

    /// When the days of grace end: at `expires` where there are none, never for a perpetual license.
    pub fn grace_ends(&self) -> Option<Timestamp> {
        let grace = jiff::SignedDuration::from_hours(24 * i64::from(self.grace_days));
        self.expires.map(|expires| expires.checked_add(grace).unwrap_or(Timestamp::MAX))
    }

    /// The limit on `dimension`.
    pub fn limit(&self, dimension: &Dimension) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.dimension == *dimension)
    }
}

/// The most characters of a name inside a document: licensee, edition.
pub const MAX_NAME: usize = 200;
/// The most characters of a feature's name, which are of ASCII: it is a word for programs.
pub const MAX_FEATURE: usize = 64;
/// The most limits of one license.
pub const MAX_LIMITS: usize = 64;
/// The most features of one license.
pub const MAX_FEATURES: usize = 256;
/// The most prerequisites of one license.
pub const MAX_PREREQUISITES: usize = 16;
/// The most servers, replaced licenses or critical fields of one license.
const MAX_LIST: usize = 256;
/// The most days of grace: ten years.
pub const MAX_GRACE_DAYS: u16 = 3650;

impl Document for License {
    const PURPOSE: &'static str = "seatline/license/v1";
    const MAX_BYTES: usize = 128 * 1024;

    fn check(&self) -> Result<(), String> {
        if let Some(name) = self.critical.iter().find(|name| self.unknown.contains_key(*name)) {
            let name = text::line(name, 64);
            return Err(format!("it demands that `{name}` is understood, and this version does not know it: upgrade"));
        }
        self.check_names()?;
        self.check_limits()?;
        if self.servers.len().max(self.replaces.len()).max(self.critical.len()) > MAX_LIST {
            return Err(format!("it lists more than {MAX_LIST} servers, replaced licenses or critical fields"));
        }
        if self.prerequisites.len() > MAX_PREREQUISITES {
            return Err(format!("it has more than {MAX_PREREQUISITES} prerequisites"));
        }
        if self.grace_days > MAX_GRACE_DAYS {
            return Err(format!("it has more than {MAX_GRACE_DAYS} days of grace"));
        }
        if self.expires.is_some_and(|expires| expires <= self.begins()) {
            return Err("it expires before it begins".to_owned());
        }
        if self.add_on_of.as_ref() == Some(&self.product) {
            return Err("it is an add-on of itself".to_owned());
        }
        Ok(())
    }
}

impl License {
    fn check_names(&self) -> Result<(), String> {
        let mut names = self.edition.iter().chain([&self.licensee]);
        if names.any(|name| name.is_empty() || !text::is_line(name, MAX_NAME)) {
            return Err(format!("licensee and edition are lines of 1 to {MAX_NAME} characters"));
        }
        let mut names = self.prerequisites.iter().flat_map(|needed| needed.edition.iter().chain([&needed.name]));
        if names.any(|name| name.is_empty() || !text::is_line(name, MAX_NAME)) {
            return Err(format!("a prerequisite and its edition are lines of 1 to {MAX_NAME} characters"));
        }
        let is_feature = |name: &String| !name.is_empty() && name.is_ascii() && text::is_line(name, MAX_FEATURE);
        if self.features.len() > MAX_FEATURES || !self.features.iter().all(is_feature) {
            return Err(format!("features are at most {MAX_FEATURES} names of 1 to {MAX_FEATURE} ASCII characters"));
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), String> {
        if self.limits.len() > MAX_LIMITS {
            return Err(format!("it has more than {MAX_LIMITS} limits"));
        }
        let dimensions: BTreeSet<_> = self.limits.iter().map(|limit| &limit.dimension).collect();
        if dimensions.len() < self.limits.len() {
            return Err("it limits the same dimension twice".to_owned());
        }
        if self.limits.iter().any(|limit| limit.extra.max(limit.max.unwrap_or_default()) > MAX_COUNT) {
            return Err(format!("a limit and its extra are at most {MAX_COUNT}"));
        }
        Ok(())
    }
}
