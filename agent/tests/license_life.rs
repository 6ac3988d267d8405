//! The life of licenses through the real binary: previews, renewals, add-ons, nodes, requests.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::agent::{Agent, seatline, vendor};
use support::api::Api;

/// An instance whose four counted users are known.
fn counted() -> Agent {
    let agent = Agent::new();
    agent.install_plugin();
    // Without a link nothing is sent, but everything is counted.
    agent.run(&["sync"]);
    agent
}

/// Adds these nodes to seatline.toml.
fn run_on(agent: &Agent, nodes: &str) {
    agent.reconfigure("version = \"4.2.0\"", &format!("version = \"4.2.0\"\nnodes = {nodes}"));
}

fn standing(agent: &Agent) -> Value {
    agent.run(&["license", "show", "--json"]).json()["standing"].take()
}

#[test]
fn c9_a_license_for_fewer_users_is_previewed_with_what_happens_and_nothing_is_changed() {
    let agent = counted();
    let key = agent.issue(&["--kind", "commercial", "--id", "BIG", "--limit", "users=9:restrict", "--feature", "sso"]);
    agent.run(&["license", "set", &key]).ok();
    let small =
        agent.issue(&["--kind", "academic", "--id", "SMALL", "--limit", "users=3:restrict", "--feature", "sso"]);
    let preview = agent.run(&["license", "preview", &small, "--json"]).json();
    let codes: Vec<&str> =
        preview["warnings"].as_array().expect("warnings").iter().filter_map(|w| w["code"].as_str()).collect();
    assert_eq!(codes, ["below-count", "features-lost", "kind-changes"]);
    assert_eq!((&preview["limits"][0]["before"]["max"], &preview["limits"][0]["after"]["max"]), (&9.into(), &3.into()));
    assert_eq!(preview["limits"][0]["peak"]["count"], 4);
    assert_eq!(preview["features_lost"], serde_json::json!(["sso"]));

    let shown = agent.run(&["license", "preview", &small]).ok();
    let warning = "This license allows 3 users, and 4 are counted now. After saving, the licensed features stop until the \
                   count is down. Bring the count down by 1 first, or ask for a larger license.";
    assert!(shown.contains(warning) && shown.contains("licensed -> restricted"), "{shown}");
    assert_eq!(standing(&agent)["governed_by"], "BIG");
    agent.run(&["license", "set", &small]).ok();
    assert_eq!(standing(&agent), preview["after"]);
}

#[test]
fn b3_a_key_that_would_be_refused_is_previewed_with_its_reason() {
    let agent = Agent::new();
    let key = agent.issue(&["--kind", "commercial", "--server", "0000-0000-0000-0000-0000"]);
    let preview = agent.run(&["license", "preview", &key, "--json"]).json();
    assert_eq!(preview["refused"]["code"], "wrong-server");
    assert!(agent.run(&["license", "preview", &key]).ok().contains("it would be refused: "));
    agent.run(&["license", "preview", "hello"]).refused("not-a-document");
    assert_eq!(agent.run(&["license", "history", "--json"]).json()["keys"], serde_json::json!([]));
}

#[test]
fn c10_the_next_license_takes_over_at_its_time_in_a_process_that_goes_on() {
    let api = Api::start();
    let issue = |options: &[&str]| api.agent.issue(&[&["--kind", "commercial"], options].concat());
    api.agent.run(&["license", "set", &issue(&["--id", "L-1", "--feature", "old"])]).ok();
    let soon = (jiff::Timestamp::now() + Duration::from_secs(5)).to_string();
    let next = issue(&["--id", "L-2", "--feature", "new", "--replaces", "L-1", "--not-before", &soon]);
    api.agent.run(&["license", "set", &next]).ok();
    let enabled = |feature: &str| api.json(&format!("/v1/features/{feature}"))["enabled"] == true;
    let begun = Instant::now();
    while !enabled("new") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never takes over");
    }
    assert!(!enabled("old"));
    let history = api.agent.run(&["license", "history", "--json"]).json();
    let statuses: Vec<&Value> = history["keys"].as_array().expect("keys").iter().map(|key| &key["status"]).collect();
    assert_eq!(statuses, ["replaced", "active"]);
}

