//! Nodes that share their state in a real PostgreSQL, through the command line.

mod support;

use serde_json::Value;
use support::agent::{Agent, seatline};
use support::central::Central;
use support::postgres::Postgres;
use support::running::Running;

fn database(server: &Postgres) -> String {
    server.address("owner", "wiki")
}

fn nodes(agent: &Agent) -> Value {
    agent.run(&["nodes", "--json"]).json()["nodes"].clone()
}

#[test]
fn c7_every_node_has_the_server_id_of_the_first_and_c8_a_license_is_set_for_all_at_once() {
    let server = Postgres::start();
    let (one, other) = (Agent::node("wiki-1", &database(&server)), Agent::node("wiki-2", &database(&server)));
    let id = |agent: &Agent| agent.run(&["server-id", "--json"]).json()["server_id"].clone();
    assert_eq!(id(&one), id(&other));
    assert!(!other.path("state").exists(), "the state is in the database alone");
    let key = one.issue(&["--kind", "commercial", "--id", "ALL"]);
    one.run(&["license", "set", &key]).ok();
    let shown = other.run(&["license", "show", "--json"]).json();
    assert_eq!(shown["standing"]["governed_by"], "ALL");
    assert_eq!(nodes(&other)[0]["id"], "wiki-2", "where no agent runs, it is the node of the command");
    assert_eq!(nodes(&other)[0]["license"], "ALL");
}

#[test]
fn without_a_shared_state_the_nodes_are_those_of_the_configuration() {
    let agent = Agent::new();
    let shown = agent.run(&["nodes", "--json"]).json();
    assert_eq!((&shown["shared"], &shown["nodes"][0]["id"]), (&false.into(), &"main".into()));
    assert_eq!(shown["nodes"][0]["seen_at"], Value::Null);
    agent.reconfigure("version = \"4.2.0\"\n", "version = \"4.2.0\"\nnodes = ['b', 'a']\n");
    let names: Vec<Value> = nodes(&agent).as_array().expect("nodes").iter().map(|node| node["id"].clone()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(agent.run(&["nodes"]).ok().ends_with("Agents that share their state ([state]) know of each other.\n"));
}

#[test]
fn a_state_of_another_product_is_not_taken_for_ones_own() {
    let server = Postgres::start();
    let _wiki = Agent::node("wiki-1", &database(&server));
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("forum");
    let init = |schema: &str| {
        let product = ["init", "--product", "acme-forum", "--name", "Forum", "--version", "1"];
        let state = ["--state", &database(&server), "--state-schema", schema, "--dir", dir.to_str().expect("a path")];
        seatline(&[&product[..], &state].concat())
    };
    let refused = init("seatline").refused("store-unavailable");
    assert!(refused.contains("it is that of the product `acme-wiki`, and this is `acme-forum`"), "{refused}");
    assert!(!dir.join("seatline.toml").exists(), "there is no configuration that names it");
    init("forum").ok();
    assert!(dir.join("seatline.toml").exists());
}

#[test]
fn a_database_that_cannot_be_reached_is_told_and_leaves_no_configuration() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("data");
    let state = format!("host={} dbname=wiki user=owner", home.path().display());
    let init = ["init", "--product", "x", "--name", "X", "--version", "1", "--state", &state, "--node", "x"];
    let refused =
        seatline(&[&init[..], &["--dir", dir.to_str().expect("a path")]].concat()).refused("store-unavailable");
    assert!(refused.contains("cannot reach the database `wiki` at "), "{refused}");
    assert!(!dir.exists());
}

#[test]
fn c7_a_state_in_files_is_not_forgotten_beside_one_in_a_database() {
    let server = Postgres::start();
    let agent = Agent::new();
    let id = agent.run(&["server-id"]).ok();
    agent.configure(&format!("\n[state]\ndatabase = \"{}\"\n", database(&server)));
    let refused = agent.run(&["server-id"]).refused("state-in-two-places");
    assert!(refused.contains("seatline state move"), "{refused}");
    agent.reconfigure("\n[state]\ndatabase = ", "\n# ");
    assert_eq!(agent.run(&["server-id"]).ok(), id);
}

