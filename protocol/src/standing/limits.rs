//! Limits against counts.

use super::rules::Places;
use super::{LimitStanding, LimitState, Observed};
use crate::ids::{Dimension, MAX_COUNT};
use crate::license::{License, Limit};

impl LimitState {
    /// How a count of `used` lies to a limit of `max` with an allowance of `extra` beyond it.
    ///
    /// Nine tenths of the limit are near it; of a limit of 0, nothing is.
    pub fn of(max: Option<u64>, extra: u64, used: Option<u64>) -> Self {
        match (max, used) {
            (_, None) => Self::Unknown,
            (None, Some(_)) => Self::Within,
            (Some(max), Some(used)) if used > max.saturating_add(extra) => Self::Over,
            (Some(max), Some(used)) if used > max => Self::InAllowance,
            (Some(max), Some(used)) if used > 0 && u128::from(used) * 10 >= u128::from(max) * 9 => Self::Near,
            _ => Self::Within,
        }
    }
}

/// The limits of the license that governs, in its own order. Where licenses cover some nodes each, what they cover
/// together is the limit of `nodes`, whatever they say about it themselves (`p3`); where one is for all, and some nodes
/// lack it, not more than it says.
pub(super) fn limit_standings(license: &License, places: Option<Places>, observed: &Observed) -> Vec<LimitStanding> {
    let by_place = places.map(|Places { count, are_bounded }| {
        let stated = license.limit(&Dimension::nodes()).cloned().unwrap_or_else(nodes_limit);
        let bound = stated.max.filter(|_| are_bounded).unwrap_or(count);
        Limit { dimension: Dimension::nodes(), max: Some(count.min(bound)), extra: 0, ..stated }
    });
    let stated = license.limits.iter().filter(|limit| by_place.is_none() || limit.dimension != Dimension::nodes());
    by_place.iter().chain(stated).map(|limit| limit_standing(limit, count(&limit.dimension, observed))).collect()
}

/// The latest count of a dimension. The nodes that run are counted here and now.
fn count(dimension: &Dimension, observed: &Observed) -> Option<u64> {
    match observed.nodes.len() as u64 {
        nodes @ 1.. if *dimension == Dimension::nodes() => Some(nodes),
        _ => observed.counts.get(dimension).copied(),
    }
}

fn nodes_limit() -> Limit {
    Limit { dimension: Dimension::nodes(), max: None, extra: 0, counting: None, behaviour: Default::default() }
}

fn limit_standing(limit: &Limit, used: Option<u64>) -> LimitStanding {
    let max = limit.max.map(|max| max.min(MAX_COUNT));
    let extra = limit.extra.min(MAX_COUNT);
    let used = used.map(|used| used.min(MAX_COUNT));
    let state = LimitState::of(max, extra, used);
    LimitStanding { dimension: limit.dimension.clone(), max, extra, used, state, behaviour: limit.behaviour }
}
