//! `seatline token …`

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::agent::Agent;

#[test]
fn g7_a_token_is_shown_once_and_only_its_hash_is_kept() {
    let agent = Agent::new();
    let made = agent.run(&["token", "create", "--name", "wiki", "--json"]).json();
    let secret = made["token"].as_str().expect("the token");
    assert!(secret.starts_with("sla_") && secret.len() > 40, "{made}");
    assert_eq!((&made["name"], &made["role"]), (&"wiki".into(), &"read".into()), "who may only ask is the default");
    let path = agent.path("state/api-tokens.json");
    assert_eq!(path.metadata().expect("it is kept").permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(path).expect("it is kept");
    assert!(!kept.contains(&secret["sla_".len()..]), "{kept}");
    let listed = agent.run(&["token", "list", "--json"]).json();
    assert_eq!(listed[0]["id"], made["id"]);
    assert!(listed[0].get("token").is_none() && listed[0].get("hash").is_none(), "{listed}");
}

#[test]
fn a_token_may_go_into_a_file_of_its_owner_alone_which_is_never_overwritten() {
    let agent = Agent::new();
    let path = agent.path("wiki.token");
    let out = path.to_str().expect("a path");
    let made = agent.run(&["token", "create", "--name", "wiki", "--out", out, "--json"]).json();
    assert!(made.get("token").is_none(), "{made}");
    assert_eq!(path.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
    let first = std::fs::read_to_string(&path).expect("the file");
    assert!(first.starts_with("sla_"));
    agent.run(&["token", "create", "--name", "other", "--out", out]).refused("file");
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), first);
    let next = agent.path("next.token");
    let out = next.to_str().expect("a path");
    agent.run(&["token", "create", "--name", "wiki", "--out", out]).refused("token-exists");
    assert!(!next.exists(), "a token that is not in force lies nowhere");
    let listed = agent.run(&["token", "list", "--json"]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "and nobody's is in force: {listed}");
}

#[test]
fn a_token_is_revoked_by_name_or_id() {
    let agent = Agent::new();
    agent.token("one", "read");
    agent.token("two", "admin");
    let listed = agent.run(&["token", "list", "--json"]).json();
    let id = listed[1]["id"].as_str().expect("an id");
    agent.run(&["token", "revoke", "one"]).ok();
    agent.run(&["token", "revoke", id]).ok();
    let line = agent.run(&["token", "revoke", "one"]).refused("token-unknown");
    assert!(line.contains("`seatline token list` shows them"), "{line}");
    assert_eq!(agent.run(&["token", "list"]).ok().lines().count(), 1, "how to make one");
}

#[test]
fn what_is_no_name_and_what_is_too_many_is_refused() {
    let agent = Agent::new();
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        agent.run(&["token", "create", "--name", name]).refused("token-name");
    }
    let tokens: Vec<_> = (0..100)
        .map(|n| {
            let hash = "0".repeat(64);
            let (id, at) = (format!("{n:016x}"), "2026-03-01T12:00:00Z");
            serde_json::json!({ "id": id, "name": format!("t{n}"), "role": "read", "created_at": at, "hash": hash })
        })
        .collect();
    agent.token("first", "read");
    let path = agent.path("state/api-tokens.json");
    std::fs::write(&path, serde_json::to_string(&tokens).expect("JSON")).expect("a hundred tokens");
    agent.run(&["token", "create", "--name", "one more"]).refused("too-many-tokens");
    agent.run(&["token", "revoke", "t7"]).ok();
    agent.token("one more", "read");
}
