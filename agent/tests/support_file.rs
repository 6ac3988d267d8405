//! The Support Information File (`s11`) holds no secret and no personal data, whatever is planted where.

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::agent::Agent;
use support::central::Central;
use support::person::Person;
use support::running::Running;

/// How much of a planted text may be there by chance.
const PART: usize = 7;

/// Texts that nobody outside shall see, each of twenty letters that no word of the file has.
fn planted() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[qxzjkvw]{20}", 18)
}

/// An agent with the texts wherever somebody types or configures something.
fn agent_with(planted: &[String]) -> Agent {
    let mut next = planted.iter().cycle();
    let mut text = || next.next().expect("there are some").as_str();
    let agent = Agent::reading(&format!(
        "[accounts]\ndatabase = 'postgres://{}@127.0.0.1:1/{}'\npassword_file = 'database.password'\n\
             query = 'select {}'\n\n[[dimension]]\n\
             name = 'pages'\ndatabase = 'wiki.db'\nquery = 'select 1 from {}'\n\n[log]\nformat = 'json'\n",
        text(),
        text(),
        text(),
        text()
    ));
    std::fs::write(agent.path("database.password"), text()).expect("a password");
    agent.reconfigure("name = \"Acme Wiki\"", &format!("name = \"{}\"\nnodes = ['{}']", text(), text()));
    let options = ["--kind", "commercial", "--id", "L-1", "--support", "--prerequisite"];
    let needs = format!("{} ({})=paid", text(), text());
    let licensee = format!("{}, {}@example.org", text(), text());
    let key = agent.issue(&[&options[..], &[&needs, "--licensee", &licensee]].concat());
    agent.run(&["license", "set", &key]).ok();
    agent.run_with_input(&["user", "add", text(), "--password-stdin"], &format!("{}\n", text())).ok();
    agent.run(&["token", "create", "--name", text()]).ok();
    let password = agent.path("mail.password");
    std::fs::write(&password, text()).expect("a password");
    let (sender, recipient) = (format!("{}@example.org", text()), format!("{}@example.org", text()));
    let (host, password) = (format!("{}.example.org", text()), password.to_str().expect("a path"));
    let mail = ["--host", &host, "--user", text(), "--password-file", password, "--sender", &sender];
    agent.run(&[&["notices", "settings"], &mail[..], &["--recipient", &recipient]].concat()).ok();
    agent.run(&["notices", "add-webhook", &format!("https://{}.example.org/{}", text(), text())]).ok();
    Central::new().links(&agent);
    agent.run(&["sync"]);
    agent.run(&["sync"]);
    agent
}

/// All strings that are kept in the state as keys, secrets and hashes.
fn kept_secrets(agent: &Agent) -> Vec<String> {
    fn collect(value: &serde_json::Value, secrets: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                let is_secret = ["key", "pseudonym_key", "secret", "password", "hash", "join"].contains(&name.as_str());
                match value.as_str().filter(|text| is_secret && text.len() >= 16) {
                    Some(text) => secrets.push(text.to_owned()),
                    None => collect(value, secrets),
                }
            }),
            serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, secrets)),
            _ => {}
        }
    }
    let mut secrets = Vec::new();
    for file in std::fs::read_dir(agent.path("state")).expect("the state") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).expect("text");
            collect(&serde_json::from_str(&text).expect("JSON"), &mut secrets);
        }
    }
    assert!(secrets.len() >= 5, "{secrets:?}");
    secrets
}

/// Fails where a text, or a part of it, is in the file.
fn holds_none(file: &str, texts: &[String]) {
    for text in texts {
        for part in text.as_bytes().windows(PART.max(text.len() / 3)) {
            let part = std::str::from_utf8(part).expect("ASCII");
            assert!(!file.contains(part), "{part} of {text} is in the file: {file}");
        }
    }
}

#[test]
fn s11_nothing_that_somebody_typed_or_configured_is_in_the_file() {
    let mut runner =
        TestRunner::new(Config { cases: 4, max_shrink_iters: 0, failure_persistence: None, ..Config::default() });
    let tried = runner.run(&planted(), |planted| {
        let agent = agent_with(&planted);
        let file = agent.run(&["support-file"]).ok();
        holds_none(&file, &planted);
        holds_none(&file, &kept_secrets(&agent));
        for name in ["ann", "example.org", "127.0.0.1", "Example Central"] {
            prop_assert!(!file.contains(name), "{name} is in the file: {file}");
        }
        // It is of use all the same: the failures are there by their codes.
        let json: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        prop_assert_eq!(&json["exchange"]["problem"], "central-unreachable");
        prop_assert_eq!(&json["runs"][0]["omissions"][0], "accounts");
        prop_assert_eq!(&json["licenses"]["licenses"][0]["id"], "L-1");
        Ok(())
    });
    tried.expect("no part of it");
}

#[test]
fn s11_the_page_and_the_command_give_the_same_file() {
    let planted: Vec<String> = (0..18).map(|n| format!("zqxjv{n:02}kwzqxjvkwzqxj")).collect();
    let agent = agent_with(&planted);
    support::person::add_user(&agent, "ada", "administrator");
    let mut running = Running::start(&agent, &[], &[]);
    let ada = Person::signed_in(&running.address(), "ada");
    let by_page = ada.get("/support/file").body;
    let path = agent.path("support.json");
    agent.run(&["support-file", "--out", path.to_str().expect("a path")]).ok();
    let by_command = std::fs::read_to_string(&path).expect("the file");
    holds_none(&by_page, &planted);
    let fields = |file: &str| {
        let json: serde_json::Value = serde_json::from_str(file).expect("JSON");
        json.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(fields(&by_page), fields(&by_command));
}
