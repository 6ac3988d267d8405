//! Licenses: what each grants, to whom, until when, and what it comes to.

use jiff::Timestamp;
use seatline_protocol::standing::Status;
use seatline_ui::{Badge, Prose, When, format};

use crate::domain::Licenses;
use crate::domain::licenses::{Ends, LicenseRow};
use crate::pages::words;

/// How many features are listed at once; the rest unfolds.
const FEATURES_SHOWN: usize = 12;

/// A license as it is shown.
pub(super) struct LicenseCard {
    pub(super) id: String,
    pub(super) status: Badge,
    /// Whether it is the one whose limits hold now.
    pub(super) governs: bool,
    pub(super) time_left: Option<String>,
    pub(super) reason: Option<Prose>,
    pub(super) facts: Vec<(&'static str, Fact)>,
    pub(super) features: Vec<String>,
    pub(super) more_features: Vec<String>,
}

/// What a license says of one thing.
pub(super) enum Fact {
    Text(String),
    Time(When),
}

/// The licenses that say something now, and the replaced ones, which are history (`c10`).
pub(super) fn cards(view: &Licenses) -> (Vec<LicenseCard>, Vec<LicenseCard>) {
    let Some(counted) = &view.counted else { return Default::default() };
    let (history, present): (Vec<_>, Vec<_>) =
        counted.licenses.iter().partition(|license| license.standing.status == Status::Replaced);
    let card = |license: &LicenseRow| {
        LicenseCard::of(license, counted.governed_by.as_ref() == Some(&license.standing.id), view)
    };
    (present.into_iter().map(card).collect(), history.into_iter().map(card).collect())
}

impl LicenseCard {
    fn of(row: &LicenseRow, governs: bool, view: &Licenses) -> Self {
        let license = &row.standing;
        let time = |at: Timestamp| Fact::Time(When { at, now: view.as_of });
        let limits = license.limits.iter().map(|limit| match limit.max {
            Some(max) => format!("{} {}", format::number(max), limit.dimension),
            None => format!("{}: no limit", limit.dimension),
        });
        let limits: Vec<String> = limits.collect();
        let product = match &license.add_on_of {
            Some(extended) => format!("{}, an add-on of {extended}", license.product),
            None => license.product.to_string(),
        };
        let mut facts = vec![
            ("Licensee", Fact::Text(license.licensee.clone())),
            ("Kind", Fact::Text(words::kind(license.kind).to_owned())),
            ("Product", Fact::Text(product)),
        ];
        facts.extend(license.edition.clone().map(|edition| ("Edition", Fact::Text(edition))));
        facts.push(("Limits", Fact::Text(if limits.is_empty() { "none".to_owned() } else { limits.join(", ") })));
        facts.push(("Begins", Fact::Text(format::date_time(license.begins))));
        facts.push(("Expires", license.expires.map_or(Fact::Text("never (perpetual)".to_owned()), time)));
        facts.extend(
            license.grace_ends.filter(|ends| Some(*ends) != license.expires).map(|at| ("Grace ends", time(at))),
        );
        facts.extend(license.maintenance_until.map(|at| ("Maintenance until", time(at))));
        let mut features: Vec<String> = license.features.iter().cloned().collect();
        let more_features = features.split_off(features.len().min(FEATURES_SHOWN));
        Self {
            id: license.id.to_string(),
            status: words::status(license.status),
            governs,
            time_left: row.time_left.map(|left| time_left(left.ends, left.days)),
            reason: license.reason.as_deref().map(Prose::sentence),
            facts,
            features,
            more_features,
        }
    }
}

/// `312 days left`, `ended 3 days ago`: of the license itself, or of its maintenance (`c6`).
fn time_left(ends: Ends, days: i64) -> String {
    let what = match ends {
        Ends::License => "",
        Ends::Maintenance => " of maintenance",
    };
    let count = |days: i64| format::counted(days.unsigned_abs(), "day", "days");
    match (days, ends) {
        (0, _) => format!("less than a day{what} left"),
        (1.., _) => format!("{}{what} left", count(days)),
        // Whole days are counted downwards: what ended an hour ago has -1.
        (-1, Ends::License) => "ended less than a day ago".to_owned(),
        (-1, Ends::Maintenance) => "maintenance ended less than a day ago".to_owned(),
        (_, Ends::License) => format!("ended {} ago", count(days + 1)),
        (_, Ends::Maintenance) => format!("maintenance ended {} ago", count(days + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_says_of_what() {
        assert_eq!(time_left(Ends::License, 312), "312 days left");
        assert_eq!(time_left(Ends::Maintenance, 1), "1 day of maintenance left");
        assert_eq!(time_left(Ends::License, 0), "less than a day left");
        assert_eq!(time_left(Ends::License, -1), "ended less than a day ago");
        assert_eq!(time_left(Ends::Maintenance, -3), "maintenance ended 2 days ago");
    }
}
