//! `GET /metrics` of a running central server (`g6`), the ready alerts on it, and the dashboard.

mod support;
#[path = "../../agent/tests/support/tool.rs"]
#[allow(dead_code, reason = "others look at other files")]
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use seatline_central::store::Fleet as _;
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_protocol::notices::Reminders;
use serde_json::{Value, json};
use support::{Central, agent};
use tool::{packaging, text, tool, tool_with_input};

/// The page as text, asked with the token.
fn page(central: &Central) -> String {
    let mut response = central.request("GET", "/metrics", None);
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    response.body_mut().read_to_string().expect("text")
}

/// The samples of a page: each name with its labels, and its value.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
        })
        .collect()
}

/// Reviews the fleet, as the server does by itself.
async fn review(central: &Central) {
    let store = SqlStore::sqlite(&central.dir().join(DATABASE_FILE)).expect("a store");
    let reviewed = store.review(&Reminders::default(), jiff::Timestamp::now(), 100).await.expect("reviewed");
    assert!(reviewed.failed.is_empty());
}

/// A server with a wiki that is forked, and one that never reported.
async fn forked() -> Central {
    let central = Central::started();
    let mut wiki = central.linked("Company wiki", 1);
    let mut copy = wiki.clone();
    let sealed = wiki.report(7);
    assert_eq!(wiki.send(&central, &[sealed]).receipts.len(), 1);
    let other = copy.report(8);
    assert_eq!(copy.refused(&central, &[other]), ["fork"]);
    central.application("Idle");
    review(&central).await;
    central
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_the_metrics_tell_what_came_and_how_the_fleet_stands() {
    let central = forked().await;
    let page = page(&central);
    let samples = samples(&page);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} is not in {page}"));
    assert_eq!(value("seatline_central_exchanges_total{result=\"answered\"}"), 3.0, "a join and two reports");
    assert_eq!(value("seatline_central_exchanges_total{result=\"unavailable\"}"), 0.0);
    assert_eq!(value("seatline_central_receipts_total"), 1.0);
    assert_eq!(value("seatline_central_refusals_total{code=\"fork\"}"), 1.0);
    assert!(value("seatline_central_exchange_seconds_total") > 0.0);
    assert!(value("seatline_central_store_writes_total") >= 3.0);
    assert!(value("seatline_central_store_write_seconds_total") > 0.0);
    assert_eq!(value("seatline_central_store_write_failures_total"), 0.0);
    assert!(value("seatline_central_store_writes_waiting") <= 1.0, "the note that the token was used, at the most");
    assert_eq!(value("seatline_central_fleet_readable"), 1.0);
    assert_eq!(value("seatline_central_applications{use=\"production\"}"), 2.0);
    assert_eq!(value("seatline_central_applications{use=\"staging\"}"), 0.0);
    assert_eq!(value("seatline_central_users{use=\"production\"}"), 7.0);
    assert_eq!(value("seatline_central_applications_by_concern{use=\"production\",concern=\"fork\"}"), 1.0);
    assert_eq!(value("seatline_central_applications_by_concern{use=\"production\",concern=\"not-linked\"}"), 1.0);
    assert_eq!(value("seatline_central_applications_by_gravity{use=\"production\",gravity=\"problem\"}"), 1.0);
    assert_eq!(value("seatline_central_review_behind_seconds"), 0.0);
    assert_eq!(value("seatline_central_build_info{version=\"0.1.0\"}"), 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    let malformed = agent().post(format!("{}/link/v1/exchange", central.url())).send("[]").expect("answered");
    assert_eq!(malformed.status(), 400);
    assert_eq!(self::samples(&self::page(&central))["seatline_central_exchanges_total{result=\"malformed\"}"], 1.0);
}

#[test]
fn g6_the_metrics_are_for_whoever_carries_a_token_unless_they_are_open() {
    let mut central = Central::started();
    let stranger = |central: &Central, path: &str| {
        agent().get(format!("{}{path}", central.url())).call().expect("answered").status().as_u16()
    };
    assert_eq!(stranger(&central, "/metrics"), 401);
    central.end();
    central.start_with(&["--open-metrics"]);
    assert_eq!(stranger(&central, "/metrics"), 200);
    assert_eq!(stranger(&central, "/api/v1/server"), 401, "nothing else is open");
    let too_many = central.run(&["serve", "--metrics-applications", "201"]);
    assert_eq!(too_many.status.code(), Some(2));
}

/// Every name of a metric of ours that stands in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("seatline_central_")).collect()
}

/// The names that the source gives.
fn given() -> BTreeSet<&'static str> {
    named(include_str!("../src/metrics/families.rs"))
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_the_page_the_alerts_and_the_dashboard_are_as_prometheus_and_grafana_want_them() {
    let central = forked().await;
    let page = page(&central);
    let checked = tool_with_input("prometheus", Command::new("promtool").args(["check", "metrics"]), &page);
    assert!(checked.status.success() && text(&checked).is_empty(), "{}\n{page}", text(&checked));
    for arguments in
        [["check", "rules", "seatline-central.rules.yml"], ["test", "rules", "seatline-central.rules.test.yml"]]
    {
        let mut promtool = Command::new("promtool");
        let checked = tool("prometheus", promtool.args(arguments).current_dir(packaging("prometheus")));
        assert!(checked.status.success(), "{arguments:?}: {}", text(&checked));
    }
    // A rule or a panel about a metric that nobody has would be silent for ever.
    let rules = std::fs::read_to_string(packaging("prometheus/seatline-central.rules.yml")).expect("the rules");
    let dashboard = std::fs::read_to_string(packaging("grafana/seatline.json")).expect("the dashboard");
    for text in [&rules, &dashboard] {
        let unknown: Vec<_> = named(text).into_iter().filter(|name| !given().contains(name)).collect();
        assert!(!named(text).is_empty() && unknown.is_empty(), "{unknown:?}");
    }
    assert!(named(&page).iter().all(|name| given().contains(name)), "the page has what the source gives");
}

#[test]
fn g6_every_panel_of_the_dashboard_asks_something_that_prometheus_understands() {
    let dashboard = std::fs::read_to_string(packaging("grafana/seatline.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() >= 10);
    let (mut places, mut rules) = (BTreeSet::new(), Vec::new());
    for panel in panels {
        assert!(panel["title"].is_string() && panel["description"].is_string(), "{panel}");
        assert!(places.insert(panel["gridPos"].to_string()), "two panels have one place: {panel}");
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression").replace("$job", "seatline-central");
            rules.push(json!({ "record": format!("panel_{}", rules.len()), "expr": expression }));
        }
    }
    // JSON is YAML as well.
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("panels.yml");
    std::fs::write(&path, json!({ "groups": [{ "name": "panels", "rules": rules }] }).to_string()).expect("written");
    let checked = tool("prometheus", Command::new("promtool").args(["check", "rules"]).arg(&path));
    assert!(checked.status.success(), "{}", text(&checked));
}

#[test]
fn g6_every_metric_is_documented_and_every_documented_one_is_there() {
    let page = include_str!("../../docs/operations.md");
    let lines = page.lines().filter(|line| line.starts_with("| `seatline_central_"));
    let documented: BTreeSet<&str> = lines.flat_map(|line| line.split('`').nth(1)?.split('{').next()).collect();
    assert_eq!(documented, given());
}