#[test]
fn g5_one_node_synchronises_and_another_takes_over_when_it_ends_or_is_killed() {
    let server = Postgres::start();
    let agents = ["wiki-1", "wiki-2"].map(|name| Agent::node(name, &database(&server)));
    let mut first = Running::start(&agents[0], &[], &[]);
    first.until("this node synchronises from now on");
    first.until("the run failed");
    let mut second = Running::start(&agents[1], &[], &[]);
    assert_eq!(second.until("running nodes")["nodes"], "wiki-1, wiki-2");
    assert_eq!(first.until("running nodes")["nodes"], "wiki-1, wiki-2", "the other one sees it too");
    let shown = nodes(&agents[1]);
    assert!(shown[0]["synchronises_since"].is_string() && shown[1]["synchronises_since"].is_null(), "{shown}");

    first.signal("KILL");
    second.until("this node synchronises from now on");
    assert_eq!(nodes(&agents[1])[0]["state"], "lapsed");
    // It comes back under its name, and waits for its turn.
    let mut first = Running::start(&agents[0], &[], &[]);
    assert_eq!(first.until("running nodes")["nodes"], "wiki-1, wiki-2");
    second.signal("TERM");
    second.until("stopped");
    first.until("this node synchronises from now on");
    assert_eq!(nodes(&agents[0]).as_array().map(Vec::len), Some(1), "whoever ends well leaves the list at once");
}

#[test]
fn two_agents_under_one_name_are_told_apart_and_the_second_ends() {
    let server = Postgres::start();
    let agents = [0, 1].map(|_| Agent::node("wiki-1", &database(&server)));
    let mut first = Running::start(&agents[0], &[], &[]);
    first.until("running nodes");
    let mut second = Running::start(&agents[1], &[], &[]);
    assert_eq!(second.until("the other nodes do not see this one")["code"], "node-not-yet");
    assert_eq!(second.ended(), Some(1));
    first.signal("TERM");
    first.until("stopped");
    assert_eq!(first.ended(), Some(0));
}

#[test]
fn g5_a_node_that_was_killed_comes_back_under_its_name_when_it_has_lapsed() {
    let server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    let mut running = Running::start(&agent, &[], &[]);
    running.until("this node synchronises from now on");
    running.signal("KILL");
    let mut running = Running::start(&agent, &[], &[]);
    running.until("the other nodes do not see this one");
    running.until("the other nodes see this one again");
    running.until("this node synchronises from now on");
}

#[test]
fn a_database_that_restarts_under_a_running_agent_is_told_and_the_agent_goes_on() {
    let mut server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    let mut running = Running::start(&agent, &[], &[]);
    running.until("the run failed");
    server.stop("INT");
    running.until("the other nodes do not see this one");
    agent.run(&["status"]).refused("store-unavailable");
    server.start_again();
    running.until("the other nodes see this one again");
    let mut client = server.client();
    client.execute("UPDATE seatline.instance SET layout = layout + 1", &[]).expect("a newer version was here");
    assert_eq!(running.ended(), Some(1), "an agent of an older version ends");
}

/// An agent with a state in files, and `[state]` in its configuration.
fn to_be_moved(server: &Postgres) -> Agent {
    let agent = Agent::new();
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--id", "L-1"])]).ok();
    agent.install_plugin();
    let central = Central::new();
    agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
    let answer = serde_json::to_string(&central.approval(&agent)).expect("JSON");
    agent.run_with_input(&["report", "import-receipts", "-"], &answer).ok();
    for _ in 0..3 {
        agent.run(&["sync"]).refused("central-unreachable");
    }
    agent.configure(&format!("\n[state]\ndatabase = \"{}\"\n[cluster]\nnode = 'wiki-1'\n", database(server)));
    agent
}

