//! A machine whose clock is wrong: receipts hold a floor under it (`b2`), the administrator is told, and nothing that
//! was reported is lost once it is right again.

use jiff::{SignedDuration, Timestamp};
use seatline_tests::{Agent, Central, Vendor};
use serde_json::Value;

/// A linked agent whose license holds for a year, with its link at the central server.
fn reporting(central: &Central) -> (Agent, String) {
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    let in_a_year = (Timestamp::now() + SignedDuration::from_hours(24 * 365)).strftime("%Y-%m-%d").to_string();
    agent.run(&["license", "set", &vendor.license(100, &["--expires", &in_a_year])]).ok();
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
    agent.run(&["sync"]).ok();
    (agent, link)
}

/// What the doctor says of the clock, as `condition code`.
fn clock(doctor: &Value) -> Vec<String> {
    let findings = doctor["findings"].as_array().expect("findings").iter();
    let about = findings.filter(|finding| finding["check"] == "clock");
    about
        .map(|it| format!("{} {}", it["condition"].as_str().expect("text"), it["code"].as_str().unwrap_or("-")))
        .collect()
}

#[test]
fn b2_a_clock_that_is_set_back_does_not_bring_time_back() {
    let central = Central::start();
    let (agent, link) = reporting(&central);
    let license = |agent: &Agent| agent.run_at("-500d", &["license", "show", "--json"]).json();
    let shown = license(&agent);
    assert_eq!(
        shown["standing"]["verdict"], "licensed",
        "the license of today holds, though the clock is before its day: {shown}"
    );
    let status = agent.run_at("-3d", &["status", "--json"]).json();
    let behind = status["clock_behind"].as_u64().expect("it is told");
    assert!((3 * 86_400 - 600..=3 * 86_400).contains(&behind), "{behind}");
    assert!(agent.run_at("-3d", &["status"]).ok().contains("behind the time that a receipt has proven"));
    let doctor = agent.run_at("-3d", &["doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    assert_eq!(clock(&doctor), ["bad clock-behind", "bad clock-differs"]);

    agent.run_at("-3d", &["sync"]).ok();
    agent.run(&["sync"]).ok();
    assert_eq!(central.reports(&link).len(), 3, "reports go on meanwhile");
    assert_eq!(
        central.licenses()["troubles"].as_array().map(Vec::len),
        Some(0),
        "and the chain is whole: {}",
        central.licenses()
    );
}

#[test]
fn a_clock_far_ahead_ends_licenses_and_costs_the_reports_of_that_time_alone() {
    let central = Central::start();
    let (agent, link) = reporting(&central);
    let ahead = "+400d";
    assert_eq!(agent.run_at(ahead, &["license", "show", "--json"]).json()["standing"]["verdict"], "unlicensed");
    let line = agent.run_at(ahead, &["sync"]).refused("future-report");
    assert!(line.contains("more than a day ahead") && line.contains("set the product's clock"), "{line}");
    let doctor = agent.run_at(ahead, &["doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    assert_eq!(clock(&doctor), ["bad clock-differs"]);

    // The clock is set right.
    assert_eq!(
        agent.run(&["license", "show", "--json"]).json()["standing"]["verdict"],
        "licensed",
        "nothing has proven that time"
    );
    agent.run(&["sync"]).refused("future-report");
    agent.run(&["sync"]).ok();
    let status = agent.status();
    assert_eq!((&status["outbox"]["pending"], &status["exchange"]["problem"]), (&0.into(), &Value::Null), "{status}");
    let lost = &status["exchange"]["never_received"];
    assert_eq!((lost.as_array().map(Vec::len), &lost[0]["reports"]), (Some(1), &1.into()), "{status}");
    assert_eq!(lost[0]["reason"]["code"], "future-report");
    assert!(agent.run(&["status"]).ok().contains("1 report that will never be received"));
    let doctor = agent.run(&["doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    assert_eq!(clock(&doctor), ["good -"]);
    let sequences: Vec<u64> = central.reports(&link).into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, [1, 3, 4], "the second was never received, and the chain goes on");
}
