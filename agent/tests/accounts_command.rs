//! `seatline accounts check`: what it shows of a source, and what it does not.

mod support;

use support::agent::Agent;
use support::central::Central;
use support::endpoint::{HttpServer, json};

/// The source that a script of the shell is.
fn script(script: &str) -> String {
    format!("[accounts.command]\nrun = ['sh', '-c', '''{script}''']\n")
}

#[test]
fn b7_a_check_shows_the_classes_that_a_report_has() {
    let agent = Agent::new();
    agent.install_plugin();
    for linked in [false, true] {
        if linked {
            // The settings of this central server count from the first sign-in.
            let central = Central::new();
            agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
            let answer = serde_json::to_string(&central.approval(&agent)).expect("JSON");
            agent.run_with_input(&["report", "import-receipts", "-"], &answer).ok();
        }
        let shown = agent.run(&["accounts", "check", "--json"]).json();
        let preview = agent.run(&["report", "preview", "--json"]).json();
        let collected = &preview["next"]["outcome"]["collected"];
        for class in [
            "total",
            "counted",
            "deactivated",
            "no_access",
            "never_signed_in",
            "service_accounts",
            "dormant",
            "counting",
        ] {
            assert_eq!(shown["accounts"][class], collected["accounts"][class], "{class}: {shown} {collected}");
        }
        assert_eq!(shown["accounts"]["total"], 8);
        assert_eq!(shown["accounts"]["never_signed_in"], u8::from(linked), "the rule is that of the link");
        assert_eq!(shown["dimensions"][0]["value"], 17);
        assert_eq!(shown["accounts"]["problems"], serde_json::json!([]));
    }
}

#[test]
fn a_check_shows_duplicates_missing_addresses_and_odd_identities_as_counts_and_no_name() {
    let agent = Agent::reading(&script(
        r#"printf '%s\n' '{"identity": "hunter@example.org"}' '{"identity": " Hunter@EXAMPLE.org "}' \
           '{"identity": "hunter@example.org"}' '{"identity": "hunter2"}' '{"identity": "hunt er"}'"#,
    ));
    let finished = agent.run(&["accounts", "check"]);
    let text = finished.ok();
    assert!(text.contains("5 by command"), "{text}");
    assert!(text.contains("2 accounts name a person who was there before"), "{text}");
    assert!(text.contains("2 accounts have no mail address"), "{text}");
    assert!(text.contains("2 accounts have white space"), "{text}");
    assert!(!text.to_lowercase().contains("hunt"), "a name is shown: {text}");
    let json = agent.run(&["accounts", "check", "--json"]);
    assert!(!json.out.contains("hunt"), "{json:?}");
    let accounts = &json.json()["accounts"];
    assert_eq!((&accounts["duplicates"], &accounts["without_mail"]), (&2.into(), &2.into()));
    assert!(accounts["per_second"].as_u64().is_some_and(|rate| rate > 0), "{accounts}");
}

#[test]
fn a_check_names_the_first_ten_problems_and_fails() {
    let line = r#"{"identity": "hunter2", "active": "hunter2"}"#;
    let agent = Agent::reading(&script(&format!("echo '{{\"identity\": 1}}'; for i in 1 2 3; do echo '{line}'; done")));
    let finished = agent.run(&["accounts", "check", "--json"]);
    assert_eq!(finished.code, 1, "{finished:?}");
    assert!(!finished.out.contains("hunter2") && !finished.err.contains("hunter2"), "{finished:?}");
    let shown: serde_json::Value = serde_json::from_str(&finished.out).expect("one value");
    let problems = shown["accounts"]["problems"].as_array().expect("problems");
    assert_eq!(problems.len(), 3);
    assert!(problems[2]["message"].as_str().is_some_and(|text| text.starts_with("row 4: `active` must be")), "{shown}");
    assert_eq!(shown["accounts"]["total"], 1, "what could be understood");
    agent.run(&["accounts", "check"]).refused("source-value");
    let many = Agent::reading(&script(&format!("yes '{line}'")));
    let shown = many.run(&["accounts", "check", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).expect("one value");
    assert_eq!(shown["accounts"]["problems"].as_array().map(Vec::len), Some(11), "ten, and the one that ended it");
}

#[test]
fn what_a_command_said_is_shown_by_a_check_and_by_nothing_else() {
    let agent = Agent::reading(&script("echo 'no such host: wiki.example.org' >&2; exit 3"));
    let finished = agent.run(&["accounts", "check"]);
    assert!(finished.out.contains("it said: no such host: wiki.example.org"), "{finished:?}");
    let line = finished.refused("source-command");
    assert_eq!(line, "error: the command ended with the exit status 3 [source-command]");
    let preview = agent.run(&["report", "preview", "--json"]).ok();
    assert!(!preview.contains("wiki.example.org"), "it would leave the product: {preview}");
    assert!(preview.contains("seatline accounts check"), "{preview}");
}

#[test]
fn a_check_shows_each_dimension_and_which_was_not_measured() {
    let server = HttpServer::start(|path, out| json(out, if path == "/good" { "1234567" } else { "\"many\"" }));
    let dimension = |name: &str, path: &str| {
        format!("[[dimension]]\nname = '{name}'\n[dimension.json]\nurl = '{}'\n", server.url(path))
    };
    let agent = Agent::reading(&(dimension("pages", "/good") + &dimension("files", "/bad")));
    let finished = agent.run(&["accounts", "check"]);
    assert!(finished.out.contains("1,234,567"), "{finished:?}");
    assert!(finished.out.contains("not measured"), "{finished:?}");
    finished.refused("source-not-a-number");
}

#[test]
fn a_check_without_anything_to_read_says_what_to_write() {
    let agent = Agent::reading("");
    agent.run(&["accounts", "check"]).refused("no-accounts");
}
