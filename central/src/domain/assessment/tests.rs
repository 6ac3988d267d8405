//! What an application comes to, and that it stays so until the moment that is named.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use seatline_protocol::notices::{Reminders, Step};
use seatline_protocol::report::{Failure, Outcome};
use seatline_protocol::{Collected, Digest, Dimension, Kind, License, Limit, Observed, Sequence, standing};

use super::{Assessment, Gravity};
use crate::domain::quota::{Bound, Met};
use crate::domain::sample::{self, product};
use crate::domain::{Application, Chain, Latest, Licenses, Link, LinkSettings, ReportAt, millis};

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + day * 86_400).expect("a second of this century")
}

/// A license for 100 users, and 10 more that are tolerated.
fn license(id: &str, begins: i64, ends: Option<i64>) -> License {
    let mut license = sample::license(id, 100, at(begins), ends.map(at));
    (license.limits[0].extra, license.not_before) = (10, Some(at(begins)));
    license
}

fn link() -> Link {
    sample::link(at(0))
}

fn application() -> Application {
    Application { link: Some(link().id), ..sample::application(1, at(0)) }
}

fn collected(users: u64, licenses: &[License], now: Timestamp) -> Outcome {
    sample::licensed(users, licenses, now)
}

fn reported(outcome: Outcome, at: Timestamp) -> ReportAt {
    let report = sample::report(link().id, Sequence::FIRST, None, at, outcome);
    ReportAt { received_at: millis(at), digest: Digest::of(b"sealed"), report, repeats: None }
}

/// What is known at a time of an application that reported at another.
fn assessed(link: &Link, newest: Option<&ReportAt>, now: Timestamp) -> Assessment {
    let latest = newest.map(|newest| Latest {
        collected: newest.collected().is_some().then(|| newest.clone()),
        newest: newest.clone(),
    });
    let view = Licenses::of(application(), Some(link), latest.as_ref(), Vec::new(), now);
    Assessment::of(&view, &Reminders::default())
}

/// The codes with their steps, of an application that reported a moment ago.
fn found(users: u64, licenses: &[License], day: i64) -> Vec<(String, Step)> {
    let newest = reported(collected(users, licenses, at(day)), at(day));
    let concerns = assessed(&link(), Some(&newest), at(day)).concerns;
    concerns.into_iter().map(|concern| (concern.code, concern.step)).collect()
}

fn code(code: &str, step: Step) -> (String, Step) {
    (code.to_owned(), step)
}

#[test]
fn w5_an_application_that_is_well_has_nothing_to_look_at() {
    assert_eq!(found(50, &[license("L-1", 0, Some(1000))], 1), []);
}

#[test]
fn s6_a_limit_goes_from_near_to_passed() {
    let of = |users| found(users, &[license("L-1", 0, None)], 1);
    assert_eq!(of(89), []);
    assert_eq!(of(90), [code("limit", Step::Threshold(90))]);
    assert_eq!(of(101), [code("limit", Step::Passed)]);
    assert_eq!(of(111), [code("limit", Step::Over)]);
}

#[test]
fn s5_a_license_is_told_of_two_months_and_one_before_its_end_and_after_it() {
    let one = [license("L-1", 0, Some(100))];
    assert_eq!(found(1, &one, 39), []);
    assert_eq!(found(1, &one, 40), [code("expiry", Step::Days(60))]);
    assert_eq!(found(1, &one, 70), [code("expiry", Step::Days(30))]);
    assert_eq!(found(1, &one, 100), [code("expiry", Step::Ended)]);
    let graceful = [License { grace_days: 10, ..one[0].clone() }];
    assert_eq!(found(1, &graceful, 100), [code("expiry", Step::InGrace)]);
    assert_eq!(found(1, &graceful, 110), [code("expiry", Step::Ended)]);
}

#[test]
fn s5_a_license_that_ends_while_nothing_is_heard_has_ended() {
    let newest = reported(collected(1, &[license("L-1", 0, Some(100))], at(1)), at(1));
    let later = assessed(&link(), Some(&newest), at(100));
    let codes: Vec<&str> = later.concerns.iter().map(|concern| concern.code.as_str()).collect();
    assert_eq!(codes, ["expiry", "overdue", "verdict-outdated"]);
    assert_eq!(later.gravity(), Some(Gravity::Problem));
}

#[test]
fn c10_a_license_that_another_follows_ends_without_a_word() {
    let followed = [license("L-1", 0, Some(100)), license("L-2", 90, Some(500))];
    assert_eq!(found(1, &followed, 99), []);
    let newest = reported(collected(1, &followed, at(50)), at(50));
    let assessment = assessed(&link(), Some(&newest), at(50));
    assert_eq!(assessment.ends.iter().map(|end| end.followed).collect::<Vec<_>>(), [true, false]);
    assert_eq!(assessment.ends_at(), Some(at(500)));
    let gap = [license("L-1", 0, Some(100)), license("L-2", 101, Some(500))];
    assert_eq!(found(1, &gap, 99), [code("expiry", Step::Days(30))]);
}

