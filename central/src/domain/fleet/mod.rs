//! The fleet: what is kept of each application so that lists, filters, totals and the calendar cost what they show, and
//! not what there is. Everything here follows from the row alone: who changes a row knows what else changes with it.

mod filter;
mod query;
mod sums;

use std::collections::BTreeSet;

use jiff::Timestamp;
use seatline_protocol::{LinkId, ProductId};
use serde::Serialize;

use super::assessment::{Assessment, End};
use super::ids::ApplicationId;
use super::labels::{Labels, Tag};
use super::{ApplicationName, Gravity};
pub use filter::{Facet, FleetFilter, FleetOrder, Use};
pub use query::FleetSent;
pub use sums::{Sum, Sums};

/// An application as it was reviewed last.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FleetRow {
    /// The application.
    pub application: ApplicationId,
    /// What people call it.
    pub name: ApplicationName,
    /// The product.
    pub product: ProductId,
    /// How it is sorted.
    #[serde(flatten)]
    pub labels: Labels,
    /// The link whose reports are shown.
    pub link: Option<LinkId>,
    /// What it comes to.
    #[serde(flatten)]
    pub assessment: Assessment,
}

/// A row of the list of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FleetItem {
    /// The application as it was reviewed last.
    #[serde(flatten)]
    pub row: FleetRow,
    /// When it was reviewed.
    pub reviewed_at: Timestamp,
    /// When its newest report came.
    pub reported_at: Option<Timestamp>,
}

/// An end in the calendar.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Due {
    /// The application.
    pub application: ApplicationId,
    /// What people call it.
    pub name: ApplicationName,
    /// How it is sorted.
    #[serde(flatten)]
    pub labels: Labels,
    /// Whether it is a staging instance.
    pub staging: bool,
    /// What ends.
    #[serde(flatten)]
    pub end: End,
}

/// The most words of an application that are found by a search.
const MAX_WORDS: usize = 32;
/// The most characters of a word that tell it apart.
const MAX_WORD: usize = 32;

impl FleetRow {
    /// Where its use counts.
    pub fn use_(&self) -> Use {
        if self.assessment.staging { Use::Staging } else { Use::Production }
    }

    /// Each list that it stands in.
    pub fn facets(&self) -> BTreeSet<Facet> {
        let mut facets = self.sorted_by();
        facets.extend(self.assessment.concerns.iter().map(|concern| Facet::concern(&concern.code)));
        let gravest = self.assessment.gravity();
        facets.extend(Gravity::ALL.into_iter().filter(|least| gravest >= Some(*least)).map(Facet::gravity));
        if self.assessment.staging {
            facets.insert(Facet::staging());
        }
        facets
    }

    /// What it is sorted by, without what changes by itself: totals and the calendar are kept of these.
    pub fn sorted_by(&self) -> BTreeSet<Facet> {
        let mut facets = BTreeSet::from([Facet::all(), Facet::product(&self.product)]);
        facets.extend(self.labels.group.iter().map(Facet::group));
        facets.extend(self.labels.tags.iter().map(Facet::tag));
        facets
    }

    /// The words that a search finds it by: of its name, its product, its group and its tags.
    pub fn words(&self) -> BTreeSet<String> {
        let texts = [self.name.as_str(), self.product.as_str()];
        let group = self.labels.group.iter().map(|group| group.as_str());
        let texts = texts.into_iter().chain(group).chain(self.labels.tags.iter().map(Tag::as_str));
        texts.flat_map(words).take(MAX_WORDS).collect()
    }
}

/// The words of a text, in lower case: what stands between anything but letters and digits.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.to_lowercase().chars().take(MAX_WORD).collect()).collect()
}

/// The month of a time in UTC: `2027-01`.
pub fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}

#[cfg(test)]
pub(crate) mod tests;
