//! Counts: the limits, the dimensions without one, and the accounts by class.

use seatline_protocol::report::Measured as Value;
use seatline_protocol::{AccountCounts, Dimension};
use seatline_ui::{AccountClasses, LimitCard, format, words};

use crate::domain::licenses::Counted;

/// A dimension that no license limits.
pub(super) struct Measured {
    pub(super) title: String,
    /// The count.
    pub(super) count: Option<String>,
    /// Why there is none.
    pub(super) failure: Option<String>,
}

/// The accounts by class, and the rule by which they were counted.
pub(super) struct Accounts {
    pub(super) classes: AccountClasses,
    pub(super) rule: &'static str,
}

pub(super) fn limits(counted: &Counted) -> Vec<LimitCard> {
    counted.limits.iter().map(|limit| LimitCard::new(limit, failure(counted, &limit.dimension))).collect()
}

/// The measurements and, where no license limits them, the counted users.
pub(super) fn unlimited(counted: &Counted) -> Vec<Measured> {
    let limited = |dimension: &Dimension| counted.limits.iter().any(|limit| limit.dimension == *dimension);
    let users = counted.accounts.as_ref().filter(|_| !limited(&Dimension::users())).map(|accounts| Measured {
        title: words::dimension(&Dimension::users()),
        count: Some(format::number(accounts.counted)),
        failure: None,
    });
    let others = counted.measurements.iter().filter(|found| !limited(&found.dimension)).map(|found| {
        let (count, failure) = match &found.value {
            Value::Value(count) => (Some(format::number(*count)), None),
            Value::Failed(reason) => (None, Some(reason.clone())),
        };
        Measured { title: words::dimension(&found.dimension), count, failure }
    });
    users.into_iter().chain(others).collect()
}

fn failure<'a>(counted: &'a Counted, dimension: &Dimension) -> Option<&'a str> {
    let found = counted.measurements.iter().find(|found| found.dimension == *dimension)?;
    match &found.value {
        Value::Failed(reason) => Some(reason),
        Value::Value(_) => None,
    }
}

pub(super) fn accounts(counts: &AccountCounts) -> Accounts {
    Accounts { classes: counts.into(), rule: words::counting(counts.counting) }
}
