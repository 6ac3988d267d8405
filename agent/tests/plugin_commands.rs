//! The plugin, from its file to its removal, through the real binary.

mod support;

use serde_json::Value;
use support::agent::{Agent, seatline, stock_plugin};
use support::plugin::{core_module_of_the_contract, honest_plugin};

fn stock() -> String {
    stock_plugin().to_str().expect("a path").to_owned()
}

#[test]
fn a_plugin_is_installed_after_its_capabilities_were_shown_and_confirmed() {
    let agent = Agent::new();
    let asked = agent.run(&["plugin", "install", &stock()]);
    assert_eq!(asked.code, 3);
    assert!(asked.err.contains("reads every account's state"), "{}", asked.err);
    assert!(asked.err.ends_with("confirm with --yes [not-confirmed]\n"), "{}", asked.err);
    assert_eq!(agent.run(&["plugin", "list", "--json"]).json(), serde_json::json!({}));
    let installed = agent.run(&["plugin", "install", &stock(), "--yes", "--json"]).json();
    assert_eq!(installed["name"], "license-visibility");
    assert_eq!(agent.run(&["plugin", "list", "--json"]).json()["current"]["digest"], installed["digest"]);
    let inspected = agent.run(&["plugin", "inspect", &stock(), "--json"]).json();
    assert_eq!(inspected["digest"], installed["digest"]);
    assert_eq!(inspected["asks"], installed["asks"]);
}

#[test]
fn only_what_is_granted_is_granted() {
    let agent = Agent::new();
    let arguments = ["plugin", "install", &stock(), "--yes", "--json", "--grant", "application-link"];
    assert_eq!(agent.run(&arguments).json()["grants"], serde_json::json!(["application-link"]));
    let wrong = agent.run(&["plugin", "install", &stock(), "--yes", "--grant", "root"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let collected = &preview["next"]["outcome"]["collected"];
    assert_eq!(collected["accounts"], Value::Null);
    assert!(collected["omissions"].as_array().is_some_and(|omissions| omissions.len() >= 2), "{collected}");
}

#[test]
fn b5_a_plugin_is_held_to_the_memory_that_the_configuration_gives_it() {
    let agent = Agent::new();
    agent.install_plugin();
    agent.configure("\n[plugin]\nmemory_mib = 1\n");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    assert_eq!(preview["next"]["outcome"]["failed"]["code"], "plugin-memory", "{}", preview["next"]["outcome"]);
}

#[test]
fn an_update_can_be_rolled_back_and_everything_removed() {
    let agent = Agent::new();
    agent.install_plugin();
    agent.run(&["plugin", "rollback"]).refused("plugin-nothing-before");
    agent.run(&["plugin", "install", honest_plugin().to_str().expect("a path"), "--yes"]).ok();
    let back = agent.run(&["plugin", "rollback", "--json"]).json();
    assert_eq!(back["name"], "license-visibility");
    assert_eq!(agent.run(&["plugin", "list", "--json"]).json()["current"]["digest"], back["digest"]);
    assert_eq!(agent.run(&["plugin", "remove"]).code, 3);
    assert_eq!(agent.run(&["plugin", "remove", "--yes", "--json"]).json()["removed"]["digest"], back["digest"]);
    agent.run(&["plugin", "remove", "--yes"]).refused("no-plugin");
}

#[test]
fn b5_a_file_that_is_no_plugin_is_refused_and_the_current_one_stays() {
    let agent = Agent::new();
    agent.install_plugin();
    let before = agent.run(&["plugin", "list", "--json"]).json();
    let good = std::fs::read(stock()).expect("the plugin");
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let cases = [
        ("plugin-empty", Vec::new()),
        ("plugin-not-wasm", b"#!/bin/sh".to_vec()),
        ("plugin-core-module", core_module),
        ("plugin-truncated", good[..good.len() / 2].to_vec()),
        ("plugin-too-large", vec![0; 17 << 20]),
    ];
    for (code, bytes) in cases {
        let path = agent.path("bad.wasm");
        std::fs::write(&path, bytes).expect("a file");
        let path = path.to_str().expect("a path");
        agent.run(&["plugin", "inspect", path]).refused(code);
        agent.run(&["plugin", "install", path, "--yes"]).refused(code);
    }
    assert_eq!(agent.run(&["plugin", "list", "--json"]).json(), before);
}

#[test]
fn a_core_module_becomes_a_plugin_with_the_name_that_its_author_gives() {
    let dir = tempfile::tempdir().expect("a directory");
    let (module, plugin) = (dir.path().join("core.wasm"), dir.path().join("plugin.wasm"));
    std::fs::write(&module, core_module_of_the_contract()).expect("the module");
    let (module, plugin) = (module.to_str().expect("a path"), plugin.to_str().expect("a path"));
    let names = ["--name", "my-plugin", "--version", "1.2.3", "--publisher", "Example Ltd"];
    let packed = seatline(&[&["plugin", "pack", module, "-o", plugin, "--json"], &names[..]].concat()).json();
    assert_eq!((&packed["name"], &packed["version"]), (&"my-plugin".into(), &"1.2.3".into()));
    assert_eq!(packed["publisher"], "Example Ltd");
    assert_eq!(seatline(&["plugin", "inspect", plugin, "--json"]).json(), packed);
    seatline(&["plugin", "pack", plugin, "-o", module]).refused("plugin-pack");
}

#[test]
fn b6_a_plugin_that_was_offered_waits_for_approval_by_its_digest() {
    let agent = Agent::new();
    let honest = honest_plugin();
    let offered = agent.run(&["plugin", "offer", honest.to_str().expect("a path")]).ok();
    assert!(
        offered.contains("Asks for") && offered.contains("It waits: `seatline plugin approve sha256:"),
        "{offered}"
    );
    let listed = agent.run(&["plugin", "list", "--json"]).json();
    let digest = listed["waiting"]["digest"].as_str().expect("a digest").to_owned();
    assert!(listed["current"].is_null() && agent.run(&["plugin", "list"]).ok().contains(&digest));
    let other = format!("sha256:{}", "0".repeat(64));
    agent.run(&["plugin", "approve", &other]).refused("plugin-not-waiting");
    agent.run(&["plugin", "decline", &other]).refused("plugin-not-waiting");
    assert!(agent.run(&["plugin", "approve", &digest]).ok().contains("is installed"));
    agent.run(&["plugin", "approve", &digest]).refused("plugin-not-waiting");
    assert_eq!(agent.run(&["plugin", "approve", "82c3"]).code, 2);
}
