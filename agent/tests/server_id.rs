//! The server ID, through the real binary and real databases (`c7`, `s2`, `s3`).

mod support;

use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use serde_json::Value;
use support::agent::Agent;
use support::postgres::Postgres;

/// One server for all tests of this file; each uses databases of its own.
static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

/// What `seatline server-id` knows.
fn facts(agent: &Agent) -> Value {
    agent.run(&["server-id", "--json"]).json()
}

fn id(agent: &Agent) -> String {
    agent.server_id()
}

/// The parts that were others at the last change.
fn changed(agent: &Agent) -> Vec<String> {
    let facts = facts(agent);
    let last = facts["history"].as_array().and_then(|history| history.last()).expect("a change");
    last["changed"].as_array().expect("parts").iter().map(|part| part.as_str().expect("a name").to_owned()).collect()
}

/// The code of the problem that the last look had.
fn problem(agent: &Agent) -> String {
    facts(agent)["problem"]["code"].as_str().unwrap_or_default().to_owned()
}

fn verdict(agent: &Agent) -> (String, String) {
    let standing = agent.run(&["license", "show", "--json"]).json()["standing"].clone();
    let reason = standing["reasons"][0]["message"].as_str().unwrap_or_default().to_owned();
    (standing["verdict"].as_str().expect("a verdict").to_owned(), reason)
}

/// Makes a wiki in a database of SQLite, installed with this mark.
fn install_wiki(path: &Path, mark: &str) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    let install =
        "drop table if exists installation; create table installation (id text); insert into installation values (?1)";
    for statement in install.split("; ") {
        let parameters: &[&dyn rusqlite::ToSql] = if statement.contains('?') { &[&mark] } else { &[] };
        connection.execute(statement, parameters).expect("installed");
    }
}

const BOUND: &str = "\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'select id from installation'\n";

/// An agent beside a wiki in SQLite.
fn bound() -> Agent {
    let agent = Agent::new();
    install_wiki(&agent.path("wiki.db"), "7f3a");
    agent.configure(BOUND);
    agent
}

/// An agent beside a wiki in `database` of PostgreSQL, at this host.
fn beside(host: &str, database: &str) -> Agent {
    let agent = Agent::new();
    std::fs::write(agent.path("wiki.password"), "secret").expect("the password");
    agent.configure(BOUND);
    agent.configure(&format!("database = '{}'\npassword_file = 'wiki.password'\n", address(host, database)));
    agent
}

fn address(host: &str, database: &str) -> String {
    format!("postgres://seatline@{host}:{}/{database}", SERVER.port)
}

/// Makes a database `name` with a wiki that was installed with this mark, or empties it for a new one.
fn install(name: &str, mark: &str) {
    SERVER.execute(
        "do $$ begin create role seatline login superuser password 'secret'; exception when others then null; end $$",
    );
    let mut server = SERVER.client();
    server.batch_execute(&format!("drop database if exists {name}")).expect("dropped");
    server.batch_execute(&format!("create database {name}")).expect("made");
    run_in(name, &format!("create table installation (id text); insert into installation values ('{mark}')"));
}

fn run_in(database: &str, statements: &str) {
    let address = SERVER.address("owner", database);
    let mut client = postgres::Client::connect(&address, postgres::NoTls).expect("a connection");
    client.batch_execute(statements).expect("the statements");
}

#[test]
fn c7_an_instance_keeps_its_id_whatever_becomes_of_its_database() {
    let agent = Agent::new();
    let before = id(&agent);
    install_wiki(&agent.path("other.db"), "aaaa");
    agent.reconfigure("'wiki.db'", "'other.db'");
    agent.reconfigure("version = \"4.2.0\"", "version = \"5.0.0\"");
    let facts = facts(&agent);
    assert_eq!((facts["server_id"].as_str(), facts["policy"].as_str()), (Some(before.as_str()), Some("instance")));
    let shown = agent.run(&["server-id"]).ok();
    assert!(shown.contains(&before) && shown.contains("instance: the instance's own"), "{shown}");
}

