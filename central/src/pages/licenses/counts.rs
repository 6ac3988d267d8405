//! Counts: a card for each limit, the dimensions without one, and the accounts by class.

use seatline_protocol::report::Measured as Value;
use seatline_protocol::standing::LimitStanding;
use seatline_protocol::{AccountCounts, Dimension};
use seatline_ui::{AccountClasses, Badge, Gauge, format};

use crate::domain::licenses::Counted;
use crate::pages::words;

/// A limit of the governing license, against its count.
pub(super) struct LimitCard {
    pub(super) title: String,
    pub(super) badge: Badge,
    /// The gauge, or where nothing was counted the limit in words.
    pub(super) gauge: Option<Gauge>,
    pub(super) uncounted: String,
    pub(super) behaviour: &'static str,
}

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
    counted.limits.iter().map(|limit| LimitCard::of(limit, failure(counted, &limit.dimension))).collect()
}

impl LimitCard {
    fn of(limit: &LimitStanding, failure: Option<&str>) -> Self {
        let limit_in_words = limit.max.map_or("no limit".to_owned(), |max| format!("limit {}", format::number(max)));
        let reason = failure.unwrap_or("the product does not count it");
        Self {
            title: words::dimension(&limit.dimension),
            badge: words::limit_state(limit.state),
            gauge: limit.used.map(|used| {
                Gauge::new(limit.dimension.as_str(), used, limit.max, words::level(limit.state)).extra(limit.extra)
            }),
            uncounted: format!("Not counted: {reason} ({limit_in_words})."),
            behaviour: words::behaviour(limit.behaviour),
        }
    }
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
    let classes = AccountClasses {
        total: counts.total,
        counted: counts.counted,
        dormant: counts.dormant,
        dormancy_days: counts.dormancy_days,
        never_signed_in: counts.never_signed_in,
        no_access: counts.no_access,
        deactivated: counts.deactivated,
        service_accounts: counts.service_accounts,
    };
    Accounts { classes, rule: words::counting(counts.counting) }
}
