use jiff::Timestamp;
use proptest::prelude::*;
use seatline_protocol::{Dimension, LinkId, ProductId, Sequence};

use super::*;
use crate::domain::forecast::Forecast;
use crate::domain::{Application, ApplicationId};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn users(count: u64) -> Facts {
    let of = Use { used: Some(count), max: Some(500) };
    Facts { classes: None, dimensions: [(Dimension::users(), of)].into() }
}

fn run(begin: &str, before: Option<&str>, facts: Option<Facts>) -> Run {
    Run { at: at(begin), before_at: before.map(at), facts }
}

fn application() -> Application {
    Application {
        id: ApplicationId::from_random([1; 12]),
        name: "Company wiki".parse().expect("a name"),
        product: "acme-wiki".parse::<ProductId>().expect("a product id"),
        url: None,
        created_at: Timestamp::UNIX_EPOCH,
        link: Some(LinkId::from_random([1; 24])),
    }
}

/// Runs, folded as the store folds them.
fn folded(runs: &[Run], length: SpanLength) -> Vec<(Timestamp, Span)> {
    let mut spans: std::collections::BTreeMap<Timestamp, Span> = Default::default();
    for (n, run) in runs.iter().enumerate() {
        let (begin, before) = (length.begin(run.at), n.checked_sub(1).map(|n| &runs[n]));
        if let Some(part) = Span::of(run, before, begin, patience(3600)) {
            let whole = spans.remove(&begin).unwrap_or_default().with(&part);
            spans.insert(begin, whole);
        }
    }
    spans.into_iter().collect()
}

fn kept(runs: &[Run], until: &str) -> Kept {
    Kept {
        days: folded(runs, SpanLength::Day),
        months: folded(runs, SpanLength::Month),
        ever: folded(runs, SpanLength::Ever).pop().map(|(_, span)| span),
        until: Some(at(until)),
    }
}

/// The periods of users in short: from, until, lowest, last, highest.
fn told(history: &History) -> Vec<(String, String, [u64; 3])> {
    let short = |at: Timestamp| at.to_string().replace("2026-", "").replace(":00Z", "");
    let periods = history.dimensions.first().map(|users| users.periods.as_slice()).unwrap_or_default();
    periods.iter().map(|one| (short(one.from), short(one.until), [one.low, one.count, one.high])).collect()
}

#[test]
fn g8_a_count_lasts_until_the_next_one_and_the_last_until_the_latest_report() {
    let runs = [
        run("2026-11-01T06:00:00Z", None, Some(users(400))),
        run("2026-11-03T12:00:00Z", Some("2026-11-03T11:00:00Z"), Some(users(420))),
        run("2026-11-03T18:00:00Z", Some("2026-11-03T17:00:00Z"), Some(users(410))),
    ];
    let kept = kept(&runs, "2026-11-05T08:00:00Z");
    let history = History::of(application(), Range::Month, &[kept], at("2026-11-05T09:00:00Z"));
    let expected = [
        ("11-01T00:00", "11-02T00:00", [400, 400, 400]),
        ("11-02T00:00", "11-03T00:00", [400, 400, 400]),
        ("11-03T00:00", "11-04T00:00", [400, 410, 420]),
        ("11-04T00:00", "11-05T08:00", [410, 410, 410]),
    ];
    assert_eq!(told(&history), expected.map(|(from, until, counts)| (from.to_owned(), until.to_owned(), counts)));
    let users = &history.dimensions[0];
    assert_eq!(users.highest, Some(Peak { count: 420, at: at("2026-11-03T12:00:00Z") }));
    assert!(matches!(users.forecast, Forecast::NotEnough { days: 5, .. }), "{:?}", users.forecast);
}

#[test]
fn g8_a_silence_is_a_hole_and_not_a_line() {
    let runs = [
        run("2026-11-01T00:00:00Z", None, Some(users(400))),
        // Silent since the second, and then the same as before.
        run("2026-11-10T12:00:00Z", Some("2026-11-02T06:00:00Z"), Some(users(400))),
        // Runs without counts, for longer than a restart takes.
        run("2026-11-11T00:00:00Z", Some("2026-11-10T23:00:00Z"), None),
        run("2026-11-14T00:00:00Z", Some("2026-11-13T23:00:00Z"), Some(users(410))),
    ];
    let history =
        History::of(application(), Range::Month, &[kept(&runs, "2026-11-14T05:00:00Z")], at("2026-11-15T00:00:00Z"));
    let times: Vec<_> = told(&history).into_iter().map(|(from, until, _)| (from, until)).collect();
    let expected = [
        ("11-01T00:00", "11-02T00:00"),
        ("11-02T00:00", "11-02T06:00"),
        ("11-10T12:00", "11-10T23:00"),
        ("11-14T00:00", "11-14T05:00"),
    ];
    assert_eq!(times, expected.map(|(from, until)| (from.to_owned(), until.to_owned())));
}

