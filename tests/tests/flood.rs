//! A product that is told to wait, because something sends its documents again and again: it keeps its reports, does as
//! it is told, and they arrive.

use seatline_protocol::exchange::PATH;
use seatline_tests::{Agent, Central, Vendor, until};
use serde_json::Value;

/// Seconds of a time of the JSON.
fn seconds(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("a time");
    time.as_second()
}

#[test]
fn g3_a_product_that_is_told_to_wait_keeps_its_reports_and_brings_them_in_their_order() {
    let central = Central::start();
    let agent = Agent::new(&Vendor::new());
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
    agent.run(&["sync"]).ok();
    // A report that has arrived, as a file has it, is sent again and again from the product's own address.
    let sealed = central.text(&format!("/api/v1/links/{link}/reports/1"));
    let body = serde_json::json!({ "reports": vec![sealed; 64] }).to_string();
    let waits = (0..100).find_map(|_| {
        let sent = ureq::post(format!("{}{PATH}", central.url())).content_type("application/json").send(&body);
        matches!(sent, Err(ureq::Error::StatusCode(503))).then_some(())
    });
    assert!(waits.is_some(), "nothing holds it back");

    agent.wiki.hire(1);
    let line = agent.run(&["sync"]).refused("too-many-documents");
    assert!(line.contains("HTTP status 503") && line.contains("sends more documents than any should"), "{line}");
    let status = agent.status();
    let exchange = &status["exchange"];
    assert_eq!((&status["outbox"]["pending"], &exchange["problem"]["code"]), (&1.into(), &"too-many-documents".into()));
    assert!(seconds(&exchange["next_attempt_at"]) > seconds(&exchange["tried_at"]), "{exchange}");
    assert_eq!(central.reports(&link).len(), 1);
    let troubles = &central.licenses()["troubles"];
    assert_eq!(troubles[0]["code"], "too-many-documents", "{troubles}");

    // A file that an administrator brings does not wait.
    let file = central.dir().join("to-central.json");
    agent.run(&["report", "export", file.to_str().expect("a path")]).ok();
    let answer = central.import(&file);
    agent.run(&["report", "import-receipts", answer.to_str().expect("a path")]).ok();
    assert_eq!((&agent.status()["outbox"]["pending"], central.reports(&link).len()), (&0.into(), 2));
    // Over the network the product goes on by itself, once the time is over that it was told.
    let _running = agent.start(&["run"]);
    until("what waited to come", || (central.reports(&link).len() > 2).then_some(()));
    until("nothing to wait any more", || (agent.status()["outbox"]["pending"] == 0).then_some(()));
    let licenses = central.licenses();
    assert_eq!(licenses["link"]["chain_state"], "whole", "{licenses}");
}
