//! What a license key would change, before it is saved (`b3`, `c9`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ends, LimitStanding, LimitState, MAX_MESSAGE, Observed, Reason, Standing, standing};
use crate::ids::{Dimension, LicenseId, ProductId};
use crate::license::{Behaviour, License};
use crate::text::{self, number};

/// The highest count of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Effect {
    /// The standing now.
    pub before: Standing,
    /// The standing right after it is saved.
    pub after: Standing,
    /// For a license that begins later: the standing of then, by the counts of now. Whatever else stands here compares
    /// it, or else `after`, with `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Standing>,
    /// When the license takes effect, where that is later than now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_effect_at: Option<Timestamp>,
    /// Whether it will govern its product or add-on as soon as it takes effect.
    pub governs: bool,
    /// Each limit of before and after, against the latest and the highest count.
    pub limits: Vec<LimitChange>,
    /// Features that are enabled then and not now.
    pub features_gained: BTreeSet<String>,
    /// Features that are enabled now and not then.
    pub features_lost: BTreeSet<String>,
    /// When the license that governs, and its maintenance, end.
    pub dates: Vec<DateChange>,
    /// Reasons of then that are none of now.
    pub new_reasons: Vec<Reason>,
    /// What an administrator should read before he saves it, the gravest first.
    pub warnings: Vec<Warning>,
}

/// A limit before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[serde(rename_all = "kebab-case")]
pub enum WarningCode {
    /// It allows less than is counted now.
    BelowCount,
    /// Features would be lost.
    FeaturesLost,
    /// Another license goes on governing, or none does.
    DoesNotGovern,
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
            Self::BelowCount => "below-count",
            Self::FeaturesLost => "features-lost",
            Self::DoesNotGovern => "does-not-govern",
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
    let known = |reason: &Reason| present.reasons.iter().any(|other| is_same(other, reason));
    let mut effect = Effect {
        governs: next.governed_by.as_ref() == Some(&license.id),
        limits: limits(&present, next, peaks),
        features_gained: next.features.difference(&present.features).cloned().collect(),
        features_lost: present.features.difference(&next.features).cloned().collect(),
        dates: dates(&present, next),
        new_reasons: next.reasons.iter().filter(|reason| !known(reason)).cloned().collect(),
        warnings: Vec::new(),
        takes_effect_at,
        before: present,
        after: saved,
        then,
    };
    effect.warnings = effect.limits.iter().flat_map(|change| change.warnings(license)).collect();
    effect.warnings.sort();
    effect
}

/// Whether both tell of the same thing, perhaps with other numbers.
fn is_same(one: &Reason, other: &Reason) -> bool {
    (one.code, &one.license, &one.dimension) == (other.code, &other.license, &other.dimension)
}

fn limits(before: &Standing, after: &Standing, peaks: &BTreeMap<Dimension, Peak>) -> Vec<LimitChange> {
    let find = |limits: &[LimitStanding], dimension: &Dimension| {
        limits.iter().find(|limit| limit.dimension == *dimension).cloned()
    };
    let mut dimensions: Vec<&Dimension> = Vec::new();
    for limit in after.limits.iter().chain(&before.limits) {
        if !dimensions.contains(&&limit.dimension) {
            dimensions.push(&limit.dimension);
        }
    }
    let change = |dimension: &Dimension| {
        let (after, peak) = (find(&after.limits, dimension), peaks.get(dimension).copied());
        let at_peak =
            after.as_ref().zip(peak).map(|(limit, peak)| LimitState::of(limit.max, limit.extra, Some(peak.count)));
        let before = find(&before.limits, dimension);
        LimitChange { add_on: None, dimension: dimension.clone(), before, after, peak, state_at_peak: at_peak }
    };
    dimensions.into_iter().map(change).collect()
}

fn dates(before: &Standing, after: &Standing) -> Vec<DateChange> {
    let [before, after] = [before.governing(), after.governing()];
    let expires = [before, after].map(|license| license.and_then(|license| license.expires));
    let maintenance = [before, after].map(|license| license.and_then(|license| license.maintenance_until));
    let change = |ends, [before, after]: [Option<Timestamp>; 2]| DateChange { ends, before, after };
    vec![change(Ends::License, expires), change(Ends::Maintenance, maintenance)]
}

impl LimitChange {
    fn warnings(&self, license: &License) -> Vec<Warning> {
        let Some((limit, max)) = self.after.as_ref().and_then(|after| Some((after, after.max?))) else {
            return Vec::new();
        };
        let warning = |code, message: String| Warning {
            code,
            message: text::line(&message, MAX_MESSAGE),
            dimension: Some(self.dimension.clone()),
            license: Some(license.id.clone()),
        };
        let dimension = &self.dimension;
        let mut warnings = Vec::new();
        if let Some(used) = limit.used.filter(|used| *used > max) {
            let happens = match (limit.state, limit.behaviour) {
                (LimitState::InAllowance, _) => {
                    format!("the {} more are tolerated, and people are told", number(limit.extra))
                }
                (_, Behaviour::Warn) => "people are told, and nothing stops".to_owned(),
                (_, Behaviour::Restrict) => "the licensed features stop until the count is down".to_owned(),
                (_, Behaviour::Refuse) => "the product refuses more".to_owned(),
            };
            warnings.push(warning(
                WarningCode::BelowCount,
                format!(
                    "This license allows {} {dimension}, and {} are counted now. After saving, {happens}. \
                     Bring the count down by {} first, or ask for a larger license.",
                    number(max),
                    number(used),
                    number(used - max),
                ),
            ));
        } else if let Some(peak) = self.peak.filter(|peak| peak.count > max) {
            let day = super::messages::day(peak.at);
            warnings.push(warning(
                WarningCode::BelowPeak,
                format!(
                    "This license allows {} {dimension}. That is enough for now, but {} were counted on {day}.",
                    number(max),
                    number(peak.count),
                ),
            ));
        }
        warnings
    }
}
