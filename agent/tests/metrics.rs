//! `GET /metrics` of a running agent, held against what its commands show, and against Prometheus' own tools.

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use support::agent::Agent;
use support::api::Api;
use support::http::get;
use support::running::Running;
use support::tool::{packaging, text, tool, tool_with_input};

/// The samples of a page: each name with its labels, and its value.
struct Samples(BTreeMap<String, f64>);

impl Samples {
    fn of(api: &Api) -> Self {
        let answer = api.get("/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Self::parse(&answer.body)
    }

    fn parse(page: &str) -> Self {
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
        };
        Self(samples.map(sample).collect())
    }

    fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("{name} is not among {:#?}", self.0))
    }

    fn has(&self, name: &str) -> bool {
        self.0.keys().any(|found| found == name || found.starts_with(&format!("{name}{{")))
    }
}

#[test]
fn g6_the_metrics_say_what_the_commands_say() {
    let api = Api::start();
    let key = api.agent.issue(&[
        "--kind",
        "commercial",
        "--id",
        "L-1",
        "--limit",
        "users=3+1",
        "--limit",
        "pages=100",
        "--expires",
        "2090-01-01",
        "--maintenance-until",
        "2089-01-01",
    ]);
    api.agent.run(&["license", "set", &key]).ok();
    assert_eq!(api.post("/v1/sync", &serde_json::json!({})).status, 202);
    let ran_twice = Instant::now();
    let samples = loop {
        let samples = Samples::of(&api);
        if samples.value("seatline_plugin_runs_total") == 2.0 {
            break samples;
        }
        assert!(ran_twice.elapsed() < Duration::from_secs(60), "it did not run again");
    };
    let status = api.agent.run(&["status", "--json"]).json();
    assert_eq!(status["standing"]["verdict"], "attention", "four of three, and one tolerated");
    assert_eq!(samples.value("seatline_verdict{verdict=\"attention\"}"), 1.0);
    assert_eq!(samples.value("seatline_verdict{verdict=\"licensed\"}"), 0.0);
    for reason in status["standing"]["reasons"].as_array().expect("reasons") {
        let code = reason["code"].as_str().expect("a code");
        assert_eq!(samples.value(&format!("seatline_reasons{{code=\"{code}\"}}")), 1.0);
    }
    for limit in status["standing"]["limits"].as_array().expect("limits") {
        let labels = format!("{{product=\"acme-wiki\",dimension={}}}", limit["dimension"]);
        for (name, field) in [("used", "used"), ("max", "max"), ("extra", "extra")] {
            let value = samples.value(&format!("seatline_limit_{name}{labels}"));
            assert_eq!(Some(value), limit[field].as_f64(), "{name} of {limit}");
        }
    }
    let days = samples.value("seatline_license_expiry_seconds{license=\"L-1\",product=\"acme-wiki\"}") / 86400.0;
    assert!((20_000.0..30_000.0).contains(&days), "{days} days");
    let more = samples.value("seatline_license_maintenance_end_seconds{license=\"L-1\",product=\"acme-wiki\"}");
    assert!((365.0..=366.0).contains(&(days - more / 86400.0)));
    let run = &status["last_run"];
    assert_eq!(samples.value("seatline_last_run_success"), 1.0);
    assert_eq!(Some(samples.value("seatline_last_run_duration_seconds") * 1e3), run["took_ms"].as_f64());
    let at: jiff::Timestamp = run["at"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(samples.value("seatline_last_run_timestamp_seconds"), at.as_millisecond() as f64 / 1e3);
    assert_eq!(samples.value("seatline_counted_timestamp_seconds"), at.as_millisecond() as f64 / 1e3);
    assert_eq!(samples.value("seatline_accounts{class=\"counted\"}"), 4.0);
    assert_eq!(samples.value("seatline_accounts{class=\"deactivated\"}"), 2.0);
    assert_eq!(samples.value("seatline_dimension_used{dimension=\"pages\"}"), 17.0);
    assert_eq!(samples.value("seatline_plugin_run_failures_total"), 0.0);
    assert_eq!(samples.value("seatline_link_state{state=\"absent\"}"), 1.0);
    assert_eq!(samples.value("seatline_interval_seconds"), 3600.0);
    assert_eq!(samples.value("seatline_state_readable"), 1.0);
    assert_eq!(samples.value("seatline_build_info{version=\"0.1.0\"}"), 1.0);
    assert!(samples.value("process_resident_memory_bytes") > 1e6);
}

#[test]
fn g6_a_license_whose_place_another_took_is_gone_from_the_metrics() {
    let api = Api::start();
    let set = |options: &[&str]| {
        let key = api.agent.issue(&[&["--kind", "commercial", "--expires", "2090-01-01"], options].concat());
        assert_eq!(api.post("/v1/licenses", &serde_json::json!({ "key": key })).status, 200);
    };
    set(&["--id", "OLD"]);
    let expiry = |id: &str| format!("seatline_license_expiry_seconds{{license=\"{id}\",product=\"acme-wiki\"}}");
    assert!(Samples::of(&api).has(&expiry("OLD")));
    set(&["--id", "NEW", "--replaces", "OLD"]);
    let samples = Samples::of(&api);
    assert!(samples.has(&expiry("NEW")) && !samples.has(&expiry("OLD")));
}

#[test]
fn g6_reports_and_exchanges_are_counted_also_where_central_is_not_there() {
    let mut api = Api::start();
    let central = support::central::Central::new();
    api.agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
    api.running.until("what waits stays in the outbox");
    let samples = Samples::of(&api);
    assert_eq!(samples.value("seatline_exchange_attempts_total"), 1.0);
    assert_eq!(samples.value("seatline_exchange_failures_total"), 1.0);
    assert!(samples.value("seatline_exchange_failures_in_a_row") >= 1.0, "the command has tried as well");
    assert_eq!(samples.value("seatline_link_state{state=\"joining\"}"), 1.0);
    assert!(!samples.has("seatline_last_exchange_timestamp_seconds"), "it never succeeded");
    let answer = serde_json::to_string(&central.approval(&api.agent)).expect("JSON");
    std::fs::write(api.agent.path("answer.json"), answer).expect("the answer");
    api.agent.run(&["report", "import-receipts", api.agent.path("answer.json").to_str().expect("a path")]).ok();
    api.running.until("collected");
    let samples = Samples::of(&api);
    assert_eq!(samples.value("seatline_link_state{state=\"approved\"}"), 1.0);
    assert_eq!(samples.value("seatline_outbox_reports"), 1.0);
    assert_eq!(samples.value("seatline_outbox_capacity_reports"), 1000.0);
    assert_eq!(samples.value("seatline_outbox_full"), 0.0);
    let made = samples.value("seatline_last_report_timestamp_seconds");
    assert_eq!(made, samples.value("seatline_outbox_oldest_timestamp_seconds"));
    let receipts = serde_json::to_string(&central.receipts(&api.agent.waiting())).expect("JSON");
    std::fs::write(api.agent.path("answer.json"), receipts).expect("the answer");
    api.agent.run(&["report", "import-receipts", api.agent.path("answer.json").to_str().expect("a path")]).ok();
    let samples = Samples::of(&api);
    assert_eq!(samples.value("seatline_outbox_reports"), 0.0);
    assert_eq!(samples.value("seatline_last_report_timestamp_seconds"), made, "also of a report that has left");
    assert!(samples.value("seatline_last_receipt_timestamp_seconds") >= made.floor());

    assert_eq!(samples.value("seatline_held_reports"), 0.0);
    assert!(!samples.has("seatline_held_oldest_timestamp_seconds"), "none waits");
    api.agent.run(&["report", "hold", "on"]).ok();
    api.agent.run(&["sync"]);
    let samples = Samples::of(&api);
    assert_eq!(samples.value("seatline_held_reports"), 1.0);
    assert_eq!(samples.value("seatline_held_capacity_reports"), 200.0);
    assert_eq!(samples.value("seatline_held_full"), 0.0);
    assert!(samples.value("seatline_held_oldest_timestamp_seconds") > made);
}

#[test]
fn g6_a_state_that_cannot_be_read_is_told_and_what_was_known_stays() {
    let api = Api::start();
    assert_eq!(Samples::of(&api).value("seatline_state_readable"), 1.0);
    std::fs::write(api.agent.path("state/last-run.json"), "rubbish").expect("damage");
    let begun = Instant::now();
    let samples = loop {
        let samples = Samples::of(&api);
        if samples.value("seatline_state_readable") == 0.0 && !samples.has("seatline_outbox_reports") {
            break samples;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not told");
    };
    assert_eq!(samples.value("seatline_verdict{verdict=\"unlicensed\"}"), 1.0);
    assert_eq!(samples.value("seatline_plugin_runs_total"), 1.0);
}

#[test]
fn the_metrics_are_for_whoever_carries_a_token_unless_they_are_open() {
    let api = Api::start();
    assert_eq!(get(&api.address, "/metrics").refused(401), "unauthorised");
    assert_eq!(api.send(&api.reader, "POST", "/metrics", None).refused(405), "method-not-allowed");
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n[http]\nmetrics = 'open'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    let answer = get(&address, "/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(Samples::parse(&answer.body).has("seatline_verdict"));
    assert_eq!(get(&address, "/v1/standing").refused(401), "unauthorised", "nothing else is open");
    agent.reconfigure("'open'", "'everybody'");
    let line = agent.run(&["status"]).refused("config-value");
    assert!(line.contains("`http.metrics` is `token`"), "{line}");
}

#[test]
fn the_page_and_the_alerts_are_as_prometheus_wants_them() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--limit", "users=3", "--expires", "2090-01-01"]);
    api.agent.run(&["license", "set", &key]).ok();
    let page = api.get("/metrics").body;
    let checked = tool_with_input("prometheus", Command::new("promtool").args(["check", "metrics"]), &page);
    assert!(checked.status.success() && text(&checked).is_empty(), "{}\n{page}", text(&checked));
    let rules = packaging("prometheus/seatline.rules.yml");
    for arguments in [["check", "rules", "seatline.rules.yml"], ["test", "rules", "seatline.rules.test.yml"]] {
        let mut promtool = Command::new("promtool");
        let checked = tool("prometheus", promtool.args(arguments).current_dir(packaging("prometheus")));
        assert!(checked.status.success(), "{arguments:?}: {}", text(&checked));
    }
    // A rule about a metric that nobody has would be silent for ever.
    let rules = std::fs::read_to_string(rules).expect("the rules");
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    for expression in named {
        for name in expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let optional = name == "seatline_reasons" || name.ends_with("_oldest_timestamp_seconds");
            assert!(!name.starts_with("seatline_") || optional || Samples::parse(&page).has(name), "{name}");
        }
    }
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_there() {
    let source = include_str!("../src/metrics/families.rs");
    let names: Vec<&str> = source.split('"').filter(|text| text.starts_with("seatline_")).collect();
    let page = include_str!("../../docs/operations.md");
    let documented: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next()).collect();
    for name in &names {
        assert!(documented.contains(name), "{name} is not documented");
    }
    let own = |name: &&&str| name.starts_with("seatline_") && !name.starts_with("seatline_central_");
    for name in documented.iter().filter(own) {
        assert!(names.contains(name), "{name} is documented, and not there");
    }
}