#[test]
fn p1_p4_an_add_on_has_a_license_of_its_own_and_names_what_it_needs() {
    let agent = counted();
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--id", "WIKI"])]).ok();
    let mail = agent.issue(&[
        "--product",
        "acme-mail",
        "--add-on-of",
        "acme-wiki",
        "--kind",
        "commercial",
        "--id",
        "MAIL",
        "--limit",
        "users=2:refuse",
        "--feature",
        "mail",
        "--support",
        "--prerequisite",
        "Example Base (Server)=paid",
        "--prerequisite",
        "Example Base (Foundation)=free",
    ]);
    let inspected = agent.run(&["license", "inspect", &mail]).ok();
    assert!(inspected.contains("Needs         Example Base (Foundation), free"), "{inspected}");
    agent.run(&["license", "set", &mail]).ok();
    let shown = agent.run(&["license", "show"]).ok();
    for line in ["Needs         Example Base (Server), paid", "acme-mail users  4     2   over"] {
        assert!(shown.contains(line), "no `{line}` in {shown}");
    }
    let standing = standing(&agent);
    assert_eq!((&standing["governed_by"], &standing["add_ons"][0]["governed_by"]), (&"WIKI".into(), &"MAIL".into()));
    assert_eq!(standing["reasons"][0]["add_on"], "acme-mail");
    assert_eq!(standing["support"], Value::Null, "that of the add-on is not the product's");
}

