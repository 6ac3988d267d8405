//! Which applications of a fleet are wanted, and in which order.

use jiff::Timestamp;
use seatline_protocol::ProductId;
use serde::{Deserialize, Serialize};

use super::{FleetRow, words};
use crate::domain::Gravity;
use crate::domain::labels::{GroupName, Tag};

/// A list that applications stand in: all of them, or those that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Facet(String);

impl Facet {
    /// All applications.
    pub fn all() -> Self {
        Self(String::new())
    }

    /// Those of a product.
    pub fn product(product: &ProductId) -> Self {
        Self(format!("product:{product}"))
    }

    /// Those of a group.
    pub fn group(group: &GroupName) -> Self {
        Self(format!("group:{group}"))
    }

    /// Those with a tag.
    pub fn tag(tag: &Tag) -> Self {
        Self(format!("tag:{tag}"))
    }

    /// Those with a concern of a code.
    pub fn concern(code: &str) -> Self {
        Self(format!("concern:{code}"))
    }

    /// Those with a concern at least so grave.
    pub fn gravity(least: Gravity) -> Self {
        Self(format!("gravity:{}", least.name()))
    }

    /// The staging instances.
    pub fn staging() -> Self {
        Self("staging:".to_owned())
    }

    /// It as the store names it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the kind: a product, a group, a tag, a code.
    pub fn value(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, value)| value)
    }
}

impl From<String> for Facet {
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

/// What instances are used for: totals of production leave staging out (`s3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// In production.
    Production,
    /// For staging.
    Staging,
}

impl Use {
    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }

    /// The use of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Production, Self::Staging].into_iter().find(|known| known.name() == name)
    }
}

/// Which applications are wanted: those that meet all of this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetFilter {
    /// Words, each of which begins a word of the name, the product, the group or a tag.
    pub search: Vec<String>,
    /// The product.
    pub product: Option<ProductId>,
    /// The group.
    pub group: Option<GroupName>,
    /// A tag.
    pub tag: Option<Tag>,
    /// The code of a concern.
    pub concern: Option<String>,
    /// How grave the gravest concern is at least.
    pub at_least: Option<Gravity>,
    /// What it is used for.
    pub used_for: Option<Use>,
}

/// The most words of a search that count.
const MAX_SEARCH: usize = 8;

impl FleetFilter {
    /// The words of a search as somebody typed them.
    pub fn searched(text: &str) -> Vec<String> {
        words(text).into_iter().take(MAX_SEARCH).collect()
    }

    /// Whether it leaves everything in.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The lists that each hold all that is wanted.
    pub fn facets(&self) -> Vec<Facet> {
        let product = self.product.iter().map(Facet::product);
        let labels = self.group.iter().map(Facet::group).chain(self.tag.iter().map(Facet::tag));
        let concerns = self.concern.iter().map(|code| Facet::concern(code));
        let gravity = self.at_least.into_iter().map(Facet::gravity);
        let staging = (self.used_for == Some(Use::Staging)).then(Facet::staging);
        product.chain(labels).chain(concerns).chain(gravity).chain(staging).collect()
    }

    /// Whether an application is wanted.
    pub fn matches(&self, row: &FleetRow) -> bool {
        let standing_in = row.facets();
        let words = row.words();
        let found = |searched: &String| words.iter().any(|word| word.starts_with(searched.as_str()));
        self.facets().iter().all(|facet| standing_in.contains(facet))
            && self.used_for.is_none_or(|wanted| wanted == row.use_())
            && self.search.iter().all(found)
    }
}

/// In which order applications are listed. Those that are equal stand by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetOrder {
    /// What needs attention first.
    #[default]
    Attention,
    /// By name.
    Name,
    /// The tightest limit first.
    Consumption,
    /// What ends soonest first.
    Expiry,
}

impl FleetOrder {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Attention, Self::Name, Self::Consumption, Self::Expiry];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Name => "name",
            Self::Consumption => "consumption",
            Self::Expiry => "expiry",
        }
    }

    /// The order of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// What it sorts a row by, the smallest first; by name they are all equal.
    pub fn key(self, row: &FleetRow) -> i64 {
        match self {
            Self::Attention => -row.assessment.attention(),
            Self::Name => 0,
            Self::Consumption => row.assessment.share().map_or(1, |share| -i64::from(share)),
            Self::Expiry => row.assessment.ends_at().map_or(i64::MAX, Timestamp::as_millisecond),
        }
    }
}
