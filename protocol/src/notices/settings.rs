//! What an administrator sets about reminders.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Dimension;
use crate::standing::{EVALUATION_NOTICE_DAYS, EXPIRY_NOTICE_DAYS};

/// The hundredths of a limit from which on it is near, where an administrator has set nothing: as in a standing.
pub const DEFAULT_THRESHOLD: u8 = 90;
/// The most days before an end: a year.
const MAX_DAYS: u16 = 366;
/// The most reminders of one end.
const MAX_REMINDERS: usize = 8;
/// The most thresholds.
const MAX_THRESHOLDS: usize = 256;

/// When administrators are reminded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Reminders {
    /// How many days before a license expires (`s5`: two months, and one).
    pub expiry_days: Vec<u16>,
    /// How many days before its maintenance ends.
    pub maintenance_days: Vec<u16>,
    /// How many days before an evaluation ends.
    pub evaluation_days: Vec<u16>,
    /// From how many hundredths of its limit on a dimension is told of (`s4`, `s6`).
    pub thresholds: BTreeMap<Dimension, u8>,
    /// For how many synchronisation intervals counting or reporting must have failed before it is told.
    pub patience: u8,
}

impl Default for Reminders {
    fn default() -> Self {
        let months = [EXPIRY_NOTICE_DAYS, EXPIRY_NOTICE_DAYS / 2].map(|days| days as u16);
        Self {
            expiry_days: months.to_vec(),
            maintenance_days: months.to_vec(),
            evaluation_days: vec![EVALUATION_NOTICE_DAYS as u16],
            thresholds: BTreeMap::new(),
            patience: 3,
        }
    }
}

impl Reminders {
    /// The threshold on a dimension in hundredths of its limit. Nodes have none unless one is set: a cluster that runs
    /// all its licensed nodes is in order.
    pub fn threshold(&self, dimension: &Dimension) -> Option<u8> {
        let by_default = (*dimension != Dimension::nodes()).then_some(DEFAULT_THRESHOLD);
        self.thresholds.get(dimension).copied().or(by_default)
    }

    /// The rules for what somebody has set.
    ///
    /// # Errors
    /// One line that names the field and its rule.
    pub fn check(&self) -> Result<(), String> {
        let lists = [
            ("expiry_days", &self.expiry_days),
            ("maintenance_days", &self.maintenance_days),
            ("evaluation_days", &self.evaluation_days),
        ];
        for (name, days) in lists {
            let is_apart = days.iter().enumerate().all(|(at, day)| !days[..at].contains(day));
            if days.len() > MAX_REMINDERS || !is_apart || !days.iter().all(|day| (1..=MAX_DAYS).contains(day)) {
                return Err(format!(
                    "{name} must be at most {MAX_REMINDERS} different numbers of days from 1 to {MAX_DAYS}"
                ));
            }
        }
        if self.thresholds.len() > MAX_THRESHOLDS
            || !self.thresholds.values().all(|percent| (1..=100).contains(percent))
        {
            return Err(format!(
                "thresholds must be at most {MAX_THRESHOLDS}, each from 1 to 100 hundredths of a limit"
            ));
        }
        if self.patience == 0 {
            return Err("patience must be from 1 to 255 intervals".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_the_reminders_are_two_months_and_one_month_before_unless_somebody_sets_others() {
        let reminders = Reminders::default();
        assert_eq!((&reminders.expiry_days[..], &reminders.evaluation_days[..]), (&[60, 30][..], &[7][..]));
        assert_eq!(reminders.check(), Ok(()));
        assert_eq!(reminders.threshold(&Dimension::users()), Some(DEFAULT_THRESHOLD));
        assert_eq!(reminders.threshold(&Dimension::nodes()), None);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_by_name() {
        type Break = fn(&mut Reminders);
        let broken: [(Break, &str); 7] = [
            (|it| it.expiry_days = vec![0], "expiry_days"),
            (|it| it.expiry_days = vec![30, 30], "expiry_days"),
            (|it| it.maintenance_days = vec![367], "maintenance_days"),
            (|it| it.evaluation_days = (1..10).collect(), "evaluation_days"),
            (|it| it.thresholds = [(Dimension::users(), 101)].into(), "thresholds"),
            (|it| it.thresholds = thresholds(MAX_THRESHOLDS + 1), "thresholds"),
            (|it| it.patience = 0, "patience"),
        ];
        for (break_it, name) in broken {
            let mut reminders = Reminders::default();
            break_it(&mut reminders);
            let refusal = reminders.check().expect_err(name);
            assert!(refusal.starts_with(name), "{refusal}");
        }
        let none = Reminders { expiry_days: Vec::new(), ..Reminders::default() };
        assert_eq!(none.check(), Ok(()), "who wants no reminder gets none");
        let most = Reminders {
            expiry_days: (MAX_DAYS - 7..=MAX_DAYS).collect(),
            thresholds: thresholds(MAX_THRESHOLDS),
            ..Reminders::default()
        };
        assert_eq!(most.check(), Ok(()));
    }

    fn thresholds(count: usize) -> BTreeMap<Dimension, u8> {
        (0..count).map(|n| (format!("d{n}").parse().expect("a dimension"), 80)).collect()
    }
}
