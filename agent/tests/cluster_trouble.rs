//! Nodes that stand still, whose clock is wrong, or whose database does; through the binary.

mod support;

use std::time::{Duration, Instant};

use seatline_protocol::Report;
use seatline_protocol::report::Outcome;
use seatline_tests::clock;
use serde_json::Value;
use support::agent::Agent;
use support::central::Central;
use support::http::send;
use support::mail::mail_server::MailServer;
use support::mail::read;
use support::person::{Person, add_user};
use support::postgres::Postgres;
use support::running::Running;
use support::wait::until;

fn database(server: &Postgres) -> String {
    server.address("owner", "wiki")
}

/// The node whose turn it is.
fn on_duty(agent: &Agent) -> Option<String> {
    let nodes = agent.run(&["nodes", "--json"]).json()["nodes"].clone();
    let nodes = nodes.as_array().expect("nodes").clone();
    let node = nodes.into_iter().find(|node| node["synchronises_since"].is_string());
    node.map(|node| node["id"].as_str().expect("its name").to_owned())
}

/// How many accounts a report counts.
fn total(report: &Report) -> Option<u64> {
    match &report.outcome {
        Outcome::Collected(collected) => collected.accounts.as_ref().map(|accounts| accounts.total),
        Outcome::Failed(_) => None,
    }
}

#[test]
fn g5_a_node_that_stood_still_in_the_middle_of_a_run_reports_nothing_of_long_ago_and_leaves_the_turn_to_its_successor()
{
    let server = Postgres::start();
    let [paused, other] = ["wiki-1", "wiki-2"].map(|name| Agent::node(name, &database(&server)));
    [&paused, &other].into_iter().for_each(Agent::install_plugin);
    let central = Central::new();
    paused.run(&["link", "accept", &central.invite(), "--yes"]).ok();
    let answer = serde_json::to_string(&central.approval(&paused)).expect("JSON");
    paused.run_with_input(&["report", "import-receipts", "-"], &answer).ok();
    // The product of the first node has one account, and the program that prints it does not end before it may. When it
    // is asked again, it has three.
    let dir = paused.path("");
    let (reached, gate) = (dir.join("reached"), dir.join("gate"));
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().expect("mkfifo").success());
    let script = r#"cd DIR; echo '{"identity": "a"}'
if [ -e reached ]; then echo '{"identity": "b"}'; echo '{"identity": "c"}'; else touch reached; cat gate; fi"#;
    let script = script.replace("DIR", &dir.display().to_string());
    let program = format!("[accounts]\n[accounts.command]\nrun = ['sh', '-c', \"\"\"{script}\"\"\"]\n");
    let config = std::fs::read_to_string(paused.path("seatline.toml")).expect("the configuration");
    let (begin, rest) = config.split_once("\n[accounts]").expect("the accounts");
    let rest = &rest[rest.find("\n[[dimension]]").expect("the dimension")..];
    let rest = rest.replacen("name = 'pages'", "name = 'pages'\ndatabase = 'wiki.db'", 1);
    std::fs::write(paused.path("seatline.toml"), format!("{begin}\n{program}{rest}")).expect("the configuration");

    let mut first = Running::start(&paused, &[], &[]);
    first.until("this node synchronises from now on");
    until("the run of the first node", || reached.exists().then_some(()));
    first.signal("STOP");
    let mut second = Running::start(&other, &[], &[]);
    second.until("this node synchronises from now on");
    second.until("collected");
    assert_eq!(other.waiting().iter().map(|(_, report)| total(report)).collect::<Vec<_>>(), [Some(8)]);

    // It wakes up with its run at an end, in which it has seen one account.
    std::fs::write(&gate, "").expect("the program may end");
    first.signal("CONT");
    first.until("another node synchronises now");
    first.until("collected");
    let reports: Vec<(u64, Option<u64>)> =
        other.waiting().iter().map(|(_, report)| (report.sequence.get(), total(report))).collect();
    assert_eq!(reports, [(1, Some(8)), (2, Some(3))], "what it counted before is in no report");
    assert_eq!(on_duty(&other).as_deref(), Some("wiki-2"));
}