#[test]
fn g8_a_silence_within_a_month_hides_none_of_what_was_counted_in_it() {
    let runs = [
        run("2026-09-14T00:00:00Z", None, Some(users(400))),
        run("2026-10-02T00:00:00Z", Some("2026-10-01T23:00:00Z"), Some(users(420))),
        run("2026-10-29T00:00:00Z", Some("2026-10-24T00:00:00Z"), Some(users(450))),
        run("2026-11-02T00:00:00Z", Some("2026-11-01T23:00:00Z"), Some(users(460))),
    ];
    let history =
        History::of(application(), Range::All, &[kept(&runs, "2026-11-03T00:00:00Z")], at("2026-11-03T01:00:00Z"));
    let expected = [
        ("09-01T00:00", "10-01T00:00", [400, 400, 400]),
        ("10-01T00:00", "11-01T00:00", [400, 450, 450]),
        ("11-01T00:00", "11-03T00:00", [450, 460, 460]),
    ];
    assert_eq!(told(&history), expected.map(|(from, until, counts)| (from.to_owned(), until.to_owned(), counts)));
}

#[test]
fn g8_the_history_goes_on_over_a_new_link() {
    let old = kept(&[run("2026-11-01T00:00:00Z", None, Some(users(400)))], "2026-11-09T00:00:00Z");
    let new = kept(&[run("2026-11-05T00:00:00Z", None, Some(users(300)))], "2026-11-07T00:00:00Z");
    let history = History::of(application(), Range::All, &[old.clone(), new.clone()], at("2026-11-08T00:00:00Z"));
    assert_eq!(history.dimensions[0].highest.map(|peak| peak.count), Some(400));
    let history = History::of(application(), Range::Month, &[old, new], at("2026-11-08T00:00:00Z"));
    let counts: Vec<_> = told(&history).into_iter().map(|(from, _, counts)| (from, counts[1])).collect();
    let expected = [("11-01T00:00", 400), ("11-02T00:00", 400), ("11-05T00:00", 300), ("11-06T00:00", 300)];
    assert_eq!(counts, expected.map(|(from, count)| (from.to_owned(), count)));
}

fn side(sequence: u64, classes: Option<[u64; 8]>, licenses: &[(&str, &str)]) -> Side {
    let license = |(id, status): &(&str, &str)| LicenseFacts {
        id: id.parse().expect("a license id"),
        edition: None,
        status: serde_json::from_value((*status).into()).expect("a status"),
    };
    Side {
        sequence: Sequence::try_from(sequence).expect("a sequence number"),
        observed_at: Timestamp::UNIX_EPOCH,
        facts: classes.map(|classes| Facts { classes: Some(classes.into()), ..users(classes[1]) }),
        licenses: Some(licenses.iter().map(license).collect()),
    }
}

#[test]
fn b7_the_difference_of_two_reports_adds_up_by_class() {
    let before = side(3, Some([100, 80, 10, 5, 5, 0, 10, 90]), &[("L-1", "active"), ("L-2", "active")]);
    let after = side(9, Some([110, 85, 20, 5, 8, 0, 12, 90]), &[("L-2", "expired"), ("L-3", "active")]);
    let difference = Difference::between(after.clone(), before.clone());
    assert_eq!(difference, Difference::between(before, after), "the earlier one is the earlier one");
    let of = |class: &str| {
        let found = difference.classes.iter().find(|change| change.class == class).expect("a class").accounts;
        (found.after.expect("counted") - found.before.expect("counted"), found.after)
    };
    assert_eq!(of("total"), (10, Some(110)));
    let parts = ["counted", "never_signed_in", "no_access", "deactivated", "service_accounts"];
    assert_eq!(parts.iter().map(|class| of(class).0).sum::<u64>(), 10);
    let ids = |licenses: &[LicenseFacts]| licenses.iter().map(|license| license.id.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&difference.licenses_gained), ids(&difference.licenses_lost)),
        (vec!["L-3".into()], vec!["L-1".into()])
    );
    assert_eq!(difference.licenses_changed.len(), 1);
    assert_eq!(difference.seats_that_could_be_freed, Some(20));
}

