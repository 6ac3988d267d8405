//! What one linked product may take of the central server: room, keys, and time that has passed. It is refused with a
//! code, its reports wait at the product, and the administrator is told.

use seatline_tests::{Agent, Central, Vendor};
use serde_json::Value;

/// A linked agent that has reported, with its link at the central server.
fn reporting(central: &Central) -> (Agent, String) {
    let agent = Agent::new(&Vendor::new());
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
    agent.run(&["sync"]).ok();
    (agent, link)
}

/// The codes of what is wrong with the application.
fn troubles(central: &Central) -> Vec<String> {
    let licenses = central.licenses();
    let troubles = licenses["troubles"].as_array().expect("a list").iter();
    troubles.map(|trouble| trouble["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn a_product_that_sends_more_than_it_may_keeps_its_reports_until_there_is_room() {
    let central = Central::start();
    let (agent, link) = reporting(&central);
    central.run(&["link", "settings", &link, "--daily-mib", "0"]).refused("invalid");
    let set = central.run(&["link", "settings", &link, "--daily-mib", "1"]).ok();
    assert!(set.contains("at most 1 MiB a day"), "{set}");

    // A sketch of so many people is as large as sketches are; and each day somebody is hired, so that no report repeats
    // one.
    agent
        .wiki
        .open()
        .execute_batch(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
             insert into users select 'many' || i || '@example.org', 1, 1, '2026-11-20', 0 from n",
        )
        .expect("many people");
    let mut sent = 1;
    let line = loop {
        agent.wiki.hire(sent);
        let finished = agent.run(&["sync"]);
        if finished.code != 0 {
            break finished.refused("over-quota");
        }
        sent += 1;
        assert!(sent < 60, "a MiB is full at some time");
    };
    assert!(line.contains("the report waits there"), "{line}");
    assert!(sent > 5, "after {sent} reports");
    agent.run(&["sync"]).refused("over-quota");

    let status = agent.status();
    assert_eq!(status["outbox"]["pending"], 2, "{status}");
    assert_eq!(status["exchange"]["problem"]["code"], "over-quota", "{status}");
    assert_eq!(troubles(&central), ["over-quota"]);
    let trouble = &central.licenses()["troubles"][0];
    assert!(trouble["message"].as_str().is_some_and(|words| words.contains("more than 1 MiB of reports a day")));
    assert_eq!(central.reports(&link).len(), sent, "and nothing of it is kept");
    let refused = central.get(&format!("/api/v1/links/{link}"));
    assert_eq!((&refused["settings"]["daily_mib"], &refused["met"][0]["bound"]), (&1.into(), &"over-quota".into()));

    central.run(&["link", "settings", &link, "--daily-mib", "256"]).ok();
    agent.run(&["sync"]).ok();
    assert_eq!(agent.status()["outbox"]["pending"], 0);
    assert_eq!(central.reports(&link).len(), sent + 3, "everything that waited has come, in its order");
    let licenses = central.licenses();
    assert_eq!((&licenses["link"]["chain_state"], troubles(&central)), (&"whole".into(), Vec::new()), "{licenses}");
}

#[test]
fn a_product_that_replaces_its_key_again_and_again_waits_with_its_reports() {
    let central = Central::start();
    let (agent, link) = reporting(&central);
    for _ in 0..10 {
        agent.run(&["link", "rotate"]).ok();
        agent.run(&["sync"]).ok();
    }
    agent.run(&["link", "rotate"]).ok();
    for _ in 0..2 {
        let line = agent.run(&["sync"]).refused("too-many-keys");
        assert!(line.contains("replaced as often as it may be"), "{line}");
    }
    assert_eq!(agent.status()["outbox"]["pending"], 2, "{}", agent.status());
    let shown = agent.run(&["link", "show", "--json"]).json();
    assert_eq!(shown["link"]["rotation"]["is_known"], false, "the wish goes with each exchange: {shown}");
    assert_eq!(troubles(&central), ["too-many-keys"]);
    assert_eq!(central.reports(&link).len(), 11);
    assert_eq!(central.licenses()["link"]["chain_state"], "whole");
}

#[test]
fn g8_a_link_of_an_early_version_lets_go_what_is_never_taken() {
    let central = Central::start();
    let agent = Agent::new(&Vendor::new());
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
    // An early version did not note since when its link is in force.
    let file = agent.dir().join("state/link.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).expect("a link")).expect("JSON");
    kept.as_object_mut().expect("an object").remove("in_force_since").expect("this version notes it");
    std::fs::write(&file, kept.to_string()).expect("written");

    let line = agent.run_at("-400d", &["sync"]).refused("past-report");
    assert!(line.contains("set the product's clock"), "{line}");
    let status = agent.status();
    assert_eq!(status["outbox"]["pending"], 0, "it is kept apart, and is not sent for ever: {status}");
    assert_eq!(status["exchange"]["problem"]["code"], "past-report", "and why is shown: {status}");
    agent.run(&["sync"]).ok();
    assert_eq!(central.reports(&link).len(), 1);
}

#[test]
fn g8_a_clock_far_behind_makes_no_history_of_before_the_link_and_costs_the_reports_of_that_time_alone() {
    let central = Central::start();
    let agent = Agent::new(&Vendor::new());
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
    let line = agent.run_at("-400d", &["sync"]).refused("past-report");
    assert!(line.contains("set the product's clock"), "{line}");
    assert!(troubles(&central).contains(&"past-report".to_owned()), "{:?}", troubles(&central));
    assert_eq!(central.reports(&link), []);

    // The clock is set right.
    agent.run(&["sync"]).ok();
    let status = agent.status();
    assert_eq!((&status["outbox"]["pending"], &status["exchange"]["problem"]), (&0.into(), &Value::Null), "{status}");
    assert_eq!(status["exchange"]["never_received"][0]["reason"]["code"], "past-report", "{status}");
    let sequences: Vec<u64> = central.reports(&link).into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, [2], "the first was never received, and the chain goes on");
    assert_eq!(troubles(&central), ["past-report", "gap"]);
}