#[test]
fn c7_a_state_moves_into_the_database_with_its_server_id_licenses_and_reports_and_does_not_live_on_in_files() {
    let server = Postgres::start();
    let agent = to_be_moved(&server);
    agent.reconfigure("\n[state]\ndatabase = ", "\n#[state]\n#database = ");
    agent.reconfigure("[cluster]\nnode", "#[cluster]\n#node");
    let shown = |agent: &Agent| {
        let mut status = agent.run(&["status", "--json"]).json();
        (status["standing"].take(), status["outbox"].take(), status["link"].take(), status["server_id"].take())
    };
    let before = (agent.run(&["server-id"]).ok(), agent.waiting(), agent.run(&["license", "history", "--json"]).json());
    let link = shown(&agent).2;
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut on_files = Running::start(&agent, &[], &[]);
    on_files.until("started");
    agent.reconfigure("\n#[state]\n#database = ", "\n[state]\ndatabase = ");
    agent.reconfigure("#[cluster]\n#node", "[cluster]\nnode");

    let moved = agent.run(&["state", "move", "--json"]).json();
    assert!(moved["to"].as_str().is_some_and(|to| to.starts_with("the schema `seatline` of the database `wiki` at ")));
    let after = (agent.run(&["server-id"]).ok(), agent.waiting(), agent.run(&["license", "history", "--json"]).json());
    assert_eq!(before.0, after.0);
    assert!(before.1.iter().zip(&after.1).all(|(before, after)| before.0 == after.0), "the same bytes wait");
    assert!(before.1.len() >= 3 && after.1.len() >= before.1.len());
    assert_eq!(before.2, after.2);
    assert_eq!(shown(&agent).2, link);
    // Who still runs on the files does nothing any more, and says why.
    let told = on_files.until("nothing is counted or sent until this is mended");
    assert_eq!(told["code"], "store-moved");

    agent.run(&["state", "move"]).refused("store-moved");
    agent.reconfigure("\n[state]\ndatabase = ", "\n#[state]\n#database = ");
    agent.reconfigure("[cluster]\nnode", "#[cluster]\n#node");
    let refused = agent.run(&["server-id"]).refused("store-moved");
    assert!(refused.contains("was moved to the schema `seatline` of the database `wiki` at "), "{refused}");
    agent.run(&["state", "move"]).refused("no-database");
}

#[test]
fn a_move_that_was_interrupted_anywhere_leaves_one_state_and_is_ended_by_the_same_command() {
    let server = Postgres::start();
    let agent = to_be_moved(&server);
    let marked = agent.path("state/moved");
    let phase = |phase: &str, place: &str| {
        let place = if place.is_empty() { "NULL".to_owned() } else { format!("'{place}'") };
        server.execute(&format!("UPDATE seatline.instance SET phase = '{phase}', place = {place}"));
    };
    agent.run(&["state", "move"]).ok();
    let id = agent.run(&["server-id"]).ok();
    let place = format!("{} of the node wiki-1", agent.path("state").display());

    // After all has arrived, and before the files were left: then they are the state, and the copy may be torn.
    std::fs::remove_file(&marked).expect("the mark");
    phase("arriving", &place);
    server.execute("DELETE FROM seatline.slots WHERE name = 'licenses'; DELETE FROM seatline.records");
    agent.run(&["server-id"]).refused("state-in-two-places");
    let other = to_be_moved(&server);
    let refused = other.run(&["state", "move"]).refused("state-arriving");
    assert!(refused.contains(&format!("the state of {place} is being moved into ")), "{refused}");
    agent.run(&["state", "move"]).ok();
    assert_eq!(agent.run(&["server-id"]).ok(), id);
    assert_eq!(agent.run(&["license", "show", "--json"]).json()["standing"]["governed_by"], "L-1");
    assert!(agent.waiting().len() >= 3);

    // After the files were left, and before the state lives in the database.
    phase("arriving", &place);
    let refused = agent.run(&["server-id"]).refused("store-unavailable");
    assert!(refused.contains("if `seatline state move` was interrupted, run it again to its end"), "{refused}");
    agent.run(&["state", "move"]).ok();
    assert_eq!(agent.run(&["server-id"]).ok(), id);

    // And no other state takes its place.
    let refused = other.run(&["state", "move"]).refused("state-occupied");
    assert!(refused.contains("of the product `acme-wiki`: name another `schema`"), "{refused}");
    assert!(!other.path("state/moved").exists());
    agent.run(&["state", "move"]).refused("store-moved");
    assert_eq!(agent.run(&["server-id"]).ok(), id);
}

