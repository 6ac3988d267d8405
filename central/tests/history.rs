//! The history of use over the API and the pages, from reports that came over the network (`g8`, `b7`, `b11`).

mod support;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use support::product::counts;
use support::{Central, Product};

/// A product that has reported for so many days, once a day, of users that `users` gives for the days that are left.
fn reported(central: &Central, days: i64, users: impl Fn(i64) -> u64) -> Product {
    let mut product = central.linked_long_ago("Company wiki", 1);
    let mut sealed = Vec::new();
    for left in (0..days).rev() {
        let mut report = product.draft(counts(users(left)));
        report.observed_at = Timestamp::now() - SignedDuration::from_hours(24 * left);
        sealed.push(product.seal(&report));
        product.sealed.push(sealed[sealed.len() - 1].clone());
    }
    for reports in sealed.chunks(32) {
        let refused = product.take(&product.clone().send(central, reports));
        assert_eq!(refused, []);
    }
    product
}

fn application(central: &Central) -> String {
    central.api("/api/v1/applications")["items"][0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn g8_the_history_of_a_product_is_read_and_exported() {
    let central = Central::started();
    reported(&central, 60, |left| 400 - 3 * u64::try_from(left).expect("small"));
    let id = application(&central);
    let history = central.api(&format!("/api/v1/applications/{id}/history?range=90"));
    let users = &history["dimensions"][0];
    assert_eq!((&users["dimension"], &users["highest"]["count"]), (&"users".into(), &400.into()));
    let counts = users["periods"].as_array().expect("periods").iter().map(|period| period["count"].as_u64());
    let counts: Vec<u64> = counts.map(|count| count.expect("a count")).collect();
    assert_eq!((counts.first(), counts.last()), (Some(&(400 - 3 * 59)), Some(&400)));
    assert!(counts.is_sorted(), "{counts:?}");
    let growth = users["forecast"]["growth_in_30_days"]["likely"].as_f64().expect("a forecast");
    assert!((growth - 90.0).abs() < 1.0, "{growth}");
    assert_eq!(
        history["classes"].as_array().and_then(|all| all.last()).map(|last| &last["dormant"]),
        Some(&200.into())
    );

    let csv = central.text(&format!("/api/v1/applications/{id}/history.csv"));
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "day,dimension,lowest,highest,last,limit,link");
    let of_users: Vec<&&str> = lines.iter().filter(|line| line.contains(",users,")).collect();
    assert_eq!(of_users.len(), 60);
    assert!(
        of_users[59].contains(",users,397,400,400,,") || of_users[59].contains(",users,400,400,400,,"),
        "{of_users:?}"
    );
    let json = central.api(&format!("/api/v1/applications/{id}/history.json"));
    assert_eq!(json.as_array().map(Vec::len), Some(lines.len() - 2), "as many lines as the other form has");
    assert_eq!(json[0]["dimension"], "users");
}

#[test]
fn b7_the_difference_between_two_reports_is_told_by_class() {
    let central = Central::started();
    let product = reported(&central, 5, |left| if left > 2 { 100 } else { 120 });
    let path = format!("/api/v1/links/{}/difference", product.link.expect("linked"));
    let difference = central.api(&format!("{path}?from=1&to=5"));
    let class = |name: &str| -> Value {
        let classes = difference["classes"].as_array().expect("classes");
        classes.iter().find(|class| class["class"] == name).cloned().unwrap_or_default()
    };
    assert_eq!((&class("counted")["before"], &class("counted")["after"]), (&100.into(), &120.into()));
    assert_eq!(difference["seats_that_could_be_freed"], 60);
    let same = central.api(&format!("{path}?from=1&to=2"));
    assert_eq!(same["dimensions"][0]["used"], serde_json::json!({ "before": 100, "after": 100 }));
    for (query, status) in [("from=1&to=6", 404), ("from=0&to=2", 400), ("from=1", 400)] {
        assert_eq!(central.request("GET", &format!("{path}?{query}"), None).status(), status, "{query}");
    }
}

#[test]
fn g8_an_unchanged_report_costs_less_than_60_bytes_of_history() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed: Vec<String> = (0..1000).map(|_| product.report(40)).collect();
    for reports in sealed.chunks(50) {
        assert_eq!(product.send(&central, reports).receipts.len(), reports.len());
    }
    let file = rusqlite::Connection::open(central.dir().join("central.db")).expect("the database");
    let query = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(query("SELECT COUNT(*) FROM reports"), 1000);
    assert_eq!(query("SELECT COUNT(*) FROM history_runs WHERE track = 'counts'"), 1);
    let bytes = query("SELECT SUM(pgsize) FROM dbstat WHERE name LIKE 'history%'");
    assert!(bytes <= 60 * 1000, "{bytes} bytes of history for 1,000 reports");
}