#[test]
fn c7_three_nodes_on_one_state_have_one_id() {
    let agent = bound();
    let started: Vec<_> = (0..3)
        .map(|_| agent.command(&["server-id", "--json"]).stdout(Stdio::piped()).spawn().expect("the binary starts"))
        .collect();
    let ids: Vec<Value> = started
        .into_iter()
        .map(|node| {
            let output = node.wait_with_output().expect("its output");
            serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["server_id"].clone()
        })
        .collect();
    assert_eq!(ids, vec![ids[0].clone(); 3]);
    assert_eq!(facts(&agent)["history"].as_array().expect("a history").len(), 1, "noted once");
}

#[test]
fn s2_a_database_in_a_file_is_bound_by_its_canonical_path_and_its_birth_mark() {
    let agent = bound();
    let before = id(&agent);
    assert_eq!(changed(&agent), ["policy"]);
    // Another way to the same file.
    std::os::unix::fs::symlink(agent.path("wiki.db"), agent.path("link.db")).expect("a link");
    agent.reconfigure("'wiki.db'", "'link.db'");
    assert_eq!(id(&agent), before);
    // Moved, with the link led after it.
    std::fs::rename(agent.path("wiki.db"), agent.path("moved.db")).expect("moved");
    std::fs::remove_file(agent.path("link.db")).expect("removed");
    std::os::unix::fs::symlink(agent.path("moved.db"), agent.path("link.db")).expect("a link");
    assert_ne!(id(&agent), before);
    assert_eq!(changed(&agent), ["path"]);
    // Installed anew in the same place.
    let moved = id(&agent);
    install_wiki(&agent.path("moved.db"), "bbbb");
    assert_ne!(id(&agent), moved);
    assert_eq!(changed(&agent), ["birth-mark"]);
    assert_eq!(agent.run(&["status", "--json"]).json()["server_id"], id(&agent));
}

#[test]
fn s2_the_id_changes_with_the_host_the_schema_and_the_data_and_an_upgrade_keeps_it() {
    install("s2_wiki", "7f3a");
    let agent = beside("localhost", "s2_wiki");
    let first = id(&agent);
    assert_eq!(facts(&agent)["parts"], serde_json::json!(["host", "port", "database", "schema", "birth-mark"]));

    // An upgrade of the product and of the database server: other tables, the same data dumped and restored.
    run_in("s2_wiki", "alter table installation add column version text default '5.0'");
    run_in("s2_wiki", "vacuum full installation");
    install("s2_wiki", "7f3a");
    assert_eq!(id(&agent), first, "the data are the same, and so is their place");

    agent.reconfigure("@localhost:", "@127.0.0.1:");
    let moved = id(&agent);
    assert_ne!(moved, first);
    assert_eq!(changed(&agent), ["host"]);

    run_in("s2_wiki", "create schema wiki; alter table installation set schema wiki");
    assert_eq!((id(&agent), problem(&agent).as_str()), (moved.clone(), "server-id-unread"), "the query finds nothing");
    run_in("s2_wiki", "alter role seatline in database s2_wiki set search_path = wiki");
    let renamed = id(&agent);
    assert_ne!(renamed, moved);
    assert_eq!(changed(&agent), ["schema"]);
    run_in("s2_wiki", "alter role seatline in database s2_wiki reset search_path");
    agent.reconfigure("from installation'", "from wiki.installation'");
    assert_eq!(id(&agent), renamed, "however the schema is named");

    // Restored from another instance, and installed anew on an empty database.
    run_in("s2_wiki", "update wiki.installation set id = 'of another instance'");
    let restored = id(&agent);
    run_in("s2_wiki", "update wiki.installation set id = 'of a new installation'");
    let reinstalled = id(&agent);
    assert_eq!(changed(&agent), ["birth-mark"]);
    let mut all = vec![first, moved, renamed, restored, reinstalled];
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5, "never the same for two databases");
}

