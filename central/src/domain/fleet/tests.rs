//! What follows from a row.

use seatline_protocol::standing::{Ends, LimitState};
use seatline_protocol::{Dimension, Kind};

use super::*;
use crate::domain::assessment::{Concern, Consumption};
use seatline_protocol::notices::Step;

/// A row of an application that is well.
pub(crate) fn row(n: u8, name: &str) -> FleetRow {
    FleetRow {
        application: ApplicationId::from_random([n; 12]),
        name: name.parse().expect("a name"),
        product: "acme-wiki".parse().expect("a product id"),
        labels: Labels::default(),
        link: None,
        assessment: Assessment {
            concerns: Vec::new(),
            verdict: None,
            staging: false,
            consumption: Vec::new(),
            ends: Vec::new(),
            overdue_at: None,
            turns_at: None,
            seen: None,
        },
    }
}

fn used(dimension: &str, used: u64, max: Option<u64>) -> Consumption {
    let dimension: Dimension = dimension.parse().expect("a dimension");
    Consumption { add_on: None, dimension, used: Some(used), max, extra: 0, state: LimitState::Within }
}

fn concern(code: &str, gravity: Gravity) -> Concern {
    Concern {
        code: code.to_owned(),
        subject: String::new(),
        step: Step::Holds,
        gravity,
        since: None,
        message: "it is so".to_owned(),
    }
}

#[test]
fn a_search_finds_words_by_their_beginning() {
    let mut found = row(1, "Wiki of the Sales-Department");
    found.labels = Labels::parse("Köln", "critical").expect("labels");
    let finds = |text: &str| FleetFilter { search: FleetFilter::searched(text), ..Default::default() }.matches(&found);
    for text in ["wiki", "WIK", "sal dep", "acme", "kö", "crit wiki", "", "  ", "depart, of"] {
        assert!(finds(text), "{text}");
    }
    for text in ["iki", "wiki tracker", "ölnn"] {
        assert!(!finds(text), "{text}");
    }
}

#[test]
fn a_filter_wants_what_stands_in_all_its_lists() {
    let mut warned = row(1, "Wiki");
    warned.assessment.concerns = vec![concern("limit", Gravity::Warning)];
    let wanted = |filter: FleetFilter| {
        let facets = warned.facets();
        assert_eq!(filter.matches(&warned), filter.facets().iter().all(|facet| facets.contains(facet)));
        filter.matches(&warned)
    };
    let filter = FleetFilter::default;
    assert!(wanted(filter()));
    assert!(wanted(FleetFilter { at_least: Some(Gravity::Note), ..filter() }));
    assert!(wanted(FleetFilter { at_least: Some(Gravity::Warning), concern: Some("limit".into()), ..filter() }));
    assert!(!wanted(FleetFilter { at_least: Some(Gravity::Problem), ..filter() }));
    assert!(!wanted(FleetFilter { concern: Some("expiry".into()), ..filter() }));
    assert!(!wanted(FleetFilter { used_for: Some(Use::Staging), ..filter() }));
    assert!(!wanted(FleetFilter { product: "acme-chat".parse().ok(), ..filter() }));
}

#[test]
fn s3_what_staging_uses_is_summed_apart() {
    let mut production = row(1, "Wiki");
    production.assessment.consumption = vec![used("users", 40, Some(100)), used("spaces", 7, None)];
    let mut staging = production.clone();
    staging.assessment.staging = true;
    let users = |sums: &Sums, of| sums.totals.get(&(of, Facet::all(), "users".to_owned())).copied();
    let expected = Sum { applications: 1, used: 40, used_of_limit: 40, max: 100, limited: 1 };
    assert_eq!(users(&Sums::of(&production), Use::Production), Some(expected));
    assert_eq!(users(&Sums::of(&production), Use::Staging), None);
    assert_eq!(users(&Sums::of(&staging), Use::Production), None);
    assert_eq!(users(&Sums::of(&staging), Use::Staging), Some(expected));
    assert_eq!(expected.share(), Some(400));
}

#[test]
fn what_changes_in_the_sums_is_the_difference_of_two_rows() {
    let mut before = row(1, "Wiki");
    before.assessment.consumption = vec![used("users", 40, Some(100))];
    before.labels = Labels::parse("Sales", "").expect("labels");
    let mut after = before.clone();
    assert_eq!(Sums::of(&after).since(&Sums::of(&before)), Sums::default(), "nothing changed");
    after.assessment.consumption = vec![used("users", 45, Some(100))];
    after.labels = Labels::default();
    let change = Sums::of(&after).since(&Sums::of(&before));
    let all = change.totals[&(Use::Production, Facet::all(), "users".to_owned())];
    assert_eq!((all.applications, all.used, all.max), (0, 5, 0));
    let group = Facet::group(&"Sales".parse().expect("a group"));
    assert_eq!(change.totals[&(Use::Production, group.clone(), String::new())].applications, -1);
    assert_eq!(change.totals[&(Use::Production, group, "users".to_owned())].max, -100);
}

#[test]
fn counts_beyond_any_measure_do_not_overflow_a_sum() {
    let mut greedy = row(1, "Wiki");
    greedy.assessment.consumption = vec![used("users", (1 << 53) - 1, Some(u64::MAX))];
    let sums = Sums::of(&greedy);
    let sum = sums.totals[&(Use::Production, Facet::all(), "users".to_owned())];
    assert!(sum.used.checked_mul(1_000_000).is_some() && sum.max.checked_mul(1_000_000).is_some());
}

#[test]
fn the_months_hold_the_ends_that_matter() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let end = |license: &str, day: &str, followed, ends| End {
        license: license.parse().expect("a license id"),
        product: "acme-wiki".parse().expect("a product id"),
        kind: Kind::Commercial,
        ends,
        at: at(day),
        followed,
    };
    let mut row = row(1, "Wiki");
    row.assessment.ends = vec![
        end("L-1", "2027-01-31T23:59:59Z", true, Ends::License),
        end("L-2", "2027-01-31T23:59:59Z", false, Ends::License),
        end("L-2", "2027-01-01T00:00:00Z", false, Ends::Maintenance),
    ];
    let months = Sums::of(&row).months;
    assert_eq!(months.get(&(Use::Production, Facet::all(), "2027-01".to_owned())), Some(&1));
    assert_eq!(months.len(), 2, "of all, and of the product: {months:?}");
}