#[test]
fn c6_maintenance_that_has_ended_is_a_note() {
    let maintained = License { maintenance_until: Some(at(100)), ..license("L-1", 0, None) };
    assert_eq!(found(1, std::slice::from_ref(&maintained), 75), [code("maintenance", Step::Days(30))]);
    let newest = reported(collected(1, &[maintained], at(100)), at(100));
    let assessment = assessed(&link(), Some(&newest), at(100));
    assert_eq!((assessment.concerns[0].step, assessment.gravity()), (Step::Ended, Some(Gravity::Note)));
    assert_eq!(assessment.ends_at(), None, "the license itself goes on");
}

#[test]
fn w5_no_license_at_all_is_a_problem() {
    assert_eq!(found(1, &[], 1), [code("unlicensed", Step::Ended)]);
}

#[test]
fn w5_a_link_that_never_reported_becomes_a_warning_after_two_intervals() {
    let silent = Link { chain: Chain::default(), ..link() };
    let two_hours = at(0) + SignedDuration::from_hours(2);
    let before = assessed(&silent, None, two_hours);
    assert_eq!(before.gravity(), Some(Gravity::Note));
    let moment = before.changes_at().expect("it will");
    assert_eq!(moment, two_hours + SignedDuration::from_millis(1));
    assert_eq!(assessed(&silent, None, moment).gravity(), Some(Gravity::Warning));
}

#[test]
fn the_tightest_limit_stands_first() {
    let limit = |name: &str, max| Limit {
        dimension: name.parse().expect("a dimension"),
        max: Some(max),
        ..license("L-1", 0, None).limits[0].clone()
    };
    let licensed = License { limits: vec![limit("users", 100), limit("nodes", 1)], ..license("L-1", 0, None) };
    let mut observed = Observed::new(product().id, product().server_id);
    observed.counts = [(Dimension::users(), 40), (Dimension::nodes(), 1)].into();
    let standing = Some(standing(&[licensed], &observed, at(1)));
    let outcome = Outcome::Collected(Box::new(Collected { standing, ..Collected::default() }));
    let assessment = assessed(&link(), Some(&reported(outcome, at(1))), at(1));
    let shares: Vec<_> = assessment.consumption.iter().map(|one| (one.dimension.as_str(), one.share())).collect();
    assert_eq!(shares, [("nodes", Some(1000)), ("users", Some(400))]);
    assert_eq!(assessment.share(), Some(1000));
    assert_eq!(assessment.concerns, [], "nodes at their limit are in order");
}

prop_compose! {
    fn some_license()(
        id in 0..3u8,
        begins in -200..200i64,
        length in prop::option::of(1..300i64),
        grace in prop::sample::select(vec![0u16, 5, 40]),
        maintenance in prop::option::of(-50..300i64),
        trial in any::<bool>(),
        odd in 0..1_000_000_000i64,
    ) -> License {
        // Documents have times below a millisecond; rows have not.
        let shifted = |day: i64| at(day) + SignedDuration::from_nanos(odd);
        License {
            grace_days: grace,
            expires: length.map(|days| shifted(begins + days)),
            maintenance_until: maintenance.map(|days| shifted(begins + days)),
            kind: if trial { Kind::Evaluation } else { Kind::Commercial },
            ..license(&format!("L-{id}"), begins, None)
        }
    }
}

proptest! {
    #[test]
    fn nothing_changes_before_the_moment_that_is_named(
        licenses in prop::collection::vec(some_license(), 0..4),
        users in 0..130u64,
        report_day in 0..100i64,
        wait in 0..40_000_000i64,
        interval in 60..1_000_000u32,
        kind in 0..3u8,
        portion in 0.0..1.0f64,
        met in prop::option::of(0..40_000_000i64),
    ) {
        let met = met.map(|second| at(report_day) + SignedDuration::from_secs(second));
        let met = met.map(|since| Met { bound: Bound::OverQuota, since, last_at: since });
        let settings = LinkSettings { interval, ..LinkSettings::initial(at(0)) };
        let link = Link { settings, met: met.into_iter().collect(), ..link() };
        let newest = match kind {
            0 => None,
            1 => {
                let failure = Failure { code: "accounts".to_owned(), message: "the database is locked".to_owned() };
                Some(reported(Outcome::Failed(failure), at(report_day)))
            }
            _ => Some(reported(collected(users, &licenses, at(report_day)), at(report_day))),
        };
        let now = at(report_day) + SignedDuration::from_secs(wait);
        let before = assessed(&link, newest.as_ref(), now);
        let Some(moment) = before.changes_at() else {
            let late = assessed(&link, newest.as_ref(), at(100_000));
            prop_assert_eq!(before, late, "nothing ever changes");
            return Ok(());
        };
        prop_assert!(moment > now && moment == millis(moment));
        let last = moment - SignedDuration::from_millis(1);
        let between = now + SignedDuration::from_millis(((last.duration_since(now)).as_millis() as f64 * portion) as i64);
        for time in [between, last] {
            prop_assert_eq!(&assessed(&link, newest.as_ref(), time), &before, "at {}", time);
        }
        prop_assert_ne!(assessed(&link, newest.as_ref(), moment), before, "there is a reason to look again");
    }
}
