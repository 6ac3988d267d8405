//! The difference between two reports (`b7`): by class, by dimension, and by license.

use jiff::Timestamp;
use seatline_protocol::{Dimension, Sequence};
use serde::Serialize;

use super::facts::{Classes, Facts, LicenseFacts};

/// One of two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Side {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// When it was observed, by the product's clock.
    pub observed_at: Timestamp,
    /// What it counted; none where its run gave no counts.
    #[serde(skip)]
    pub facts: Option<Facts>,
    /// The licenses; none where none were reported.
    #[serde(skip)]
    pub licenses: Option<Vec<LicenseFacts>>,
}

/// A count before and after. Absent: it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// In the earlier report.
    pub before: Option<u64>,
    /// In the later one.
    pub after: Option<u64>,
}

/// A class of accounts before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ClassChange {
    /// The name of the class.
    pub class: &'static str,
    /// The accounts in it.
    #[serde(flatten)]
    pub accounts: Change,
}

/// A dimension before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DimensionChange {
    /// The dimension.
    pub dimension: Dimension,
    /// What is used.
    pub used: Change,
    /// What may be used; absent: there is no limit.
    pub limit: Change,
}

/// What changed from one report to another. The classes add up to the total on both sides, so their changes do too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The earlier report.
    pub before: Side,
    /// The later one.
    pub after: Side,
    /// The accounts by class, the total last.
    pub classes: Vec<ClassChange>,
    /// Each dimension that either report has.
    pub dimensions: Vec<DimensionChange>,
    /// Licenses that the later report has and the earlier one has not.
    pub licenses_gained: Vec<LicenseFacts>,
    /// Licenses that the earlier report has and the later one has not.
    pub licenses_lost: Vec<LicenseFacts>,
    /// Licenses that both have and that come to something else: as in the earlier report, and as in the later one.
    pub licenses_changed: Vec<(LicenseFacts, LicenseFacts)>,
    /// The seats that the later report's dormant accounts hold.
    pub seats_that_could_be_freed: Option<u64>,
}

impl Difference {
    /// The difference between two reports of one chain, the earlier first, whichever way they are given.
    pub fn between(one: Side, other: Side) -> Self {
        let (before, after) = if one.sequence <= other.sequence { (one, other) } else { (other, one) };
        let classes = |side: &Side| side.facts.as_ref().and_then(|facts| facts.classes);
        let (first, second) = (classes(&before), classes(&after));
        let named = |classes: Option<Classes>| classes.map(|classes| classes.named());
        let (old_classes, new_classes) = (named(first), named(second));
        let count = |named: &Option<[(&'static str, u64); 7]>, n: usize| named.as_ref().map(|named| named[n].1);
        let changed = old_classes.or(new_classes).into_iter().flatten().enumerate().map(|(n, (class, _))| {
            ClassChange { class, accounts: Change { before: count(&old_classes, n), after: count(&new_classes, n) } }
        });
        let licenses = |side: &Side| side.licenses.clone().unwrap_or_default();
        let (old, new) = (licenses(&before), licenses(&after));
        let lacks = |all: &[LicenseFacts], one: &LicenseFacts| all.iter().all(|other| other.id != one.id);
        let changes = old.iter().filter_map(|license| {
            let now = new.iter().find(|other| other.id == license.id)?;
            (now != license).then(|| (license.clone(), now.clone()))
        });
        // A report that says nothing of licenses loses none.
        let both = before.licenses.is_some() && after.licenses.is_some();
        Self {
            classes: changed.collect(),
            dimensions: dimensions(before.facts.as_ref(), after.facts.as_ref()),
            licenses_changed: changes.collect(),
            licenses_gained: new.iter().filter(|license| both && lacks(&old, license)).cloned().collect(),
            licenses_lost: old.iter().filter(|license| both && lacks(&new, license)).cloned().collect(),
            seats_that_could_be_freed: second.map(|classes| classes.dormant),
            before,
            after,
        }
    }
}

fn dimensions(before: Option<&Facts>, after: Option<&Facts>) -> Vec<DimensionChange> {
    let all = before.into_iter().chain(after).flat_map(|facts| facts.dimensions.keys());
    let all: std::collections::BTreeSet<&Dimension> = all.collect();
    let of =
        |facts: Option<&Facts>, dimension: &Dimension| facts.and_then(|facts| facts.dimensions.get(dimension).copied());
    let change = |dimension: &Dimension| {
        let (before, after) = (of(before, dimension).unwrap_or_default(), of(after, dimension).unwrap_or_default());
        DimensionChange {
            dimension: dimension.clone(),
            used: Change { before: before.used, after: after.used },
            limit: Change { before: before.max, after: after.max },
        }
    };
    all.into_iter().map(change).collect()
}
