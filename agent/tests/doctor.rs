//! `seatline doctor`: what is wrong is named with its way out, and nothing is changed by looking.

mod support;

use std::os::unix::fs::PermissionsExt as _;

use seatline_host::held::MAX_HELD;
use seatline_host::store::{Directory, Log, StoreError, change, records};
use serde_json::Value;
use support::agent::{Agent, seatline};
use support::central::Central;
use support::running::Running;

/// What was found, each as `check condition code`, with the exit status.
fn findings(agent: &Agent) -> (i32, Vec<String>) {
    let finished = agent.run(&["doctor", "--json"]);
    let shown: Value = serde_json::from_str(&finished.out).expect("one JSON value");
    let line = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default();
        format!("{} {} {}", text("check"), text("condition"), text("code")).trim_end().to_owned()
    };
    (finished.code, shown["findings"].as_array().expect("a list").iter().map(line).collect())
}

/// The one finding about `check`.
fn finding(agent: &Agent, check: &str) -> String {
    let (_, all) = findings(agent);
    let about: Vec<_> = all.into_iter().filter(|line| line.starts_with(check)).collect();
    assert_eq!(about.len(), 1, "{about:?}");
    about.concat()
}

/// An agent with everything but a link.
fn in_order() -> Agent {
    let agent = Agent::new();
    agent.install_plugin();
    let key = agent.issue(&["--kind", "commercial", "--limit", "users=50"]);
    agent.run(&["license", "set", &key]).ok();
    agent.run(&["sync"]).refused("not-linked");
    agent
}

#[test]
fn a_new_agent_is_told_what_is_left_to_do_and_nothing_of_it_is_a_failure_but_the_license() {
    let agent = Agent::new();
    agent.configure("\n[http]\nlisten = '127.0.0.1:1'\n");
    let (code, findings) = findings(&agent);
    assert_eq!(code, 1);
    assert_eq!(
        findings,
        [
            "directory good",
            "configuration good",
            "state good",
            "licenses bad no-license",
            "plugin attention no-plugin",
            "last run attention no-run",
            "accounts good",
            "dimension good",
            "agent attention agent-silent",
            "link attention not-linked",
            "notices attention notices-unset",
            "pages attention no-administrator",
        ]
    );
    let shown = agent.run(&["doctor"]);
    let line = shown.out.lines().find(|line| line.contains("[no-plugin]")).expect("the line");
    assert_eq!(
        line,
        "attention  plugin         none is installed, so nothing is counted: `seatline plugin install FILE` [no-plugin]"
    );
    shown.refused("no-license");
}

#[test]
fn what_works_is_good_and_the_exit_status_says_so() {
    let agent = in_order();
    agent.run_with_input(&["user", "add", "ada", "--password-stdin"], "a long enough password\n").ok();
    let before = std::fs::read_dir(agent.path("")).expect("the directory").count();
    let (code, found) = findings(&agent);
    assert_eq!(code, 0, "{found:?}");
    for line in ["licenses good", "plugin good", "last run good", "accounts good", "dimension good", "pages good"] {
        assert!(found.iter().any(|found| found == line), "{line}: {found:?}");
    }
    assert_eq!(std::fs::read_dir(agent.path("")).expect("the directory").count(), before, "it leaves nothing behind");
}

