//! `seatline run` whose state cannot be opened: whoever asks is told so, and it goes on by itself once that is mended
//! (`a7`).

mod support;

use std::fs;

use serde_json::json;
use support::agent::Agent;
use support::http::get;
use support::running::Running;

fn agent() -> Agent {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    agent
}

#[test]
fn a7_a_damaged_state_is_told_on_every_page_until_it_is_restored() {
    let agent = agent();
    let server_id = agent.run(&["server-id"]).ok();
    let identity = agent.path("state/identity.json");
    let backup = fs::read(&identity).expect("a backup");
    fs::write(&identity, "rubbish").expect("damage");

    let mut running = Running::start(&agent, &[], &[]);
    let address = running.until("answering")["address"].as_str().expect("an address").to_owned();
    let told = running.until("the state cannot be used");
    assert_eq!(told["code"], "store-damaged");
    assert!(told["message"].as_str().is_some_and(|message| message.contains("restore it from a backup")), "{told}");

    let page = get(&address, "/license");
    assert_eq!(page.status, 503);
    assert!(
        page.body.contains("The licenses cannot be shown now") && page.body.contains("store-damaged"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("identity.json"), "paths are not for everybody: {}", page.body);
    assert!(page.header("content-security-policy").is_some() && page.header("retry-after").is_some(), "{page:?}");
    let style =
        page.body.split("href=\"").find_map(|rest| rest.split('"').next().filter(|href| href.ends_with(".css")));
    assert_eq!(get(&address, style.expect("a style sheet")).status, 200, "it looks like the other pages");

    let answer = get(&address, "/v1/features/sso");
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("state-unavailable")));
    assert_eq!(get(&address, "/healthz").status, 503);

    fs::write(&identity, backup).expect("the backup is restored");
    let address = running.address();
    assert_eq!(get(&address, "/healthz").status, 200);
    assert_eq!(agent.run(&["server-id"]).ok(), server_id);
}

#[test]
fn a_state_of_a_newer_release_is_not_touched_and_told() {
    let agent = agent();
    fs::write(agent.path("state/version"), "99\n").expect("a version");
    let mut running = Running::start(&agent, &[], &[]);
    let told = running.until("the state cannot be used");
    assert_eq!(told["code"], "store-newer");
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0), "it ends when it is told to");
    assert_eq!(fs::read_to_string(agent.path("state/version")).expect("the version"), "99\n");
}

#[test]
fn another_reason_takes_the_place_of_the_first() {
    let agent = agent();
    let current = fs::read(agent.path("state/version")).expect("the version");
    fs::write(agent.path("state/version"), "99\n").expect("a version");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.until("answering")["address"].as_str().expect("an address").to_owned();
    fs::write(agent.path("state/version"), current).expect("a version");
    fs::write(agent.path("state/identity.json"), "rubbish").expect("damage");
    running.until("the state cannot be used");
    assert_eq!(running.until("the state cannot be used")["code"], "store-damaged");
    assert!(get(&address, "/").body.contains("store-damaged"));
}

#[test]
fn where_nobody_could_be_told_it_ends_with_the_reason() {
    let agent = agent();
    fs::write(agent.path("state/identity.json"), "rubbish").expect("damage");
    agent.run(&["run", "--listen", "off"]).refused("store-damaged");
}