#[test]
fn s2_the_license_of_the_id_before_says_so_with_both_ids() {
    let agent = bound();
    let before = id(&agent);
    let key = agent.issue(&["--kind", "commercial", "--server", &before]);
    agent.run(&["license", "set", &key]).ok();
    assert_eq!(verdict(&agent).0, "licensed");
    std::fs::rename(agent.path("wiki.db"), agent.path("moved.db")).expect("moved");
    agent.reconfigure("'wiki.db'", "'moved.db'");
    // A move: the license holds on for a fortnight, and calls for attention.
    let (word, reason) = verdict(&agent);
    assert_eq!(word, "attention");
    assert!(reason.contains(&before) && reason.contains(&id(&agent)), "{reason}");
    // Other data: it does not.
    install_wiki(&agent.path("moved.db"), "bbbb");
    let (word, reason) = verdict(&agent);
    assert_eq!(word, "unlicensed");
    assert!(reason.contains(&before) && reason.contains(&id(&agent)), "{reason}");
    let line = agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--server", &before])]);
    let line = line.refused("wrong-server");
    assert!(line.contains(&before) && line.contains(&id(&agent)), "{line}");
}

#[test]
fn s3_a_staging_instance_gets_the_same_id_again_each_time_the_production_data_are_copied_over_it() {
    install("s3_production", "7f3a");
    install("s3_staging", "empty");
    let production = beside("localhost", "s3_production");
    let staging = beside("localhost", "s3_staging");
    staging.configure("staging = true\n");
    let copy = || {
        let mut server = SERVER.client();
        server.batch_execute("drop database s3_staging").expect("emptied");
        server.batch_execute("create database s3_staging template s3_production").expect("copied");
    };
    copy();
    let own = id(&staging);
    assert_ne!(own, id(&production));
    let key = staging.issue(&["--kind", "staging", "--server", &own]);
    staging.run(&["license", "set", &key]).ok();
    run_in("s3_production", "insert into installation select id from installation limit 0");
    copy();
    assert_eq!(id(&staging), own);
    assert_eq!(verdict(&staging).0, "licensed", "the same staging key serves again");
    let status = staging.run(&["status", "--json"]).json();
    assert_eq!(status["product"]["staging"], true);
    assert_eq!(production.run(&["status", "--json"]).json()["product"].get("staging"), None);

    let bound_to_production = production.issue(&["--kind", "commercial", "--server", &id(&production)]);
    let line = staging.run(&["license", "set", &bound_to_production]).refused("wrong-server");
    assert!(line.contains(&own) && line.contains(&id(&production)), "{line}");
    let for_staging = production.issue(&["--kind", "staging"]);
    production.run(&["license", "set", &for_staging]).refused("staging-only");
}

