//! What an application adds to the totals of a fleet.

use std::collections::BTreeMap;
use std::ops::{Add, Sub};

use serde::Serialize;

use super::{Facet, FleetRow, Use, month};

/// The most of one application that enters a sum: so a million of them stay within what an integer holds, whatever a
/// product claims.
const MOST: u64 = 1_000_000_000_000;

/// A sum over applications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Sum {
    /// How many applications there are.
    pub applications: i64,
    /// What they use.
    pub used: i64,
    /// What those of them use that have a limit.
    pub used_of_limit: i64,
    /// The limits together.
    pub max: i64,
    /// How many of them have a limit.
    pub limited: i64,
}

impl Add for Sum {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            applications: self.applications + other.applications,
            used: self.used + other.used,
            used_of_limit: self.used_of_limit + other.used_of_limit,
            max: self.max + other.max,
            limited: self.limited + other.limited,
        }
    }
}

impl Sub for Sum {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            applications: self.applications - other.applications,
            used: self.used - other.used,
            used_of_limit: self.used_of_limit - other.used_of_limit,
            max: self.max - other.max,
            limited: self.limited - other.limited,
        }
    }
}

/// What is summed: the use, the list, and the dimension; empty for the applications themselves.
pub type SumKey = (Use, Facet, String);
/// The ends of licenses that matter: the use, the list, and the month.
pub type MonthKey = (Use, Facet, String);

/// What an application adds, or a change of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// By what is counted.
    pub totals: BTreeMap<SumKey, Sum>,
    /// By month.
    pub months: BTreeMap<MonthKey, i64>,
}

impl Sums {
    /// What `row` adds.
    pub fn of(row: &FleetRow) -> Self {
        let (of, mut sums) = (row.use_(), Self::default());
        let mut add = |facet: &Facet, dimension: &str, sum: Sum| {
            let entry = sums.totals.entry((of, facet.clone(), dimension.to_owned())).or_default();
            *entry = *entry + sum;
        };
        let one = Sum { applications: 1, ..Sum::default() };
        for facet in row.facets() {
            add(&facet, "", one);
        }
        for facet in row.sorted_by() {
            // What is used in add-ons is another matter than what is used of the product.
            for used in row.assessment.consumption.iter().filter(|used| used.add_on.is_none()) {
                let Some(count) = used.used.map(bounded) else { continue };
                let sum = match used.max.map(bounded) {
                    Some(max) => Sum { used: count, used_of_limit: count, max, limited: 1, ..one },
                    None => Sum { used: count, ..one },
                };
                add(&facet, used.dimension.as_str(), sum);
            }
            for end in row.assessment.ends.iter().filter(|end| end.matters()) {
                *sums.months.entry((of, facet.clone(), month(end.at))).or_default() += 1;
            }
        }
        sums
    }

    /// What changes from `before` to this.
    pub fn since(mut self, before: &Self) -> Self {
        for (key, sum) in &before.totals {
            let entry = self.totals.entry(key.clone()).or_default();
            *entry = *entry - *sum;
        }
        for (key, ends) in &before.months {
            *self.months.entry(key.clone()).or_default() -= ends;
        }
        self.totals.retain(|_, sum| *sum != Sum::default());
        self.months.retain(|_, ends| *ends != 0);
        self
    }
}

impl Sum {
    /// The used share of the limits together, in thousandths; none without any.
    pub fn share(&self) -> Option<i64> {
        (self.max > 0).then(|| self.used_of_limit.saturating_mul(1000) / self.max)
    }
}

fn bounded(count: u64) -> i64 {
    i64::try_from(count.min(MOST)).unwrap_or(i64::MAX)
}
