//! The log of requests of `seatline run`.

mod support;

use serde_json::{Value, json};
use support::agent::Agent;
use support::api::Api;
use support::http::{Answer, get, send};
use support::person::{Person, add_user};
use support::running::Running;

/// The next line of the log about a request.
fn answered(running: &mut Running) -> Value {
    running.until("answered")
}

/// Fails unless the line has the id that the answer names.
fn is_of(line: &Value, answer: &Answer) {
    assert_eq!(line["span"]["id"].as_str(), answer.header("x-request-id"), "{line} {answer:?}");
}

#[test]
fn what_changes_something_or_is_refused_is_logged_with_who_asked_and_an_id_that_the_answer_has_too() {
    let mut api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial"]);
    let set = api.post("/v1/licenses", &json!({ "key": key }));
    let line = answered(&mut api.running);
    is_of(&line, &set);
    assert_eq!((&line["level"], &line["method"]), (&"INFO".into(), &"POST".into()), "{line}");
    assert_eq!((&line["path"], &line["status"]), (&"/v1/licenses".into(), &200.into()), "{line}");
    assert_eq!((&line["span"]["by"], &line["peer"]), (&"operator".into(), &"127.0.0.1".into()), "{line}");
    assert!(line["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");

    let refused = send(&api.address, "GET", "/v1/standing?token=oops", &[], "");
    let line = answered(&mut api.running);
    is_of(&line, &refused);
    assert_eq!((&line["status"], &line["path"]), (&401.into(), &"/v1/standing".into()), "no query: {line}");
    assert!(line["span"].get("by").is_none(), "{line}");
    assert_ne!(refused.header("x-request-id"), set.header("x-request-id"));
}

#[test]
fn what_a_product_asks_at_every_turn_is_logged_at_debug_alone() {
    let mut api = Api::start();
    let asked = api.get("/v1/features/sso");
    assert!(asked.header("x-request-id").is_some());
    let next = get(&api.address, "/v1/no-token");
    is_of(&answered(&mut api.running), &next);

    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\nlevel = 'debug'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    let asked = get(&address, "/healthz");
    let line = answered(&mut running);
    is_of(&line, &asked);
    assert_eq!((&line["level"], &line["path"]), (&"DEBUG".into(), &"/healthz".into()), "{line}");
}

#[test]
fn a_line_on_the_way_has_the_id_of_its_request() {
    let mut api = Api::start();
    std::fs::write(api.agent.path("state/licenses.json"), "rubbish").expect("damage");
    let answer = get(&api.address, "/healthz");
    assert_eq!(answer.status, 503);
    is_of(&api.running.until("not healthy"), &answer);
}

#[test]
fn a_person_on_the_pages_is_named_and_nobody_can_forge_a_line() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    add_user(&agent, "ada", "administrator");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    let ada = Person::signed_in(&address, "ada");
    assert_eq!(answered(&mut running)["path"], "/sign-in");
    let missing = ada.get("/no/such");
    let line = answered(&mut running);
    is_of(&line, &missing);
    assert_eq!(line["span"]["by"], "ada");
    let long = format!("/%0Aforged/{}", "x".repeat(5000));
    ada.get(&long);
    let path = answered(&mut running)["path"].as_str().expect("a path").to_owned();
    assert!(path.starts_with("/%0Aforged/x") && path.chars().count() <= 200, "{path}");
}
