//! What has changed between the last two counts (`b7`): every class of accounts, the dormant seats, every dimension.

use jiff::Timestamp;
use seatline_host::runs::PastRun;
use seatline_protocol::report::{AccountCounts, Collected, Measured, Outcome};
use seatline_ui::format::number;
use seatline_ui::{When, words};

/// The last count against the one before.
pub struct Difference {
    /// When the one before was made, and the last.
    pub counted: [When; 2],
    /// A row for each class and dimension.
    pub rows: Vec<Row>,
    /// The days after which an account is dormant.
    pub dormancy_days: u32,
}

/// One number, before and now.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// What was counted.
    pub what: String,
    /// Whether it is a part of the row above.
    pub is_part: bool,
    /// The numbers, and what has changed.
    pub before: String,
    pub now: String,
    pub change: String,
}

/// What a run has collected, where it counted accounts.
fn counted(run: &PastRun) -> Option<(&PastRun, &Collected, &AccountCounts)> {
    match &run.outcome {
        Outcome::Collected(collected) => Some((run, collected, collected.accounts.as_ref()?)),
        Outcome::Failed(_) => None,
    }
}

impl Difference {
    /// The difference between the last two of `runs` that counted accounts, the newest first; none where there are not
    /// two.
    pub fn of(runs: &[PastRun], now: Timestamp) -> Option<Self> {
        let mut counts = runs.iter().filter_map(counted);
        let ((last, latest, accounts), (before, earlier, accounts_before)) = (counts.next()?, counts.next()?);
        let mut rows: Vec<Row> = classes(accounts_before)
            .into_iter()
            .zip(classes(accounts))
            .map(|((what, is_part, before), (.., now))| Row::of(what.to_owned(), is_part, Some(before), Some(now)))
            .collect();
        for measurement in &latest.measurements {
            let dimension = &measurement.dimension;
            let earlier = earlier.measurements.iter().find(|earlier| earlier.dimension == *dimension);
            let before = earlier.and_then(|earlier| value(&earlier.value));
            rows.push(Row::of(words::dimension(dimension), false, before, value(&measurement.value)));
        }
        let when = |at| When { at, now };
        Some(Self { counted: [when(before.at), when(last.at)], rows, dormancy_days: accounts.dormancy_days })
    }
}

fn value(measured: &Measured) -> Option<u64> {
    match measured {
        Measured::Value(value) => Some(*value),
        Measured::Failed(_) => None,
    }
}

/// The classes in the order of every page; they add up to the last.
fn classes(accounts: &AccountCounts) -> [(&'static str, bool, u64); 7] {
    [
        ("Counted", false, accounts.counted),
        ("of these dormant", true, accounts.dormant),
        ("Never signed in", false, accounts.never_signed_in),
        ("No access", false, accounts.no_access),
        ("Deactivated", false, accounts.deactivated),
        ("Service accounts", false, accounts.service_accounts),
        ("All accounts", false, accounts.total),
    ]
}

impl Row {
    fn of(what: String, is_part: bool, before: Option<u64>, now: Option<u64>) -> Self {
        let shown = |count: Option<u64>| count.map_or("–".to_owned(), number);
        let change = match (before, now) {
            (Some(before), Some(now)) if now > before => format!("+{}", number(now - before)),
            (Some(before), Some(now)) if now < before => format!("−{}", number(before - now)),
            (Some(_), Some(_)) => "0".to_owned(),
            _ => "–".to_owned(),
        };
        Self { what, is_part, before: shown(before), now: shown(now), change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_a_change_is_shown_with_its_sign() {
        let change = |before, now| Row::of(String::new(), false, before, now).change;
        assert_eq!(change(Some(4), Some(1504)), "+1,500");
        assert_eq!(change(Some(5), Some(4)), "−1");
        assert_eq!(change(Some(5), Some(5)), "0");
        assert_eq!(change(None, Some(5)), "–");
    }
}
