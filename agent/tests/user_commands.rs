//! `seatline user …`: who signs in to the pages.

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::agent::Agent;

#[test]
fn c2_a_password_is_made_and_shown_once_and_only_its_hash_is_kept() {
    let agent = Agent::new();
    let made = agent.run(&["user", "add", "ada", "--json"]).json();
    let password = made["password"].as_str().expect("a password");
    assert!(password.len() >= 24, "{made}");
    let path = agent.path("state/users.json");
    assert_eq!(path.metadata().expect("it is kept").permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(path).expect("it is kept").contains(password));
    assert!(!agent.run(&["user", "list", "--json"]).ok().contains(password));
    let again = agent.run(&["user", "password", "ada", "--json"]).json();
    assert_ne!(again["password"], made["password"]);
}

#[test]
fn c2_who_is_there_already_who_is_not_and_what_is_no_name_or_password_is_told() {
    let agent = Agent::new();
    agent.run(&["user", "add", "ada"]).ok();
    let line = agent.run(&["user", "add", "ada", "--role", "viewer"]).refused("user-exists");
    assert!(line.contains("`seatline user password ada`"), "{line}");
    assert_eq!(agent.run(&["user", "list", "--json"]).json()[0]["role"], "administrator", "the one before stays");
    for arguments in [["user", "password", "ben"], ["user", "remove", "ben"]] {
        assert!(agent.run(&arguments).refused("user-unknown").contains("`seatline user list`"), "{arguments:?}");
    }
    for bad in ["eleven char", "", &"x".repeat(513)] {
        agent.run_with_input(&["user", "add", "ben", "--password-stdin"], &format!("{bad}\n")).refused("password");
    }
    for bad in ["", "Ada Lovelace", &"x".repeat(65)] {
        assert_ne!(agent.run(&["user", "add", bad]).code, 0, "{bad}");
    }
    agent.run(&["user", "remove", "ada"]).ok();
    assert_eq!(agent.run(&["user", "list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn c2_so_many_users_are_kept_and_no_more() {
    let agent = Agent::new();
    agent.run(&["user", "add", "first"]).ok();
    // Two hundred of the one: hashing two hundred passwords would take a minute.
    let path = agent.path("state/users.json");
    let kept = std::fs::read_to_string(&path).expect("it is kept");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let users: Vec<_> = (0..200)
        .map(|n| {
            let mut user = kept[0].clone();
            user["name"] = format!("user{n}").into();
            user
        })
        .collect();
    std::fs::write(&path, serde_json::to_string(&users).expect("JSON")).expect("written");
    agent.run(&["user", "add", "one-more"]).refused("too-many-users");
    agent.run(&["user", "remove", "user7"]).ok();
    agent.run(&["user", "add", "one-more"]).ok();
}