#[test]
fn s5_the_node_whose_turn_it_is_sends_each_reminder_once_and_its_successor_does_not_send_it_again() {
    let server = Postgres::start();
    let mut mails = MailServer::plain();
    let agents = ["wiki-1", "wiki-2", "wiki-3"].map(|name| Agent::node(name, &database(&server)));
    agents.iter().for_each(Agent::install_plugin);
    agents[0].tells_by_mail(&mails);
    agents[0].licensed_for("L-1", 20);
    let mut running = agents.each_ref().map(|agent| Running::start(agent, &["--listen", "off"], &[]));
    for running in &mut running {
        running.until("running nodes");
    }
    assert!(read(&mails.mail()).0.contains("License L-1 expires on"));

    let leader = until("a node on duty", || on_duty(&agents[0]));
    let at = agents.iter().position(|agent| agent.path("seatline.toml").exists() && name(agent) == leader);
    let at = at.expect("one of the three");
    running[at].signal("KILL");
    until("another node on duty", || on_duty(&agents[0]).filter(|node| *node != leader));
    // What is told next is the next thing: nothing comes a second time.
    agents[0].run(&["notices", "settings", "--threshold", "users=60"]).ok();
    assert!(read(&mails.mail()).0.contains("The threshold of 60 % is reached"));
    let book = agents[0].run(&["notices", "check", "--json"]).json();
    assert_eq!((&book["due"], &book["tried"]), (&serde_json::json!([]), &0.into()));
    agents[0].run(&["notices", "test"]).ok();
    assert_eq!(read(&mails.mail()).0, "[Acme Wiki] A test of the notifications");
}

/// The name of a node, as it is configured.
fn name(agent: &Agent) -> String {
    let config = std::fs::read_to_string(agent.path("seatline.toml")).expect("the configuration");
    let node = config.lines().find_map(|line| line.strip_prefix("node = ")).expect("a name");
    node.trim_matches('"').to_owned()
}

#[test]
fn g5_a_node_that_cannot_count_passes_the_turn_on_and_one_alone_keeps_it() {
    let server = Postgres::start();
    let [lame, sound] = ["wiki-1", "wiki-2"].map(|name| Agent::node(name, &database(&server)));
    [&lame, &sound].into_iter().for_each(Agent::install_plugin);
    std::fs::remove_file(lame.path("wiki.db")).expect("its product's database is gone");
    let mut alone = Running::start(&lame, &[], &[]);
    alone.until("missing from the report");
    assert_eq!(until("a node on duty", || on_duty(&sound)), "wiki-1", "there is no other");
    alone.signal("TERM");
    alone.ended();

    // Both run, and it is the turn of the one that cannot count.
    let mut first = Running::start(&lame, &[], &[]);
    first.until("this node synchronises from now on");
    let mut second = Running::start(&sound, &[], &[]);
    second.until("running nodes");
    assert_eq!(on_duty(&sound).as_deref(), Some("wiki-1"));
    Central::new().links(&sound);
    first.until("this node could not count or reach the central server");
    second.until("this node synchronises from now on");
    assert_eq!(on_duty(&lame).as_deref(), Some("wiki-2"));
}

#[test]
fn g5_a_node_whose_clock_is_wrong_by_days_neither_lapses_nor_keeps_the_turn() {
    let server = Postgres::start();
    let agents = ["wiki-1", "wiki-2", "wiki-3"].map(|name| Agent::node(name, &database(&server)));
    let start = |at: usize, off: &str| {
        let clock = clock(off);
        let environment = clock.each_ref().map(|(name, value)| (*name, value.as_str()));
        Running::start(&agents[at], &["--listen", "off"], &environment)
    };
    let mut ahead = start(0, "+5d");
    ahead.until("this node synchronises from now on");
    let mut behind = start(1, "-5d");
    behind.until("running nodes");
    let mut right = Running::start(&agents[2], &["--listen", "off"], &[]);
    assert_eq!(right.until("running nodes")["nodes"], "wiki-1, wiki-2, wiki-3", "none of them has lapsed");
    assert_eq!(on_duty(&agents[2]).as_deref(), Some("wiki-1"));
    ahead.signal("KILL");
    let next = until("another node on duty", || on_duty(&agents[2]).filter(|node| node != "wiki-1"));
    assert!(["wiki-2", "wiki-3"].contains(&next.as_str()), "{next}");
}

