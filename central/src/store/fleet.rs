//! The fleet as it was reviewed (see [`crate::domain::fleet`]), and the review that keeps it so.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::notices::Reminders;
use serde::Serialize;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::fleet::Sum;
use crate::domain::{Act, ApplicationId, Concern, Due, Facet, FleetFilter, FleetItem, FleetOrder, Labels, Use};

/// What a review came to.
#[derive(Debug, Default)]
pub struct Reviewed {
    /// How many applications were reviewed.
    pub reviewed: u64,
    /// Whether more may be due.
    pub more: bool,
    /// Those that could not be read: they are set aside, and tried again later.
    pub failed: Vec<String>,
}

/// What sums are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumOf {
    /// Each product.
    Products,
    /// Each group.
    Groups,
    /// Each tag.
    Tags,
    /// Each code of a concern.
    Concerns,
    /// Each gravity, with the graver ones in it.
    Gravities,
}

impl SumOf {
    /// What the names of its lists begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Products => "product:",
            Self::Groups => "group:",
            Self::Tags => "tag:",
            Self::Concerns => "concern:",
            Self::Gravities => "gravity:",
        }
    }
}

/// A sum over a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FleetSum {
    /// The list.
    pub facet: Facet,
    /// What is counted; empty for the applications themselves.
    pub dimension: String,
    /// The sum.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A concern from its begin to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Spell {
    /// The concern, at the step that it came to last.
    #[serde(flatten)]
    pub concern: Concern,
    /// When it was found.
    pub began_at: Timestamp,
    /// When it was over; absent while it lasts.
    pub ended_at: Option<Timestamp>,
}

/// A concern that has begun, come to another step, or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChangedConcern {
    /// Whose.
    pub application: ApplicationId,
    /// Whether that is a staging instance.
    pub staging: bool,
    /// When it changed.
    pub changed_at: Timestamp,
    /// How it stands since.
    #[serde(flatten)]
    pub spell: Spell,
}

impl ChangedConcern {
    /// Its place: what changed after it comes on the page that begins here.
    pub fn place(&self) -> String {
        let (changed, began) = (self.changed_at.as_millisecond(), self.spell.began_at.as_millisecond());
        format!("{changed} {began} {} {} {}", self.application, self.spell.concern.code, self.spell.concern.subject)
    }
}

/// The fleet.
///
/// # The review
/// Whatever can change what an application comes to marks it, in its own commit: a report with other content than the
/// one before, a change of the link, the passing of a moment that the last review has named. The review takes what is
/// marked, assesses it by the rule of the domain ([`crate::domain::Assessment`]), and keeps what lists, sums and the
/// calendar are read from, together with the concerns that have begun, changed and ended. It keeps nothing that was
/// read before another mark, so it may be run by several at once.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Reviews at most `most` applications whose time has come, those that wait longest first.
    async fn review(&self, reminders: &Reminders, now: Timestamp, most: u32) -> Stored<Reviewed>;
    /// Reviews one application, whether its time has come or not: somebody has changed it, and looks.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such application.
    async fn review_one(&self, id: &ApplicationId, reminders: &Reminders, now: Timestamp) -> Stored<()>;
    /// Since when the review is behind: the earliest time at which something was due that is not reviewed.
    async fn to_review(&self, now: Timestamp) -> Stored<Option<Timestamp>>;
    /// A page of the applications that `filter` wants, in `order`. A page may be shorter than `size` and have a next
    /// one all the same: it costs no more where a filter leaves out nearly all. A search gives its finds by their
    /// words, whatever the order.
    async fn fleet(
        &self,
        filter: &FleetFilter,
        order: FleetOrder,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<FleetItem>>;
    /// What the list shows of an application.
    async fn fleet_item(&self, id: &ApplicationId) -> Stored<Option<FleetItem>>;
    /// A page of what ends in a list (all, a product, a group or a tag), from a time until just before another one.
    async fn ends(
        &self,
        facet: &Facet,
        span: (Timestamp, Timestamp),
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<Due>>;
    /// How many licenses of a list end in each month (`2027-01`) of a span without another that follows; both ends
    /// included, months without any left out.
    async fn months(&self, used_for: Use, facet: &Facet, from: &str, until: &str) -> Stored<Vec<(String, u64)>>;
    /// The sums of one kind of list, by name; without what there is none of.
    async fn sums(&self, used_for: Use, of: SumOf) -> Stored<Vec<FleetSum>>;
    /// The sum of a dimension over a list; of the applications themselves where it is empty.
    async fn sum(&self, used_for: Use, facet: &Facet, dimension: &str) -> Stored<Sum>;
    /// How an application is sorted.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such application.
    async fn labels(&self, id: &ApplicationId) -> Stored<Labels>;
    /// Sorts an application.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such application.
    async fn set_labels(&self, act: &Act, id: &ApplicationId, labels: &Labels) -> Stored<()>;
    /// The concerns of an application, past and present, the one that began last first.
    async fn spells(&self, id: &ApplicationId, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Spell>>;
    /// The concerns of the fleet that have begun, come to another step, or ended after a place, in the order of that. A
    /// concern that changed twice meanwhile comes once, as it stands. Two reviews can end in another order than their
    /// times: whoever follows begins some seconds before the last place that he has seen.
    async fn changed_concerns(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ChangedConcern>>;
}
