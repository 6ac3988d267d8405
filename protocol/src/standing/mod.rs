//! The standing: from licenses and what was observed to one verdict, with its reasons, dates and effects.
//!
//! It is a pure function. Every page, banner, API answer, report and reminder comes from it, so they cannot disagree;
//! what a product does about it is for the product to enforce.
//!
//! # Which license governs
//! 1. A license **applies** if it is for this product, for the edition that runs (where both say one), and bound to no
//!    other server. One that is bound to a server ID which this instance had until it moved holds on for
//!    [`MOVED_GRACE_DAYS`], with a warning (`b4`); one for staging that is bound to no server applies to a staging instance
//!    alone (`s3`). The license of an add-on applies if it is an add-on of this product (`p1`); the edition that it
//!    names is the add-on's own, and is not held against the product's.
//! 2. A license holds from its beginning until just before its expiry, and with a warning through its days of grace.
//! 3. A license that names another in `replaces`, or was issued again under the same id, takes its place for good as
//!    soon as it begins, even after it has ended itself: the old one was given in exchange. Only a license of the same
//!    product that was issued later can do so, or at the same instant if it names the other. Where licenses of one
//!    instant name each other in a circle, the last by id is left.
//! 4. On each running node, of those that then hold the one is in force that is not in grace or held on to, began
//!    latest, and was issued latest. A license is for all nodes, or for those alone that it was set for (`c8`): then it
//!    takes the place of others there and not elsewhere. The kind has no say.
//! 5. A license by node is for one node (`p3`): for the one that it was set for, or else for the first by name that has
//!    no other. One that finds no node left stays in force, for a node to come.
//! 6. Of those in force, the one **governs** that rule 4 would prefer: its limits are the product's. What is in force
//!    on no node is history, and comes to govern again if it outlasts the others.
//!
//! Where no license in force is for all nodes, or a node gave it in exchange for one that has ended, the nodes that have
//! one are the limit of `nodes`, and the others are named.
//!
//! Add-ons are settled by the same rules, each for itself. Their licenses never govern the product: they add their
//! features while the product's own license holds, since there is nothing to extend without it.
//!
//! # What comes of it
//! | found | verdict |
//! |---|---|
//! | nothing holds for the product on any running node | unlicensed |
//! | a limit that restricts is passed beyond its allowance | restricted |
//! | the release was built after maintenance ended (`c6`) | restricted |
//! | grace, an expiry that is near, a limit that is near or passed, maintenance that ends soon, a fault of an add-on | attention |
//! | maintenance has ended, and the release is covered | licensed, with a reason to read |
//!
//! A release that maintenance does not cover is restricted, not unlicensed: the license is in force, for the releases
//! that it covers, and the way out is as near as the release before. Maintenance that has ended calls for nothing: the
//! product goes on working for good, and a warning that never goes away hides the others.
//!
//! An expiry is not near while a license is loaded that takes over without a gap (`c10`). Nodes at their limit are not
//! near it: a cluster that runs all its licensed nodes is in order. A running node without a license is a limit passed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, LicenseId, ProductId, ServerId};
use crate::license::{Behaviour, Counting, Kind, Mode, Prerequisite};

mod banners;
mod bounds;
mod check;
mod dates;
mod group;
mod limits;
mod messages;
mod preview;
mod row;
mod rules;
mod succession;
mod time_left;
mod verdict;
mod warnings;

pub use banners::{Banner, BannerLevel};
pub use check::{LimitAnswer, LimitCheck, LimitCode};
pub use preview::{DateChange, Effect, Held, LimitChange, Peak, Warning, WarningCode, preview};
pub use rules::standing;
pub use time_left::{Ends, TimeLeft};
pub use verdict::{Reason, ReasonCode, Verdict};

/// What is known of the product at the moment. [`Observed::new`] knows nothing but the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The product.
    pub product: ProductId,
    /// Its edition.
    pub edition: Option<String>,
    /// The instance.
    pub server_id: ServerId,
    /// Whether the instance is declared to be a staging one (`s3`).
    pub staging: bool,
    /// The server IDs that this instance had before it moved, and until when their licenses hold on (`b4`).
    pub previous: Vec<PreviousServer>,
    /// When the running release was built, where the product says so: held against maintenance (`c6`).
    pub released: Option<Timestamp>,
    /// The latest count of each dimension, with `users` and `nodes` among them. What was never counted is absent.
    pub counts: BTreeMap<Dimension, u64>,
    /// The running nodes by name (`c8`); empty for a product that has none to name: it runs on one.
    pub nodes: BTreeSet<String>,
    /// The licenses that were set for some nodes alone, and for which (`c8`).
    pub placed: BTreeMap<LicenseId, BTreeSet<String>>,
}

