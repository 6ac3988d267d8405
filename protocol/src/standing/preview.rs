//! What a license key would change, before it is saved (`b3`, `c9`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::warnings::warnings;
use super::{Ends, LicenseStanding, LimitStanding, LimitState, Observed, Reason, Standing, Status, standing};
use crate::ids::{Dimension, LicenseId, ProductId};
use crate::license::License;

/// The highest count of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peak {
    /// The count.
    pub count: u64,
    /// When it was counted first.
    pub at: Timestamp,
}

/// Licenses, and what they are held against.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The licenses.
    pub licenses: &'a [License],
    /// What is known of the product.
    pub observed: &'a Observed,
}

/// What a license would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Effect {
    /// The standing now.
    pub before: Standing,
    /// The standing right after it is saved.
    pub after: Standing,
    /// When the license takes effect, where that is later than now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_effect_at: Option<Timestamp>,
    /// For a license that takes effect later: the standing of then, by the counts of now. What follows compares it, or
    /// else `after`, with `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Standing>,
    /// Whether the license is then in force, on a node at least.
    pub in_force: bool,
    /// Whether it then governs its product or add-on.
    pub governs: bool,
    /// Each limit of before and then, of the product and its add-ons, against the latest and the highest count.
    pub limits: Vec<LimitChange>,
    /// Features that are enabled then and not now.
    pub features_gained: BTreeSet<String>,
    /// Features that are enabled now and not then.
    pub features_lost: BTreeSet<String>,
    /// When what governs its product or add-on ends, and its maintenance.
    pub dates: Vec<DateChange>,
    /// Reasons of then that are none of now.
    pub new_reasons: Vec<Reason>,
    /// What an administrator should read before he saves it, the gravest first.
    pub warnings: Vec<Warning>,
}

/// A limit before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LimitChange {
    /// The add-on that is limited; absent for the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_on: Option<ProductId>,
    /// What is limited.
    pub dimension: Dimension,
    /// The limit now; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<LimitStanding>,
    /// The limit then; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<LimitStanding>,
    /// The highest count so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak: Option<Peak>,
    /// How the highest count would lie to the limit of then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_at_peak: Option<LimitState>,
}

/// An end before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DateChange {
    /// What ends.
    pub ends: Ends,
    /// When it ends now; absent for never, and where nothing governs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// When it ends then; absent for never, and where nothing governs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
}

/// Something that an administrator should know before he saves a license.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Warning {
    /// What it is about, stable for machines.
    pub code: WarningCode,
    /// One line: what is so, and what happens after saving.
    pub message: String,
    /// The limit that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// The license that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
}

/// What a warning is about, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WarningCode {
    /// It would not be in force.
    NoEffect,
    /// It allows less than is counted now.
    BelowCount,
    /// Features would be lost.
    FeaturesLost,
    /// It ends before the present one does.
    EndsEarlier,
    /// It is for another use than the present one.
    KindChanges,
    /// It counts users by another rule.
    CountingChanges,
    /// It allows less than the highest count so far.
    BelowPeak,
}

impl WarningCode {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEffect => "no-effect",
            Self::BelowCount => "below-count",
            Self::FeaturesLost => "features-lost",
            Self::EndsEarlier => "ends-earlier",
            Self::KindChanges => "kind-changes",
            Self::CountingChanges => "counting-changes",
            Self::BelowPeak => "below-peak",
        }
    }
}

/// What changes when `license` comes to what was held `before`, which then is what is held `after`.
pub fn preview(
    license: &License,
    before: Held<'_>,
    after: Held<'_>,
    peaks: &BTreeMap<Dimension, Peak>,
    now: Timestamp,
) -> Effect {
    let standing_at = |held: Held<'_>, at| standing(held.licenses, held.observed, at);
    let (present, saved) = (standing_at(before, now), standing_at(after, now));
    let takes_effect_at = Some(license.begins()).filter(|begins| *begins > now);
    let then = takes_effect_at.map(|at| standing_at(after, at));
    let next = then.as_ref().unwrap_or(&saved);
    let of = Of::the(license, after.observed);
    let entry = of.entry(license, next);
    let known = |reason: &Reason| present.reasons.iter().any(|other| is_same(other, reason));
    let mut effect = Effect {
        in_force: entry.is_some_and(|entry| matches!(entry.status, Status::Active | Status::Grace)),
        governs: of.governed_by(next) == Some(&license.id),
        limits: limits(&present, next, peaks),
        features_gained: next.features.difference(&present.features).cloned().collect(),
        features_lost: present.features.difference(&next.features).cloned().collect(),
        dates: dates(of.governing(&present), of.governing(next)),
        new_reasons: next.reasons.iter().filter(|reason| !known(reason)).cloned().collect(),
        warnings: Vec::new(),
        takes_effect_at,
        before: present,
        after: saved,
        then,
    };
    effect.warnings = warnings(&effect, license, &of);
    effect
}