#[test]
fn b7_a_report_without_counts_has_no_zeros() {
    let difference = Difference::between(side(1, None, &[]), side(2, Some([5, 5, 0, 0, 0, 0, 0, 90]), &[]));
    assert!(difference.classes.iter().all(|change| change.accounts.before.is_none()), "{:?}", difference.classes);
    assert_eq!(difference.dimensions[0].used, Change { before: None, after: Some(5) });
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let one = (1i64..200_000, 0i64..90_000, prop::option::weighted(0.9, 0u64..1000));
    prop::collection::vec(one, 1..40).prop_map(|steps| {
        let mut now = 1_790_000_000;
        let mut runs: Vec<Run> = Vec::new();
        for (lasts, silent, count) in steps {
            let before_at = (!runs.is_empty()).then(|| Timestamp::from_second(now + lasts).expect("a time"));
            now += lasts + silent + 1;
            let at = Timestamp::from_second(now).expect("a time");
            runs.push(Run { at, before_at, facts: count.map(users) });
        }
        runs
    })
}

proptest! {
    #[test]
    fn g8_spans_are_the_same_in_whatever_order_and_how_often_runs_are_folded(runs in runs(), order in any::<u64>()) {
        for length in SpanLength::ALL {
            let parts: Vec<Span> = runs.iter().enumerate().filter_map(|(n, run)| {
                Span::of(run, n.checked_sub(1).map(|n| &runs[n]), SpanLength::Ever.begin(run.at), patience(3600))
            }).collect();
            let straight = parts.iter().fold(Span::default(), |whole, part| whole.with(part));
            let cut = (order as usize) % (parts.len() + 1);
            let turned = parts[cut..].iter().chain(&parts[..cut]).chain(&parts);
            prop_assert_eq!(turned.fold(Span::default(), |whole, part| whole.with(part)), straight, "{:?}", length);
        }
    }

    #[test]
    fn g8_the_highest_ever_is_the_highest_of_all_runs_and_of_all_days(runs in runs()) {
        let highest = runs.iter().filter_map(|run| run.facts.as_ref()?.dimensions.get(&Dimension::users())?.used).max();
        let of = |length| folded(&runs, length).iter()
            .filter_map(|(_, span)| span.series.get(&Dimension::users())).map(|series| series.high).max();
        for length in SpanLength::ALL {
            prop_assert_eq!(of(length), highest);
        }
    }

    #[test]
    fn g8_periods_follow_one_another_and_none_overlaps(runs in runs(), now in 0i64..20_000_000) {
        let until = runs.last().expect("one at least").at;
        let kept = Kept { until: Some(until), ..kept(&runs, "2026-11-05T08:00:00Z") };
        let now = Timestamp::from_second(1_790_000_000 + now).expect("a time");
        for range in Range::ALL {
            let history = History::of(application(), range, std::slice::from_ref(&kept), now);
            for dimension in &history.dimensions {
                prop_assert!(dimension.periods.windows(2).all(|pair| pair[0].until <= pair[1].from), "{:?}", dimension.periods);
                prop_assert!(dimension.periods.iter().all(|one| one.from < one.until && one.low <= one.count && one.count <= one.high));
            }
        }
    }

    #[test]
    fn what_is_stored_reads_back(runs in runs()) {
        for (_, span) in folded(&runs, SpanLength::Day) {
            let text = serde_json::to_string(&span).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Span>(&text).expect("a span"), span);
        }
    }
}

/// Facts of so many dimensions, of which the first has this number.
fn many(first: usize, count: usize) -> Facts {
    let of = |n: usize| (format!("d{n:05}").parse::<Dimension>().expect("a name"), Use { used: Some(1), max: None });
    let mut facts = Facts { classes: None, dimensions: (first..first + count).map(of).collect() };
    facts.dimensions.insert(Dimension::users(), Use { used: Some(7), max: None });
    facts
}

#[test]
fn a_product_that_makes_up_dimensions_lets_no_span_grow_for_ever() {
    let begin = at("2026-03-01T00:00:00Z");
    let run = |n: usize| Run {
        at: begin + SignedDuration::from_secs(n as i64),
        before_at: None,
        facts: Some(many((97 * n) % 64 * 64, 64)),
    };
    let parts: Vec<Span> =
        (0..64).map(|n| Span::of(&run(n), None, begin, SignedDuration::MAX).expect("it was counted")).collect();
    let whole = parts.iter().fold(Span::default(), |whole, part| whole.with(part));
    assert_eq!(whole.series.len(), MAX_SERIES);
    let users = whole.series.get(&Dimension::users()).expect("the users stay");
    assert_eq!(users.last_at, begin + SignedDuration::from_secs(63));
    let backwards = parts.iter().rev().fold(Span::default(), |whole, part| part.clone().with(&whole));
    assert_eq!(whole, backwards, "in whatever order");
    let halves = [&parts[..32], &parts[32..]].map(|half| half.iter().fold(Span::default(), |sum, part| sum.with(part)));
    assert_eq!(whole, halves[1].clone().with(&halves[0]).with(&parts[5]), "and twice without harm");
}