impl Observed {
    /// An instance of a product of which nothing else is known.
    pub fn new(product: ProductId, server_id: ServerId) -> Self {
        Self {
            product,
            edition: None,
            server_id,
            staging: false,
            previous: Vec::new(),
            released: None,
            counts: BTreeMap::new(),
            nodes: BTreeSet::new(),
            placed: BTreeMap::new(),
        }
    }
}

/// A server ID that the instance had before it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PreviousServer {
    /// The server ID.
    pub server_id: ServerId,
    /// Until when a license that is bound to it holds on.
    pub until: Timestamp,
}

/// What the licenses come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Standing {
    /// The whole in one word.
    pub verdict: Verdict,
    /// Why, the gravest first; empty for `licensed` without anything to tell.
    pub reasons: Vec<Reason>,
    /// The license of the product that governs now, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governed_by: Option<LicenseId>,
    /// The licenses that were considered: the governing one first, then those in force, those to come, and the history;
    /// the end of a history that is too long for [`Standing::check`] is left out.
    pub licenses: Vec<LicenseStanding>,
    /// The limits of the governing license of the product, against the counts.
    pub limits: Vec<LimitStanding>,
    /// What the licenses of each add-on come to (`p1`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_ons: Vec<AddOnStanding>,
    /// The running nodes with their licenses (`c8`, `p3`), at most [`MAX_NODES`](crate::report::MAX_NODES), those
    /// without one first where there are more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeStanding>,
    /// The features that are enabled now, of the product and its add-ons, at most [`MAX_ENABLED_FEATURES`]; none while
    /// restricted or unlicensed.
    pub features: BTreeSet<String>,
    /// Whether the governing license entitles to the vendor's support now (`s11`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub support: bool,
    /// The rule that the governing license demands for counting users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// When anything of this next changes by the passing of time alone; absent where nothing will. Until just before,
    /// the standing stays equal as long as the licenses and the counts do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_at: Option<Timestamp>,
}

/// What the licenses of one add-on come to (`p1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AddOnStanding {
    /// The add-on.
    pub product: ProductId,
    /// The whole of it in one word, for itself: the product goes on, whatever it is.
    pub verdict: Verdict,
    /// The license that governs it now, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governed_by: Option<LicenseId>,
    /// The limits of that license, against the counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitStanding>,
    /// The running nodes with their licenses of the add-on; empty where one license is for all of them (`p2`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeStanding>,
}

/// A running node, and the license that covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeStanding {
    /// The node.
    pub id: String,
    /// Its license; absent where it lacks one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
}

/// What one license comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// Whether it entitles to the vendor's support.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub support: bool,
    /// Whether it covers an installation or a node.
    #[serde(default, skip_serializing_if = "is_installation")]
    pub mode: Mode,
    /// The nodes that it was set for; all of them where empty (`c8`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub set_for: BTreeSet<String>,
    /// The licenses of others that it needs (`p4`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// What it comes to.
    pub status: Status,
    /// One line where the status is not `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn is_installation(mode: &Mode) -> bool {
    *mode == Mode::Installation
}

/// A limit as a license states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LimitFacts {
    /// What is limited.
    pub dimension: Dimension,
    /// The greatest count; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What one license comes to, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = LicenseStatus))]
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
    /// Not for this product, edition, server, use or any running node.
    NotApplicable,
    /// Another license of the same product took its place; history (`c10`).
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

/// For how many days before its expiry, or the end of its maintenance, a license calls for attention (`s5`: two
/// months).
pub const EXPIRY_NOTICE_DAYS: i64 = 60;
/// The same for an evaluation, whose whole time is mostly a month (`c6`).
pub const EVALUATION_NOTICE_DAYS: i64 = 7;
/// For how many days after a move a license holds on that is bound to the server ID before it (`b4`): time to have it
/// issued anew.
pub const MOVED_GRACE_DAYS: i64 = 14;

/// The most licenses that a standing lists.
pub const MAX_LICENSES: usize = 64;
/// The most reasons that a standing lists, the gravest.
pub const MAX_REASONS: usize = 64;
/// The most features that a standing enables, of the product and its add-ons together.
pub const MAX_ENABLED_FEATURES: usize = 1024;
/// The most characters of a node's name.
pub const MAX_NODE_NAME: usize = 64;
/// The most characters of a message.
pub const MAX_MESSAGE: usize = 400;
/// The most bytes of a standing's JSON: what a report has room for.
pub const MAX_STANDING_BYTES: usize = 320 * 1024;

impl Standing {
    /// The license that governs, as it stands in the list.
    pub fn governing(&self) -> Option<&LicenseStanding> {
        self.governed_by.as_ref().and(self.licenses.first())
    }
}