/// Whether both tell of the same thing, perhaps with other numbers.
fn is_same(one: &Reason, other: &Reason) -> bool {
    let about =
        |reason: &Reason| (reason.code, reason.license.clone(), reason.add_on.clone(), reason.dimension.clone());
    about(one) == about(other)
}

/// What a license is of: the product, or an add-on.
pub(super) struct Of<'a> {
    product: &'a ProductId,
    is_add_on: bool,
}

impl<'a> Of<'a> {
    fn the(license: &'a License, observed: &'a Observed) -> Self {
        let is_add_on = license.product != observed.product && license.add_on_of.as_ref() == Some(&observed.product);
        Self { product: &license.product, is_add_on }
    }

    /// Whether a limit is the product's, or the add-on's.
    pub fn has(&self, change: &LimitChange) -> bool {
        change.add_on.as_ref() == self.is_add_on.then_some(self.product)
    }

    fn governed_by<'s>(&self, standing: &'s Standing) -> Option<&'s LicenseId> {
        match self.is_add_on {
            true => standing.add_on(self.product)?.governed_by.as_ref(),
            false => standing.governed_by.as_ref(),
        }
    }

    pub fn governing<'s>(&self, standing: &'s Standing) -> Option<&'s LicenseStanding> {
        match self.is_add_on {
            false => standing.governing(),
            true => {
                let id = self.governed_by(standing)?;
                standing.licenses.iter().find(|license| license.id == *id && license.product == *self.product)
            }
        }
    }

    /// How the license stands in the list.
    pub fn entry<'s>(&self, license: &License, standing: &'s Standing) -> Option<&'s LicenseStanding> {
        standing.licenses.iter().find(|entry| entry.id == license.id && entry.product == license.product)
    }
}

fn limits(before: &Standing, after: &Standing, peaks: &BTreeMap<Dimension, Peak>) -> Vec<LimitChange> {
    let mut changes: Vec<LimitChange> = Vec::new();
    for (standing, is_after) in [(after, true), (before, false)] {
        let of_add_ons = standing.add_ons.iter().map(|add_on| (Some(&add_on.product), &add_on.limits));
        for (add_on, limits) in [(None, &standing.limits)].into_iter().chain(of_add_ons) {
            for limit in limits {
                let is_this =
                    |change: &&mut LimitChange| change.dimension == limit.dimension && change.add_on.as_ref() == add_on;
                match changes.iter_mut().find(is_this) {
                    Some(change) => change.before = Some(limit.clone()),
                    None => changes.push(LimitChange::of(add_on, limit, is_after, peaks)),
                }
            }
        }
    }
    changes
}

impl LimitChange {
    fn of(
        add_on: Option<&ProductId>,
        limit: &LimitStanding,
        is_after: bool,
        peaks: &BTreeMap<Dimension, Peak>,
    ) -> Self {
        let peak = peaks.get(&limit.dimension).copied();
        let after = is_after.then(|| limit.clone());
        Self {
            add_on: add_on.cloned(),
            dimension: limit.dimension.clone(),
            before: (!is_after).then(|| limit.clone()),
            state_at_peak: after
                .as_ref()
                .zip(peak)
                .map(|(limit, peak)| LimitState::of(limit.max, limit.extra, Some(peak.count))),
            after,
            peak,
        }
    }
}

fn dates(before: Option<&LicenseStanding>, after: Option<&LicenseStanding>) -> Vec<DateChange> {
    let change = |ends, end: fn(&LicenseStanding) -> Option<Timestamp>| DateChange {
        ends,
        before: before.and_then(end),
        after: after.and_then(end),
    };
    vec![
        change(Ends::License, |license| license.expires),
        change(Ends::Maintenance, |license| license.maintenance_until),
    ]
}