#[test]
fn without_a_configuration_the_rest_is_unknown() {
    let nowhere = seatline(&["doctor"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.out.contains("unknown    state"), "{}", nowhere.out);
    nowhere.refused("config-missing");

    let agent = Agent::new();
    agent.configure("\n[nonsense]\n");
    let (_, found) = findings(&agent);
    assert_eq!(found, ["directory good", "configuration bad config-unknown-key", "state unknown"]);
}

#[test]
fn damage_is_named_and_the_accounts_are_looked_at_all_the_same() {
    let agent = in_order();
    std::fs::write(agent.path("state/licenses.json"), "rubbish").expect("damage");
    let (code, found) = findings(&agent);
    assert_eq!(code, 1);
    assert!(found.contains(&"state bad store-damaged".to_owned()), "{found:?}");
    assert!(found.contains(&"licenses unknown".to_owned()), "{found:?}");
    assert!(found.contains(&"accounts good".to_owned()), "{found:?}");

    std::fs::write(agent.path("state/identity.json"), "rubbish").expect("damage");
    let (_, found) = findings(&agent);
    assert!(found.contains(&"licenses unknown".to_owned()), "{found:?}");
    assert!(found.contains(&"accounts good".to_owned()), "{found:?}");
}

#[test]
fn where_there_is_no_state_none_is_made_by_looking() {
    let agent = in_order();
    let identity = agent.path("state/identity.json");
    std::fs::remove_file(&identity).expect("it is lost");
    let (code, found) = findings(&agent);
    assert_eq!(code, 1);
    assert!(found.contains(&"state bad state-missing".to_owned()), "{found:?}");
    assert!(!identity.exists(), "another server ID would make the license and the link strangers");
}

#[test]
fn each_thing_that_is_wrong_has_its_code() {
    let agent = in_order();
    std::fs::set_permissions(agent.path(""), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    assert_eq!(finding(&agent, "directory"), "directory attention directory-open");

    agent.reconfigure("select 17", "select no_such_thing");
    assert_eq!(finding(&agent, "dimension"), "dimension bad source-query");
    agent.reconfigure("service_account from users", "service_account from no_such_table");
    assert_eq!(finding(&agent, "accounts"), "accounts bad source-query");

    agent.reconfigure("from no_such_table", "from users where 0");
    assert_eq!(finding(&agent, "accounts"), "accounts attention accounts-empty");

    let plugins = agent.path("plugins");
    for file in std::fs::read_dir(&plugins).expect("the plugins") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            std::fs::write(path, "changed").expect("a change");
        }
    }
    assert_eq!(finding(&agent, "plugin"), "plugin bad plugin-changed");

    agent.run(&["notices", "settings", "--recipient", "ada@example.org"]).ok();
    let (_, found) = findings(&agent);
    assert!(found.contains(&"notices bad mail-incomplete".to_owned()), "{found:?}");
}

#[test]
fn a_central_server_that_does_not_answer_is_told() {
    let (agent, central) = (in_order(), Central::new());
    agent.run(&["link", "accept", &central.invite(), "--yes"]);
    let (_, found) = findings(&agent);
    assert!(found.contains(&"central bad central-unreachable".to_owned()), "{found:?}");
    assert!(found.contains(&"link attention link-pending".to_owned()), "{found:?}");
}

#[test]
fn b6_reports_that_wait_for_approval_are_told_and_that_no_more_are_made_where_as_many_wait_as_can() {
    let (agent, central) = (in_order(), Central::new());
    central.links(&agent);
    assert!(findings(&agent).1.iter().all(|line| !line.starts_with("approval")), "reports leave by themselves");
    agent.run(&["report", "hold", "on"]).ok();
    assert_eq!(finding(&agent, "approval"), "approval good");
    agent.run(&["sync"]).ok();
    assert_eq!(finding(&agent, "approval"), "approval attention reports-held");
    let store = Directory::open(agent.path("state")).expect("the store");
    let one = records(&store, Log::Held).expect("what is held").remove(0);
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Held, &mut |_| false, &vec![one; MAX_HELD]));
    filled.expect("as many as can be");
    agent.run(&["sync"]).refused("held-full");
    assert_eq!(finding(&agent, "approval"), "approval bad held-full");
    let shown = agent.run(&["doctor"]).out;
    assert!(shown.contains("200 reports wait, and no further one is made"), "{shown}");
    agent.run(&["report", "discard", "--all"]).ok();
    assert_eq!(finding(&agent, "approval"), "approval good");
}

#[test]
fn a_running_agent_is_found_where_it_listens() {
    let agent = in_order();
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    agent.configure(&format!("\n[http]\nlisten = '{address}'\n"));
    assert_eq!(finding(&agent, "agent"), "agent good");
    std::fs::write(agent.path("state/licenses.json"), "rubbish").expect("damage");
    assert_eq!(finding(&agent, "agent"), "agent bad agent-unhealthy");
}
