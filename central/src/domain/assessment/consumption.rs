//! How the limits of an application are used.

use seatline_protocol::notices::{Reminders, Step};
use seatline_protocol::standing::{LimitStanding, LimitState, Reason, ReasonCode};
use seatline_protocol::text::number;
use seatline_protocol::{Dimension, ProductId};
use serde::{Deserialize, Serialize};

use super::{Concern, Gravity};
use crate::domain::licenses::Counted;

/// A count against its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Consumption {
    /// The add-on whose limit it is; absent for the product's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on: Option<ProductId>,
    /// What is counted.
    pub dimension: Dimension,
    /// The count; absent where it was never taken.
    pub used: Option<u64>,
    /// The limit; absent for none.
    pub max: Option<u64>,
    /// What is tolerated beyond it.
    pub extra: u64,
    /// How the count lies to the limit.
    pub state: LimitState,
}

/// The greatest share that is told apart, in thousandths.
const MAX_SHARE: u32 = 1_000_000;

impl Consumption {
    fn of_limit(add_on: Option<&ProductId>, limit: &LimitStanding) -> Self {
        Self {
            add_on: add_on.cloned(),
            dimension: limit.dimension.clone(),
            used: limit.used,
            max: limit.max,
            extra: limit.extra,
            state: limit.state,
        }
    }

    /// The used share of the limit in thousandths; none without a count or a limit. Of a limit of 0, whatever is used
    /// is the most.
    pub fn share(&self) -> Option<u32> {
        let (used, max) = (u128::from(self.used?), u128::from(self.max?));
        let share = match (used, max) {
            (0, _) => 0,
            (_, 0) => u128::from(MAX_SHARE),
            _ => used * 1000 / max,
        };
        u32::try_from(share).ok().map(|share| share.min(MAX_SHARE)).or(Some(MAX_SHARE))
    }
}

/// The limits of the product and its add-ons, and the users where nothing limits them; the tightest first.
pub(super) fn of(counted: &Counted) -> Vec<Consumption> {
    let mut all: Vec<Consumption> =
        limits(counted).map(|(add_on, limit)| Consumption::of_limit(add_on, limit)).collect();
    let users = Dimension::users();
    if let Some(accounts) = &counted.accounts
        && !all.iter().any(|one| one.add_on.is_none() && one.dimension == users)
    {
        let state = LimitState::Within;
        all.push(Consumption {
            add_on: None,
            dimension: users,
            used: Some(accounts.counted),
            max: None,
            extra: 0,
            state,
        });
    }
    // A sort that keeps equals: a license names its most important limit first.
    all.sort_by_key(|one| std::cmp::Reverse(one.share()));
    all
}

fn limits(counted: &Counted) -> impl Iterator<Item = (Option<&ProductId>, &LimitStanding)> {
    let of_add_ons = counted.add_ons.iter();
    let of_add_ons = of_add_ons.flat_map(|one| one.limits.iter().map(|limit| (Some(&one.product), limit)));
    counted.limits.iter().map(|limit| (None, limit)).chain(of_add_ons)
}

/// The limits that are near, reached or passed.
pub(super) fn concerns(counted: &Counted, reminders: &Reminders) -> Vec<Concern> {
    let concern = |(add_on, limit): (Option<&ProductId>, &LimitStanding)| {
        let step = reminders.step_of(limit)?;
        let gravity = match step {
            // The product goes on; what stops is the add-on.
            Step::Over | Step::Restricted => Gravity::Problem,
            _ => Gravity::Warning,
        };
        let dimension = &limit.dimension;
        let subject = add_on.map_or_else(|| dimension.to_string(), |add_on| format!("{add_on}/{dimension}"));
        let message = reason(counted, add_on, limit).map_or_else(|| in_words(limit), |reason| reason.message.clone());
        Some(Concern { code: "limit".to_owned(), subject, step, gravity, since: Some(counted.observed_at), message })
    };
    limits(counted).filter_map(concern).collect()
}

fn reason<'c>(counted: &'c Counted, add_on: Option<&ProductId>, limit: &LimitStanding) -> Option<&'c Reason> {
    use ReasonCode::{InAllowance, NearLimit, OverLimit, Restricted};
    counted.reasons.iter().find(|reason| {
        reason.dimension.as_ref() == Some(&limit.dimension)
            && reason.add_on.as_ref() == add_on
            && matches!(reason.code, Restricted | OverLimit | InAllowance | NearLimit)
    })
}

fn in_words(limit: &LimitStanding) -> String {
    let (used, max) = (limit.used.unwrap_or_default(), limit.max.unwrap_or_default());
    format!(
        "{} of {} {} are used: free some, or ask the vendor for a larger license in time",
        number(used),
        number(max),
        limit.dimension
    )
}
