//! The History tab and the difference of two reports, in the states that matter.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::{Dimension, SecretKey};
use seatline_ui::audit;

use super::stories::Browser;
use super::world::{application, at, dimension, now, rows, sequence, view_of};
use super::{HOSTILE, license, whole};
use crate::domain::history::{
    Classes, Difference, Facts, History, Kept, LicenseFacts, Range, Run, Side, Span, SpanLength, Use, patience,
};
use crate::pages::frame::{Head, Place};
use crate::pages::history::{DifferencePage, HistoryTab};

fn facts(users: u64, dormant: u64) -> Facts {
    let of = |used, max| Use { used: Some(used), max };
    Facts {
        classes: Some(Classes::from([users + 300, users, dormant, 180, 80, 0, 40, 90])),
        dimensions: [(Dimension::users(), of(users, Some(5000))), (dimension("spaces"), of(310, None))].into(),
    }
}

/// A wiki that grows by some ten users a day, was silent for six days, and was counted last an hour ago.
fn kept(days: i64) -> Kept {
    let mut runs: Vec<Run> = Vec::new();
    for day in (0..=days).rev().filter(|day| !(30..36).contains(day)) {
        let at = now() - SignedDuration::from_hours(24 * day + 1);
        let before_at = runs.last().map(|before| before.at + SignedDuration::from_hours(23));
        let users = 4180_u64.saturating_sub(u64::try_from(day * 10 + (day * 7) % 13).expect("small"));
        runs.push(Run { at, before_at, facts: Some(facts(users, 310 + u64::try_from(day % 5).expect("small"))) });
    }
    let folded = |length: SpanLength| {
        let mut spans: std::collections::BTreeMap<Timestamp, Span> = Default::default();
        for (n, run) in runs.iter().enumerate() {
            let (begin, before) = (length.begin(run.at), n.checked_sub(1).map(|n| &runs[n]));
            if let Some(part) = Span::of(run, before, begin, patience(3600)) {
                let whole = spans.remove(&begin).unwrap_or_default().with(&part);
                spans.insert(begin, whole);
            }
        }
        spans.into_iter().collect::<Vec<_>>()
    };
    Kept {
        days: folded(SpanLength::Day),
        months: folded(SpanLength::Month),
        ever: folded(SpanLength::Ever).pop().map(|(_, span)| span),
        until: runs.last().map(|run| run.at),
    }
}

fn side(number: u64, facts: Option<Facts>, licenses: &[(&str, &str)]) -> Side {
    let license = |(id, status): &(&str, &str)| LicenseFacts {
        id: id.parse().expect("a license id"),
        edition: Some("Data Center".to_owned()),
        status: serde_json::from_value((*status).into()).expect("a status"),
    };
    Side {
        sequence: sequence(number),
        observed_at: at("2026-11-22T01:00:00Z"),
        facts,
        licenses: Some(licenses.iter().map(license).collect()),
    }
}

fn history(range: Range, days: i64) -> String {
    headed(Place::History, &HistoryTab::new(&History::of(application(), range, &[kept(days)], now())).to_string())
}

fn headed(place: Place, body: &str) -> String {
    format!("{}\n{body}", Head::new(&view_of(4180, &[license()]), place))
}

fn difference(before: Side, after: Side) -> String {
    let difference = Difference::between(before, after);
    let page = DifferencePage::new(&difference, &rows(None), "/applications/a1".to_owned());
    headed(Place::Reports, &page.to_string())
}

fn changed() -> String {
    let before = side(120, Some(facts(4100, 300)), &[("L-1", "active"), ("L-2", "active")]);
    difference(before, side(128, Some(facts(4180, 310)), &[("L-2", "expired"), ("L-3", "active")]))
}

pub(super) fn gallery() -> Vec<(&'static str, String)> {
    let nothing = History::of(application(), Range::Quarter, &[], now());
    vec![
        ("history", history(Range::Month, 60)),
        ("history_too_short", history(Range::All, 8)),
        ("history_nothing", headed(Place::History, &HistoryTab::new(&nothing).to_string())),
        ("difference", changed()),
        ("difference_of_a_failed_run", difference(side(127, None, &[]), side(128, Some(facts(4180, 0)), &[]))),
    ]
}

#[test]
fn b11_the_history_names_the_method_and_the_band_of_its_forecast() {
    let page = history(Range::Quarter, 180);
    let words = [
        "Growing over its limit",
        "at the earliest",
        "at the latest",
        "Theil–Sen",
        "Of a hundred counts about 90",
        "band of 90 %",
    ];
    let missing: Vec<&&str> = words.iter().filter(|words| !page.contains(**words)).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "{page}");
    assert!(history(Range::Month, 8).contains("not yet: 9 days with a count"), "too little to go by is said");
}

#[test]
fn g8_a_history_of_years_is_a_page_of_the_same_size() {
    let sizes = [400, 3000].map(|days| history(Range::All, days).len());
    assert!(sizes[1] < 2 * sizes[0], "{sizes:?}");
    let year = history(Range::Year, 3000).len();
    assert!(year < 400_000, "{year} bytes");
}

#[test]
fn b7_the_difference_shows_dormant_seats_and_licenses() {
    let page = changed();
    for words in [
        "310 seats could be freed",
        "+80",
        "<strong>Gained</strong>: L-3",
        "<strong>Lost</strong>: L-1",
        "expired, before: active",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn b7_the_first_report_is_held_against_nothing_and_every_other_one_against_that_before_it() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[7; 32]);
    let link = browser.link(&key, Some(&application)).await;
    for (number, users) in [(1, 4150), (3, 4180)] {
        browser.numbered_report(&link, &key, number, users).await;
    }
    let difference = async |asked: &str| {
        let answer = browser.get(&format!("/applications/{}/difference?{asked}", application.id)).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked}: {}", answer.body);
        assert_eq!(audit::findings(&answer.body), Vec::<String>::new());
        answer.body
    };
    let first = difference("to=1").await;
    assert!(first.contains("it is the first report that is stored of this link"), "{first}");
    assert!(!first.contains("Accounts by class") && first.contains("Show what changed"), "{first}");
    for asked in ["to=3", "from=1&to=3"] {
        let later = difference(asked).await;
        assert!(later.contains("+30") && !later.contains("it is the first"), "{asked}, over a gap: {later}");
    }
    let missing = browser.get(&format!("/applications/{}/difference?to=2", application.id)).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[test]
fn hostile_text_in_the_history_stays_text() {
    let mut hostile = side(1, Some(facts(1, 1)), &[("L-1", "active")]);
    hostile.licenses.iter_mut().flatten().for_each(|license| license.edition = Some(HOSTILE.to_owned()));
    let page = difference(side(2, Some(facts(1, 1)), &[]), hostile);
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert_eq!(audit::findings(&whole(&page)), Vec::<String>::new());
}
