//! docs/command-line.md is held against the real binary: every command is documented, and every field that one shows.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::agent::{Agent, seatline, stock_plugin, vendor};
use support::central::Central;
use support::mail::mail_server::MailServer;
use support::plugin::{core_module_of_the_contract, honest_plugin};
use support::postgres::Postgres;

/// The JSON of each section of the page, by its heading.
fn shapes() -> BTreeMap<String, Value> {
    let page = include_str!("../../docs/command-line.md");
    let sections = page.split("\n### ").skip(1);
    sections
        .filter_map(|section| {
            let heading = section.lines().next()?.trim_matches('`').to_owned();
            let json = section.split("```json\n").nth(1)?.split("```").next()?;
            Some((heading, serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))))
        })
        .collect()
}

/// Fails where `shown` has a field that `documented` has not.
fn hold(shown: &Value, documented: &Value, shapes: &BTreeMap<String, Value>, at: &str) {
    if let Some(name) = documented.as_str().and_then(|text| text.strip_prefix('«')?.strip_suffix('»')) {
        let shape = shapes.get(name).unwrap_or_else(|| panic!("there is no shape «{name}»"));
        return hold(shown, shape, shapes, at);
    }
    match (shown, documented) {
        (Value::Object(shown), Value::Object(documented)) => {
            for (key, value) in shown {
                let any = documented.get("DIMENSION");
                let known = documented.get(key).or(any).unwrap_or_else(|| panic!("{at}.{key} is not documented"));
                hold(value, known, shapes, &format!("{at}.{key}"));
            }
        }
        (Value::Array(shown), Value::Array(documented)) => {
            for value in shown {
                hold(value, &documented[0], shapes, at);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(shown),
            std::mem::discriminant(documented),
            "{at} is shown as {shown}, and documented as {documented}"
        ),
    }
}

#[test]
fn every_documented_command_shows_what_is_documented_and_nothing_else() {
    let shapes = shapes();
    // These show no JSON of their own: they are held to account in run_command.rs and packaging.rs.
    let mut tried = BTreeSet::from(["seatline run", "seatline completions", "seatline man"].map(str::to_owned));
    let (agent, central) = (Agent::new(), Central::new());
    let mut show = |arguments: &[&str]| {
        let finished = agent.run(&[arguments, &["--json"]].concat());
        let json: Value = serde_json::from_str(&finished.out).unwrap_or_else(|_| panic!("{arguments:?}: {finished:?}"));
        if json.get("error").is_none() {
            let single = ["init", "server-id", "status", "system-info", "support-file", "doctor", "nodes", "sync"];
            let stands_alone = single.contains(&arguments[0]) && arguments.get(1) != Some(&"confirm");
            let words = if stands_alone { 1 } else { 2 };
            let command = format!("seatline {}", arguments[..words].join(" "));
            let documented = shapes.get(&command).unwrap_or_else(|| panic!("{command} is not documented"));
            hold(&json, documented, &shapes, &command);
            tried.insert(command);
        }
        json
    };
    let path = |name: &str| agent.path(name).to_str().expect("a path").to_owned();

    show(&["init", "--product", "x", "--name", "X", "--version", "1", "--dir", &path("other")]);
    show(&["server-id"]);
    show(&["accounts", "check"]);
    show(&["nodes"]);
    show(&["license", "keygen", "--out", &path("vendor")]);
    std::fs::write(agent.path("vendor.secret"), vendor().to_paserk().as_bytes()).expect("the vendor's key");
    let issued = show(&[
        "license",
        "issue",
        "--key",
        &path("vendor.secret"),
        "--product",
        "acme-wiki",
        "--licensee",
        "Example Ltd",
        "--kind",
        "commercial",
        "--limit",
        "users=3+1:restrict",
        "--limit",
        "pages=9",
        "--feature",
        "sso",
        "--expires",
        "2090-01-01",
        "--grace-days",
        "14",
        "--maintenance-until",
        "2089-01-01",
        "--replaces",
        "OLD",
        "--counting",
        "account",
        "--not-before",
        "2025-01-01",
    ]);
    let key = issued["key"].as_str().expect("a key").to_owned();
    show(&["license", "inspect", &key]);
    show(&["license", "set", &key]);
    show(&["license", "preview", &key]);
    show(&["license", "history"]);
    let request = show(&["license", "request", "--wish", "more users", "--out", &path("request.json")]);
    assert_eq!(request["wish"], "more users");
    std::fs::write(agent.path("core.wasm"), core_module_of_the_contract()).expect("the module");
    show(&["plugin", "pack", &path("core.wasm"), "-o", &path("plugin.wasm"), "--name", "x", "--version", "1"]);
    show(&["plugin", "inspect", stock_plugin().to_str().expect("a path")]);
    show(&["plugin", "install", stock_plugin().to_str().expect("a path"), "--yes"]);
    show(&["plugin", "install", honest_plugin().to_str().expect("a path"), "--yes"]);
    show(&["plugin", "rollback"]);
    let offer = |show: &mut dyn FnMut(&[&str]) -> Value| {
        let roster = show(&["plugin", "offer", honest_plugin().to_str().expect("a path")]);
        roster["waiting"]["digest"].as_str().expect("a digest").to_owned()
    };
    let waiting = offer(&mut show);
    show(&["plugin", "list"]);
    show(&["plugin", "decline", &waiting]);
    let waiting = offer(&mut show);
    show(&["plugin", "approve", &waiting]);
    show(&["plugin", "rollback"]);
    show(&["report", "preview"]);
    show(&["doctor"]);
    show(&["link", "accept", &central.invite(), "--yes"]);
    show(&["report", "export", &path("reports.json")]);
    let answer = |response: &seatline_protocol::ExchangeResponse| {
        std::fs::write(agent.path("answer.json"), serde_json::to_string(response).expect("JSON")).expect("the answer");
    };
    answer(&central.approval(&agent));
    show(&["report", "import-receipts", &path("answer.json")]);
    show(&["sync"]);
    answer(&central.receipts(&agent.waiting()));
    show(&["report", "import-receipts", &path("answer.json")]);
    show(&["license", "show"]);
    show(&["token", "create", "--name", "wiki"]);
    show(&["token", "create", "--name", "operator", "--role", "admin", "--out", &path("operator.token")]);
    show(&["token", "list"]);
    show(&["token", "revoke", "wiki"]);
    let mails = MailServer::plain();
    agent.tells_by_mail(&mails);
    agent.licensed_for("SOON", 20);
    show(&["notices", "settings", "--threshold", "users=80"]);
    show(&["notices", "check"]);
    show(&["notices", "test"]);
    let webhook = show(&["notices", "add-webhook", "http://127.0.0.1:1/hook"]);
    agent.run(&["notices", "test"]).refused("not-delivered");
    show(&["notices", "show"]);
    show(&["notices", "remove-webhook", webhook["id"].as_str().expect("an id")]);
    show(&["report", "preview"]);
    show(&["report", "hold", "on"]);
    agent.run(&["sync"]);
    agent.run(&["sync"]);
    show(&["report", "hold"]);
    show(&["report", "preview"]);
    show(&["report", "approve", "--all"]);
    agent.run(&["sync"]);
    show(&["report", "discard", "--all"]);
    show(&["report", "hold", "off"]);
    show(&["status"]);
    show(&["system-info"]);
    show(&["support-file"]);
    show(&["link", "show"]);
    show(&["plugin", "list"]);
    show(&["link", "rotate"]);
    show(&["link", "remove", "--yes"]);
    show(&["plugin", "remove", "--yes"]);
    show(&["user", "add", "ada"]);
    show(&["user", "list"]);
    show(&["user", "password", "ada"]);
    show(&["user", "remove", "ada"]);
    agent.configure("\n[identity]\nstaging = true\n");
    show(&["server-id"]);
    show(&["server-id", "confirm", "--moved", "--yes"]);
    let server = Postgres::start();
    agent.configure(&format!("\n[state]\ndatabase = '{}'\n", server.address("owner", "wiki")));
    show(&["state", "move"]);
    show(&["nodes"]);
    show(&["state", "fetch"]);
    // A sync that succeeds needs the real central server: it is in the stories of the workspace's `tests/`.
    tried.insert("seatline sync".to_owned());

    let documented: BTreeSet<String> = commands_of_the_page();
    assert_eq!(tried, documented);
}

fn commands_of_the_page() -> BTreeSet<String> {
    let page = include_str!("../../docs/command-line.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    headings.map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_binary_is_documented() {
    let mut commands = BTreeSet::new();
    collect(&mut vec![], &mut commands);
    assert_eq!(commands, commands_of_the_page());
}

/// Follows `--help` down to the commands that have no commands of their own.
fn collect(path: &mut Vec<String>, commands: &mut BTreeSet<String>) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = seatline(&arguments).ok();
    let listed = help.split("\nCommands:\n").nth(1);
    // A command that may stand alone, or with a command of its own.
    let stands_alone = help.lines().any(|line| line.starts_with("Usage:") && !line.ends_with("<COMMAND>"));
    if listed.is_none() || stands_alone {
        commands.insert(format!("seatline {}", path.join(" ")));
    }
    let Some(listed) = listed else { return };
    for line in listed.split("\n\n").next().unwrap_or_default().lines() {
        // Names stand two columns in; what describes them stands further in.
        if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            path.push(name.split(' ').next().unwrap_or_default().to_owned());
            collect(path, commands);
            path.pop();
        }
    }
}