#[test]
fn g3_s9_a_license_set_on_one_node_holds_on_another_at_once_and_what_it_knew_last_while_the_database_is_away() {
    let mut server = Postgres::start();
    let agents = ["wiki-1", "wiki-2"].map(|name| Agent::node(name, &database(&server)));
    let token = agents[0].token("wiki", "read");
    let mut running = agents.each_ref().map(|agent| Running::start(agent, &[], &[]));
    let addresses = running.each_mut().map(Running::address);
    let bearer = format!("Bearer {token}");
    let get = |at: usize, path: &str| send(&addresses[at], "GET", path, &[("Authorization", bearer.as_str())], "");
    let is_enabled = |at: usize| get(at, "/v1/features/sso").json()["enabled"] == true;
    assert!(!is_enabled(0) && !is_enabled(1));

    let key = agents[0].issue(&["--kind", "commercial", "--id", "ALL", "--feature", "sso"]);
    agents[0].run(&["license", "set", &key]).ok();
    let set = Instant::now();
    until("the feature on both nodes", || (is_enabled(0) && is_enabled(1)).then_some(()));
    // Without a look at what others have changed, it would be a minute.
    assert!(set.elapsed() < Duration::from_secs(30), "{:?}", set.elapsed());

    server.stop("INT");
    let mut problem = Value::Null;
    until("the problem to be told", || {
        problem = get(1, "/v1/standing").json()["problem"].clone();
        (!problem.is_null()).then_some(())
    });
    assert_eq!(problem["code"], "store-unavailable", "{problem}");
    let message = problem["message"].as_str().expect("a message");
    assert!(message.contains("cannot reach the database `wiki` at "), "{message}");
    assert!(is_enabled(0) && is_enabled(1), "the last known answer holds");
    assert_eq!(send(&addresses[1], "GET", "/healthz", &[], "").status, 503);
    server.start_again();
    until("the database to be found again", || {
        (get(1, "/v1/standing").json()["problem"].is_null() && on_duty(&agents[1]).is_some()).then_some(())
    });
    assert_eq!(send(&addresses[1], "GET", "/healthz", &[], "").status, 200);
    let key = agents[1].issue(&["--kind", "commercial", "--id", "NEW", "--replaces", "ALL"]);
    agents[1].run(&["license", "set", &key]).ok();
    until("the feature to be gone on both nodes", || (!is_enabled(0) && !is_enabled(1)).then_some(()));
}

#[test]
fn g3_a_database_that_stands_still_keeps_nobody_waiting_for_what_is_known() {
    let server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    let token = agent.token("wiki", "read");
    add_user(&agent, "ada", "administrator");
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--feature", "sso"])]).ok();
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    running.until("this node synchronises from now on");
    let bearer = format!("Bearer {token}");
    let get = |path: &str| send(&address, "GET", path, &[("Authorization", bearer.as_str())], "").json();
    assert_eq!(get("/v1/features/sso")["enabled"], true);
    let ada = Person::signed_in(&address, "ada");

    // It breaks no connection, and answers nothing.
    server.stand_still("STOP");
    let (mut longest, mut problem) = (Duration::ZERO, Value::Null);
    until("the problem to be told", || {
        let asked = Instant::now();
        assert_eq!(get("/v1/features/sso")["enabled"], true);
        problem = get("/v1/standing")["problem"].take();
        longest = longest.max(asked.elapsed());
        (!problem.is_null()).then_some(())
    });
    assert!(longest < Duration::from_secs(15), "two answers waited for the database: {longest:?}");
    let message = problem["message"].as_str().expect("a message");
    assert!(message.ends_with("has not answered for 15 seconds; look whether it stands still"), "{message}");
    running.until("the other nodes do not see this one");
    // A page asks for much more than one answer, and waits for one at the most.
    for path in ["/license", "/system"] {
        let asked = Instant::now();
        let page = ada.get(path);
        assert!(asked.elapsed() < Duration::from_secs(25), "{path} took {:?}", asked.elapsed());
        assert_eq!(page.status, 200, "{path}: {page:?}");
        assert!(page.body.contains("has not answered for 15 seconds"), "{path}: {}", page.body);
    }
    server.stand_still("CONT");
    running.until("the other nodes see this one again");
    until("the problem to be over", || get("/v1/standing")["problem"].is_null().then_some(()));
}