#[test]
fn s2_a_database_that_cannot_be_read_keeps_the_last_known_id_and_every_command_says_so() {
    let agent = bound();
    let before = id(&agent);
    std::fs::rename(agent.path("wiki.db"), agent.path("away.db")).expect("away");
    assert_eq!((id(&agent), problem(&agent).as_str()), (before.clone(), "server-id-unread"));
    let shown = agent.run(&["license", "show"]);
    assert!(
        shown.err.contains("the last known server ID holds") && shown.err.contains("[server-id-unread]"),
        "{shown:?}"
    );
    assert!(shown.ok().contains(&before));
    // What answers is no birth mark.
    for (content, said) in [
        ("create table installation (id text)", "gave no row"),
        ("insert into installation values ('a'), ('b')", "more than one row"),
        (
            "drop table installation; create table installation (id real); insert into installation values (0.5)",
            "no value",
        ),
    ] {
        let connection = rusqlite::Connection::open(agent.path("wiki.db")).expect("a database");
        connection.execute_batch(content).expect("the content");
        let facts = facts(&agent);
        let message = facts["problem"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{content}: {facts}");
        assert_eq!(facts["server_id"], before.as_str());
    }
    std::fs::rename(agent.path("away.db"), agent.path("wiki.db")).expect("back");
    assert_eq!((id(&agent), problem(&agent).as_str()), (before, ""));
}

#[test]
fn s2_an_expression_as_a_birth_mark_needs_the_schema_to_be_named() {
    install("s2_expression", "7f3a");
    let agent = beside("localhost", "s2_expression");
    let plain = id(&agent);
    agent.reconfigure("'select id from", "'select upper(id) from");
    assert_eq!(problem(&agent), "server-id-unread");
    agent.configure("schema = 'public'\n");
    let named = id(&agent);
    assert_eq!(problem(&agent), "");
    assert_ne!(named, plain, "it is another mark");
    agent.reconfigure("schema = 'public'", "schema = 'wiki'");
    assert_eq!((id(&agent), problem(&agent).as_str()), (named, "server-id-unread"), "there is no such schema");
}

#[test]
fn s2_init_prepares_a_bound_instance_that_has_no_id_before_its_database() {
    let agent = Agent::new();
    let dir = agent.path("bound");
    let at = |arguments: &[&str]| {
        let mut command = agent.command(arguments);
        support::agent::Finished::from(command.env("SEATLINE_DIR", &dir).output().expect("the binary starts"))
    };
    let product = ["init", "--product", "x", "--name", "X", "--version", "1", "--identity", "database-bound"];
    assert_eq!(at(&product).code, 2, "without a birth mark");
    let made = at(&[&product[..], &["--birth-mark", "select id from installation", "--staging", "--json"]].concat());
    assert_eq!(made.json()["server_id"], Value::Null);
    let before = at(&["server-id", "--json"]).json();
    assert!(before["problem"]["message"].as_str().expect("a problem").contains("no database is set up"), "{before}");
    install_wiki(&dir.join("x.db"), "7f3a");
    let config = std::fs::read_to_string(dir.join("seatline.toml")).expect("the configuration");
    let config = config.replacen("[identity]\n", "[identity]\ndatabase = 'x.db'\n", 1);
    std::fs::write(dir.join("seatline.toml"), config).expect("the configuration");
    let after = at(&["server-id", "--json"]).json();
    assert_eq!((&after["policy"], &after["staging"]), (&"database-bound".into(), &true.into()));
    assert_ne!(after["server_id"], before["server_id"]);
}

#[test]
fn b4_there_is_nothing_to_confirm_as_long_as_the_id_is_the_same() {
    let agent = bound();
    for word in ["--moved", "--restored", "--copy"] {
        agent.run(&["server-id", "confirm", word, "--yes"]).refused("nothing-to-confirm");
    }
    assert_eq!(agent.run(&["server-id", "confirm"]).code, 2, "one word is needed");
    assert_eq!(agent.run(&["server-id", "confirm", "--moved", "--copy"]).code, 2, "and one alone");
    std::fs::rename(agent.path("wiki.db"), agent.path("moved.db")).expect("moved");
    agent.reconfigure("'wiki.db'", "'moved.db'");
    assert_eq!(agent.run(&["server-id", "confirm", "--moved"]).code, 3, "nobody has confirmed it");
    let confirmed = agent.run(&["server-id", "confirm", "--moved", "--yes", "--json"]).json();
    assert_eq!((&confirmed["answer"], &confirmed["removed"]), (&"moved".into(), &Value::Null));
    let shown = agent.run(&["server-id"]).ok();
    assert!(shown.contains("the path of the database") && shown.contains("moved"), "{shown}");
}

#[test]
fn s2_c7_the_nodes_of_a_cluster_share_an_id_that_is_bound_to_the_database_and_it_changes_for_all_of_them() {
    for name in ["clustered", "clustered_elsewhere"] {
        install(name, "7f3a");
    }
    let state = SERVER.address("owner", "wiki");
    let nodes = ["wiki-1", "wiki-2"].map(|name| {
        let agent = Agent::node(name, &state);
        std::fs::write(agent.path("wiki.password"), "secret").expect("the password");
        agent.configure(BOUND);
        agent.configure(&format!(
            "database = '{}'\npassword_file = 'wiki.password'\n",
            address("127.0.0.1", "clustered")
        ));
        agent
    });
    let before = id(&nodes[0]);
    assert_eq!(id(&nodes[1]), before);
    assert_eq!(facts(&nodes[1])["policy"], "database-bound");
    // The product moves, and its nodes are told so one after the other.
    for node in &nodes {
        node.reconfigure("/clustered'", "/clustered_elsewhere'");
        assert_ne!(id(node), before);
    }
    assert_eq!(id(&nodes[0]), id(&nodes[1]));
    assert_eq!(facts(&nodes[0])["history"], facts(&nodes[1])["history"]);
}
