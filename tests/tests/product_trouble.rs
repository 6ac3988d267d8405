//! A product whose database is not as it should be: the failure is reported as such, and nothing is counted wrongly.

use std::fs;

use seatline_tests::{Agent, Central, Vendor};
use serde_json::Value;

/// A linked agent that has reported 60 users once.
fn reporting() -> (Agent, Central) {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(100, &[])]).ok();
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    (agent, central)
}

/// Synchronises, sees at the central server that the accounts are missing and why, and that the last count stays.
fn reported(agent: &Agent, central: &Central, reason: &str) -> Value {
    let synced = agent.run(&["sync", "--json"]).json();
    assert!(synced["run"]["outcome"]["collected"]["accounts"].is_null(), "nothing is counted wrongly: {synced}");
    let shown = central.licenses();
    assert_eq!(shown["reported"]["sequence"], synced["report"]["sequence"], "the failure itself was reported");
    let troubles = shown["troubles"].to_string();
    assert!(troubles.contains(reason), "the Licenses tab says why: {troubles}");
    assert_eq!(agent.status()["last_run"]["counts"]["users"], 60, "what was known stays known");
    shown
}

#[test]
fn a_database_that_is_gone_is_reported_and_counted_again_when_it_is_back() {
    let (agent, central) = reporting();
    let away = agent.wiki.path().with_extension("away");
    fs::rename(agent.wiki.path(), &away).expect("the database can be moved");
    reported(&agent, &central, "there is no database");
    fs::rename(&away, agent.wiki.path()).expect("the database can be moved back");
    agent.wiki.hire(3);
    agent.run(&["sync"]).ok();
    let shown = central.licenses();
    assert_eq!(shown["counted"]["accounts"]["counted"], 63);
    assert_eq!(shown["troubles"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_locked_database_is_waited_for_and_then_reported() {
    let (agent, central) = reporting();
    let product = agent.wiki.open();
    product.execute_batch("begin exclusive").expect("the product writes");
    reported(&agent, &central, "locked");
    product.execute_batch("rollback").expect("the product has written");
    assert!(agent.run(&["sync", "--json"]).json()["run"]["outcome"]["collected"]["accounts"].is_object());
}

#[test]
fn a_column_that_is_missing_is_named() {
    let (agent, central) = reporting();
    agent.read_accounts_with("select mail from users");
    reported(&agent, &central, "identity");
}

#[test]
fn a_value_that_cannot_be_understood_stops_the_count_without_showing_whose_it_is() {
    let (agent, central) = reporting();
    agent
        .wiki
        .open()
        .execute("update users set seen = 'yesterday' where mail = 'person5@example.org'", [])
        .expect("odd");
    let shown = reported(&agent, &central, "last_seen");
    assert!(!shown.to_string().contains("person5"), "no name leaves the product");
}

#[test]
fn accounts_without_an_identity_are_not_counted_as_somebody() {
    let (agent, central) = reporting();
    agent.wiki.open().execute("insert into users values (null, 1, 1, null, 0)", []).expect("an odd account");
    reported(&agent, &central, "identity");
}

#[test]
fn a_query_that_writes_changes_nothing() {
    let (agent, central) = reporting();
    agent.read_accounts_with("delete from users returning mail as identity");
    let before = agent.wiki.open().query_row("select count(*) from users", [], |row| row.get::<_, i64>(0));
    reported(&agent, &central, "accounts");
    let after = agent.wiki.open().query_row("select count(*) from users", [], |row| row.get::<_, i64>(0));
    assert_eq!(before.expect("a count"), after.expect("a count"));
}

#[test]
fn odd_identities_are_counted_like_any_other() {
    let (agent, central) = reporting();
    let db = agent.wiki.open();
    for odd in ["Ω≈ç√@例え.jp", "'; drop table users; --", "a\u{202e}b@example.org", &"x".repeat(500)] {
        db.execute("insert into users values (?1, 1, 1, '2026-11-21', 0)", [odd]).expect("an odd account");
    }
    agent.run(&["sync"]).ok();
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 64);
}

#[test]
fn a_count_that_no_report_can_hold_fails_its_dimension_alone() {
    let (agent, central) = reporting();
    agent.measure_pages_with("select 9223372036854775807");
    agent.run(&["sync"]).ok();
    let counted = &central.licenses()["counted"];
    assert_eq!(counted["accounts"]["counted"], 60, "the accounts are reported all the same");
    let failed = counted["measurements"][0]["failed"].as_str().expect("why the dimension failed");
    assert!(failed.contains("greater than a report can hold"), "{failed}");
}

/// What a plugin itself can do wrong is told by the tests of the sandbox; here is none.
#[test]
fn b5_a_run_without_a_plugin_is_reported_with_its_reason() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::without_plugin(&vendor);
    agent.link(&central.invite());
    agent.run(&["sync"]).refused("no-plugin");
    let troubles = central.licenses()["troubles"].to_string();
    assert!(troubles.contains("no plugin is installed"), "{troubles}");
    assert_eq!(agent.status()["outbox"]["pending"], 0, "the failure is a report like any other");
}

/// b8: two live copies of one instance fork the chain; the copy is refused, the original goes on.
#[test]
fn b8_a_copy_of_an_instance_is_found_out() {
    let (agent, central) = reporting();
    let copy = agent.copied();
    copy.run(&["sync"]).ok();
    let line = agent.run(&["sync"]).refused("fork");
    assert!(line.contains("two copies"), "{line}");
    assert_eq!(agent.status()["exchange"]["problem"]["code"], "fork");
    copy.run(&["sync"]).ok();
    let shown = central.licenses();
    assert!(shown["link"]["chain"]["forks"].as_u64() > Some(0), "{}", shown["link"]);
}