#[test]
fn c8_p3_a_license_by_node_covers_the_node_that_it_was_set_for_and_list_and_page_show_which_lacks_one() {
    let server = Postgres::start();
    let agents = ["wiki-1", "wiki-2", "wiki-3"].map(|name| Agent::node(name, &database(&server)));
    add_user(&agents[0], "ada", "administrator");
    let mut running = agents.each_ref().map(|agent| Running::start(agent, &[], &[]));
    let address = running[2].address();
    let list = || agents[1].run(&["nodes", "--json"]).json()["nodes"].clone();
    until("three running nodes", || (list().as_array().map(Vec::len) == Some(3)).then_some(()));

    // One license for all of them covers as many as it says.
    let few = agents[0].issue(&["--kind", "commercial", "--id", "FEW", "--limit", "nodes=2"]);
    agents[0].run(&["license", "set", &few]).ok();
    let standing = || agents[0].run(&["license", "show", "--json"]).json()["standing"].clone();
    let limit = standing()["limits"][0].clone();
    assert_eq!((&limit["dimension"], &limit["used"], &limit["max"]), (&"nodes".into(), &3.into(), &2.into()));
    for (id, node) in [("N-1", "wiki-1"), ("N-2", "wiki-2")] {
        let key = agents[0].issue(&["--kind", "commercial", "--mode", "node", "--id", id, "--replaces", "FEW"]);
        agents[0].run(&["license", "set", "--node", node, &key]).ok();
    }
    let licenses: Vec<Value> = list().as_array().expect("nodes").iter().map(|node| node["license"].clone()).collect();
    assert_eq!(licenses, ["N-1".into(), "N-2".into(), Value::Null]);
    let text = agents[0].run(&["nodes"]).ok();
    let lacking = text.lines().find(|line| line.starts_with("wiki-3")).expect("its line");
    assert!(lacking.trim_end().ends_with("none"), "{text}");
    let page = until("the page to show it", || {
        let page = Person::signed_in(&address, "ada").get("/license").body;
        page.contains("N-2").then_some(page)
    });
    for shown in ["wiki-1", "wiki-2", "wiki-3", "N-1"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    // Whoever is gone needs none.
    running[2].signal("TERM");
    running[2].until("stopped");
    assert_eq!(standing()["nodes"].as_array().map(Vec::len), Some(2), "{}", standing());
}

#[test]
fn g6_the_doctor_tells_of_nodes_that_are_gone_or_differ_and_metrics_whose_turn_it_is() {
    let server = Postgres::start();
    let agents = ["wiki-1", "wiki-2"].map(|name| Agent::node(name, &database(&server)));
    let doctor = || {
        let finished = agents[0].run(&["doctor", "--json"]).out;
        let shown: Value = serde_json::from_str(&finished).expect("JSON");
        let findings = shown["findings"].as_array().expect("findings").clone();
        let about = findings.into_iter().filter(|finding| finding["check"] == "nodes");
        about.map(|finding| format!("{} {}", finding["code"], finding["message"])).collect::<Vec<_>>()
    };
    assert!(doctor()[0].starts_with("\"nodes-silent\""), "{:?}", doctor());
    agents[0].install_plugin();
    for agent in &agents {
        agent.configure("\n[http]\nmetrics = 'open'\n");
    }
    let mut first = Running::start(&agents[0], &[], &[]);
    let mut addresses = vec![first.address()];
    first.until("this node synchronises from now on");
    let mut second = Running::start(&agents[1], &[], &[]);
    addresses.push(second.address());
    second.until("running nodes");
    for (address, turn) in addresses.iter().zip([1, 0]) {
        let page = send(address, "GET", "/metrics", &[], "").body;
        assert!(page.lines().any(|line| line == format!("seatline_node_synchronises {turn}")), "{page}");
    }
    assert_eq!(doctor().len(), 2, "{:?}", doctor());
    assert!(doctor()[0].ends_with("\"wiki-1, wiki-2 run; wiki-1 synchronises\""), "{:?}", doctor());
    assert!(doctor()[1].starts_with("\"nodes-differ\""), "{:?}", doctor());
    let digest = |at: usize| agents[0].run(&["nodes", "--json"]).json()["nodes"][at]["plugin"].clone();
    assert_eq!(digest(1), Value::Null);
    // What is installed while the agent runs is seen with its next sign of life.
    agents[1].install_plugin();
    until("the same plugin", || (digest(1).is_string() && digest(0) == digest(1)).then_some(()));
    assert_eq!(doctor().len(), 1, "{:?}", doctor());
    second.signal("KILL");
    until("it to lapse", || doctor()[0].starts_with("\"node-lapsed\"").then_some(()));
}