#[test]
fn c7_a_state_comes_back_into_files_as_it_is_and_lives_no_more_in_the_database() {
    let server = Postgres::start();
    let agent = to_be_moved(&server);
    agent.run(&["state", "move"]).ok();
    agent.run(&["sync"]).refused("central-unreachable");
    let shown = |agent: &Agent| {
        (agent.run(&["server-id"]).ok(), agent.waiting(), agent.run(&["license", "history", "--json"]).out)
    };
    let before = shown(&agent);
    let other = Agent::node("wiki-2", &database(&server));

    let fetched = agent.run(&["state", "fetch", "--json"]).json();
    assert_eq!(fetched["to"], agent.path("state").to_str().expect("a path"));
    let two = agent.run(&["server-id"]).refused("state-in-two-places");
    assert!(two.contains("seatline state move"), "{two}");
    let refused = other.run(&["server-id"]).refused("store-moved");
    assert!(refused.contains("state of the node wiki-1"), "{refused}");
    other.run(&["state", "fetch"]).refused("store-moved");
    agent.run(&["state", "fetch"]).refused("state-in-two-places");

    // Interrupted after the database was left, and before the directory took its place.
    std::fs::rename(agent.path("state"), agent.path("state.arriving")).expect("as it was then");
    agent.run(&["state", "fetch"]).ok();
    // Gone for good is not made anew.
    std::fs::rename(agent.path("state"), agent.path("elsewhere")).expect("moved");
    agent.run(&["state", "fetch"]).refused("state-missing");
    std::fs::rename(agent.path("elsewhere"), agent.path("state")).expect("moved back");

    agent.reconfigure("\n[state]\ndatabase = ", "\n#[state]\n#database = ");
    agent.reconfigure("[cluster]\nnode", "#[cluster]\n#node");
    let after = shown(&agent);
    assert_eq!((&before.0, &before.2), (&after.0, &after.2));
    assert!(before.1.iter().zip(&after.1).all(|(before, after)| before.0 == after.0), "the same bytes wait");
    assert!(before.1.len() >= 4 && after.1.len() == before.1.len());
    agent.run(&["sync"]).refused("central-unreachable");
    assert_eq!(agent.waiting().len(), before.1.len() + 1, "and it goes on from there");

    // And into the database again.
    agent.reconfigure("\n#[state]\n#database = ", "\n[state]\ndatabase = ");
    agent.reconfigure("#[cluster]\n#node", "[cluster]\nnode");
    agent.run(&["state", "move"]).ok();
    assert_eq!(agent.run(&["server-id"]).ok(), before.0);
    assert_eq!(agent.waiting().len(), before.1.len() + 1);
}

#[test]
fn without_a_state_nothing_is_fetched() {
    let server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    server.execute("DELETE FROM seatline.slots");
    agent.run(&["state", "fetch"]).refused("nothing-to-move");
    assert!(!agent.path("state").exists());
}

#[test]
fn without_a_state_in_files_nothing_is_moved() {
    let server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    agent.run(&["state", "move"]).refused("nothing-to-move");
}