#[test]
fn p3_c8_a_node_without_a_license_is_named_and_gets_one() {
    let agent = Agent::new();
    run_on(&agent, "['node-1', 'node-2', 'node-3']");
    let by_node = |id: &str| agent.issue(&["--kind", "commercial", "--mode", "node", "--id", id]);
    agent.run(&["license", "set", &by_node("N-1"), "--node", "node-3"]).ok();
    agent.run(&["license", "set", &by_node("N-2")]).ok();
    let shown = agent.run(&["license", "show"]).ok();
    assert!(shown.contains("3 nodes run, licensed for acme-wiki: 2. Without a license: node-2."), "{shown}");
    let nodes = |standing: &Value| {
        let nodes = standing["nodes"].as_array().expect("nodes").iter();
        nodes.map(|node| node["license"].as_str().unwrap_or("none").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(nodes(&standing(&agent)), ["N-2", "none", "N-1"]);
    let preview = agent.run(&["license", "preview", &by_node("N-3"), "--node", "node-2", "--json"]).json();
    assert_eq!(nodes(&preview["after"]), ["N-2", "N-3", "N-1"]);
    agent.run(&["license", "set", &by_node("N-3"), "--node", "node-2"]).ok();
    assert_eq!(standing(&agent)["verdict"], "licensed");
    let history = agent.run(&["license", "history"]).ok();
    assert!(history.contains("N-1      active  node-3"), "{history}");
    agent.run(&["license", "set", &by_node("N-4"), "--node", ""]).refused("invalid-node");
}

#[test]
fn c6_an_evaluation_lasts_thirty_days_unless_it_says_otherwise() {
    let agent = Agent::new();
    let expires = |begins: &str, options: &[&str]| {
        let key = agent.issue(&[&["--kind", "evaluation", "--not-before", begins], options].concat());
        agent.run(&["license", "inspect", &key, "--json"]).json()["license"]["expires"].take()
    };
    assert_eq!(expires("2090-01-01", &[]), "2090-01-31T00:00:00Z");
    assert_eq!(expires("2090-01-01", &["--expires", "2090-02-01"]), "2090-02-01T00:00:00Z");
    assert!(expires("9999-12-30", &[]).is_string(), "there is no time beyond");
}

#[test]
fn s10_a_request_goes_to_the_vendor_and_is_answered_by_a_license_that_replaces_the_present_one() {
    let agent = counted();
    agent.reconfigure("version = \"4.2.0\"", "version = \"4.2.0\"\nedition = \"silver\"");
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--id", "OLD", "--limit", "users=4"])]).ok();
    let path = agent.path("request.json");
    let out = path.to_str().expect("a path");
    let text = agent.run(&["license", "request", "--out", out, "--wish", "six users, please"]).ok();
    let server_id = agent.server_id();
    for line in [
        "Version           4.2.0",
        "Edition           silver",
        "Counted           1 nodes, 17 pages, 4 users; users on ",
        "Present license   OLD (commercial), for Example Ltd, 4 users",
        "Its state         active, never expires",
        "Wish              six users, please",
        &server_id,
    ] {
        assert!(text.contains(line), "no `{line}` in {text}");
    }
    let secret = agent.path("vendor.secret");
    let answer = |options: &[&str]| {
        let fixed = ["license", "issue", "--key", secret.to_str().expect("a path"), "--request", out, "--json"];
        seatline(&[&fixed, options].concat())
    };
    let issued = answer(&["--kind", "commercial", "--limit", "users=6"]).json();
    let license = &issued["license"];
    assert_eq!(
        [&license["product"], &license["edition"], &license["licensee"], &license["servers"], &license["replaces"]],
        [
            &"acme-wiki".into(),
            &"silver".into(),
            &"Example Ltd".into(),
            &serde_json::json!([server_id.trim()]),
            &serde_json::json!(["OLD"])
        ]
    );
    agent.run(&["license", "set", issued["key"].as_str().expect("a key")]).ok();
    let standing = standing(&agent);
    assert_eq!((&standing["governed_by"], &standing["licenses"][1]["status"]), (&license["id"], &"replaced".into()));

    let given =
        ["--kind", "academic", "--licensee", "Other Ltd", "--edition", "gold", "--replaces", "X", "--any-server"];
    let given = answer(&given).json()["license"].take();
    assert_eq!(
        [&given["licensee"], &given["edition"], &given["replaces"], &given["servers"]],
        [&"Other Ltd".into(), &"gold".into(), &serde_json::json!(["X"]), &Value::Null]
    );
    let other = answer(&["--kind", "commercial", "--product", "acme-chat"]);
    assert!(other.refused("usage").contains("--licensee is needed"), "the request is for something else");
}

#[test]
fn s10_a_request_for_an_add_on_is_answered_by_a_license_of_the_add_on() {
    let agent = Agent::new();
    let path = agent.path("request.json");
    let out = path.to_str().expect("a path");
    let request = agent.run(&["license", "request", "--add-on", "acme-mail", "--out", out, "--json"]).json();
    assert_eq!((&request["add_on"], &request["replaces"]), (&"acme-mail".into(), &Value::Null));
    let key = agent.path("vendor.secret");
    std::fs::write(&key, vendor().to_paserk().as_bytes()).expect("the vendor's key");
    let issue = ["license", "issue", "--key", key.to_str().expect("a path"), "--kind", "commercial", "--json"];
    let answered = [&issue[..], &["--request", out, "--licensee", "Example Ltd"]].concat();
    let license = seatline(&answered).json()["license"].take();
    assert_eq!((&license["product"], &license["add_on_of"]), (&"acme-mail".into(), &"acme-wiki".into()));
    assert!(seatline(&[&issue[..], &["--request", out]].concat()).refused("usage").contains("--licensee is needed"));
}

#[test]
fn s10_a_vendor_is_told_what_is_wrong_with_a_request() {
    let agent = Agent::new();
    let key = agent.path("vendor.secret");
    std::fs::write(&key, vendor().to_paserk().as_bytes()).expect("the vendor's key");
    let path = agent.path("request.json");
    let answer = |content: &str| {
        std::fs::write(&path, content).expect("a file");
        let (key, path) = (key.to_str().expect("a path"), path.to_str().expect("a path"));
        seatline(&["license", "issue", "--key", key, "--kind", "commercial", "--request", path])
    };
    answer("").refused("not-a-request");
    answer(r#"{"format": "seatline-license-request", "version": 9}"#).refused("newer-request");
    answer(r#"{"format": "seatline-license-request", "version": 1}"#).refused("invalid-request");
    answer(&" ".repeat(600 * 1024)).refused("too-large");
    let usage = agent.run(&["license", "request", "--wish", "two\nlines"]);
    assert_eq!(usage.code, 2, "{}", usage.err);
}
