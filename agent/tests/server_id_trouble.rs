//! The server ID beside databases that move, lie or do not answer, through the real binary (`s2`).

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::agent::Agent;
use support::http::get;
use support::mariadb::MariaDb;
use support::person::{Person, add_user};
use support::postgres::Postgres;
use support::running::Running;

static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);
static MARIADB: LazyLock<MariaDb> = LazyLock::new(MariaDb::start);

/// An agent whose server ID is bound to this database by this query, with more keys of `[identity]`.
fn bound(address: &str, query: &str, more: &str) -> Agent {
    let agent = Agent::new();
    agent.configure(&format!(
        "\n[identity]\npolicy = 'database-bound'\nbirth_mark = \"{query}\"\ndatabase = \"{address}\"\n{more}\n"
    ));
    agent
}

fn facts(agent: &Agent) -> Value {
    agent.run(&["server-id", "--json"]).json()
}

/// The server ID, which was confirmed by the last look.
fn confirmed(agent: &Agent) -> String {
    let facts = facts(agent);
    assert_eq!(facts["problem"], Value::Null, "{facts:#}");
    facts["server_id"].as_str().expect("a server ID").to_owned()
}

/// Why the last look confirmed nothing.
fn problem(agent: &Agent) -> String {
    let facts = facts(agent);
    assert_eq!(facts["problem"]["code"], "server-id-unread", "{facts:#}");
    facts["problem"]["message"].as_str().expect("a message").to_owned()
}

fn last_change(agent: &Agent) -> Value {
    facts(agent)["history"].as_array().and_then(|history| history.last()).expect("a change")["changed"].clone()
}

#[test]
fn s2_on_mariadb_the_id_changes_with_the_host_the_database_and_the_data() {
    MARIADB.execute(
        "CREATE TABLE installation (id varchar(40)); INSERT INTO installation VALUES ('7f3a');
         CREATE DATABASE renamed; CREATE TABLE renamed.installation AS SELECT * FROM installation;
         CREATE USER reader@localhost; GRANT SELECT ON wiki.installation TO reader@localhost;
         GRANT SELECT ON renamed.* TO reader@localhost",
    );
    // A user that can read this one table, and nothing else.
    let agent = bound(&MARIADB.tcp("reader"), "select id from installation", "");
    let first = confirmed(&agent);
    assert_eq!(facts(&agent)["parts"], serde_json::json!(["host", "port", "database", "birth-mark"]));
    MARIADB.execute("ALTER TABLE installation ADD COLUMN version text; OPTIMIZE TABLE installation");
    assert_eq!(confirmed(&agent), first, "an upgrade keeps it");

    let mut seen = vec![first.clone()];
    agent.reconfigure("@127.0.0.1:", "@localhost:");
    seen.push(confirmed(&agent));
    assert_eq!(last_change(&agent), serde_json::json!(["host"]));
    agent.reconfigure(&format!("{}/wiki", MARIADB.port), &format!("{}/renamed", MARIADB.port));
    seen.push(confirmed(&agent));
    assert_eq!(last_change(&agent), serde_json::json!(["database"]));
    MARIADB.execute("UPDATE renamed.installation SET id = 'of another instance'");
    seen.push(confirmed(&agent));
    assert_eq!(last_change(&agent), serde_json::json!(["birth-mark"]));
    MARIADB.execute("DROP TABLE renamed.installation; CREATE TABLE renamed.installation (id binary(16))");
    assert!(problem(&agent).contains("gave no row"), "an empty database is no installation yet");
    MARIADB.execute("INSERT INTO renamed.installation VALUES (unhex('00ff00ff00ff00ff00ff00ff00ff00ff'))");
    seen.push(confirmed(&agent));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "never the same for two databases");
}

#[test]
fn s2_a_birth_mark_that_was_deleted_holds_the_id_and_an_edited_one_loses_the_license() {
    POSTGRES.execute("CREATE TABLE edited (id text); INSERT INTO edited VALUES ('7f3a')");
    let agent = bound(&POSTGRES.address("owner", "wiki"), "select id from edited", "");
    let before = confirmed(&agent);
    let key = agent.issue(&["--kind", "commercial", "--server", &before]);
    agent.run(&["license", "set", &key]).ok();
    let verdict = || agent.run(&["license", "show", "--json"]).json()["standing"].clone();
    let doctor = || agent.run(&["doctor"]).out;
    assert!(doctor().contains("good       server ID"), "{}", doctor());
    POSTGRES.execute("DELETE FROM edited");
    assert!(problem(&agent).contains("gave no row"));
    assert_eq!(verdict()["verdict"], "licensed", "an accident locks nobody out, and every command says so");
    POSTGRES.execute("INSERT INTO edited VALUES ('another one')");
    for _ in 0..2 {
        assert!(doctor().contains("[server-id-changed]"), "it looks, and changes nothing: {}", doctor());
    }
    let after = confirmed(&agent);
    let standing = verdict();
    assert_eq!(standing["verdict"], "unlicensed");
    let reason = standing["reasons"][0]["message"].as_str().expect("a reason").to_owned();
    assert!(reason.contains(&before) && reason.contains(&after), "{reason}");
    POSTGRES.execute("UPDATE edited SET id = '7f3a'");
    assert_eq!((confirmed(&agent), &verdict()["verdict"]), (before, &"licensed".into()), "and is mended by its return");
}

#[test]
fn s2_what_is_no_birth_mark_is_named_and_changes_nothing() {
    POSTGRES.execute(
        "CREATE TABLE odd (id text, big text, raw bytea, empty text, nothing text);
         INSERT INTO odd VALUES ('7f3a', repeat('x', 2000), '\\xff00', '  ', NULL);
         CREATE ROLE reader LOGIN; GRANT SELECT (id, big, raw, empty, nothing) ON odd TO reader;
         CREATE TABLE secret (id text)",
    );
    let agent = bound(&POSTGRES.address("reader", "wiki"), "select id from odd", "");
    let before = confirmed(&agent);
    let mut query = "select id from odd".to_owned();
    for (next, said) in [
        ("select big from odd", "1 to 1024 bytes"),
        ("select empty from odd", "not empty"),
        ("select nothing from odd", "no value that can be one"),
        ("select id, big from odd", "one column"),
        ("select id from odd, generate_series(1, 9)", "more than one row"),
        ("select id from missing", "missing"),
        ("select id from secret", "permission denied"),
        ("delete from odd returning id", "syntax"),
        ("select id from odd; select id from odd", "syntax"),
        ("select pg_sleep(60) from odd", "time limit"),
    ] {
        agent.reconfigure(&query, next);
        query = next.to_owned();
        let begun = Instant::now();
        let message = problem(&agent);
        assert!(message.contains(said), "{next}: {message}");
        assert!(message.contains("the last known server ID holds"), "{message}");
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody waits until it has slept: {next}");
        assert_eq!(facts(&agent)["server_id"], before.as_str());
    }
    agent.reconfigure(&query, "select id from odd");
    assert_eq!(confirmed(&agent), before);
}

/// A server on a port of its own that does this with every connection.
fn server(act: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let act = std::sync::Arc::new(act);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = std::sync::Arc::clone(&act);
            std::thread::spawn(move || act(stream));
        }
    });
    port
}

#[test]
fn s2_a_database_that_is_silent_or_speaks_garbage_costs_its_time_limit_and_no_more() {
    let silent = server(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let garbage = server(|mut stream| {
        let _ = stream.write_all(&b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(1000));
    });
    for scheme in ["postgres", "mysql"] {
        for port in [silent, garbage] {
            let agent = bound(
                &format!("{scheme}://reader@127.0.0.1:{port}/wiki"),
                "select id from installation",
                "time_limit = 1",
            );
            let begun = Instant::now();
            let shown = agent.run(&["license", "show"]);
            assert!(begun.elapsed() < Duration::from_secs(8), "{scheme}, {port}: {:?}", begun.elapsed());
            assert!(shown.err.contains("[server-id-unread]") && shown.code == 0, "{scheme}: {shown:?}");
        }
    }
}

#[test]
fn a7_an_agent_that_starts_beside_a_database_that_does_not_answer_answers_itself() {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let silent = server(move |mut stream| {
        let _ = tell.try_send(());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let agent = Agent::new();
    agent.run(&["server-id"]).ok();
    agent.configure(&format!(
        "\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'select 1'\n\
         database = 'postgres://reader@127.0.0.1:{silent}/wiki'\ntime_limit = 30\n[log]\nformat = 'json'\n"
    ));
    let begun = Instant::now();
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    told.recv().expect("the database is asked");
    let answer = get(&address, "/healthz");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "its time limit: {:?}", begun.elapsed());
}

#[test]
fn a7_s2_the_license_page_is_reached_at_the_very_first_start_before_the_database_has_answered() {
    let silent = server(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let address = format!("postgres://reader@127.0.0.1:{silent}/wiki");
    let agent = bound(&address, "select 1", "time_limit = 60\n[log]\nformat = 'json'");
    std::fs::remove_dir_all(agent.path("state")).expect("as if nothing had run yet");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    add_user(&agent, "ada", "administrator");
    let ada = Person::signed_in(&address, "ada");
    let page = ada.get("/license");
    assert!(page.status == 200 && page.body.contains("Paste your license"), "{}", page.body);
    for path in ["/license", "/license/request", "/system"] {
        let page = ada.get(path).body;
        assert!(page.contains("so the server ID is one for the meantime"), "{path}: {page}");
    }
}

#[test]
fn s2_a_database_that_moves_under_a_running_agent_is_noticed_without_a_restart() {
    POSTGRES.execute(
        "CREATE TABLE running (id text); INSERT INTO running VALUES ('7f3a'); CREATE ROLE mover LOGIN SUPERUSER",
    );
    let agent = bound(&POSTGRES.address("mover", "wiki"), "select id from running", "look_every = 1");
    agent.configure("\n[log]\nformat = 'json'\n");
    agent.install_plugin();
    let before = confirmed(&agent);
    let mut running = Running::start(&agent, &[], &[]);
    running.until("collected");
    // Its schema is renamed, and then its data are replaced by those of another instance.
    POSTGRES.execute("CREATE SCHEMA moved; ALTER TABLE running SET SCHEMA moved");
    let told = running.until("the product's database was not read");
    assert_eq!(told["code"], "server-id-unread");
    let doctor = agent.run(&["doctor"]).out;
    assert!(doctor.contains("[server-id-unread]"), "{doctor}");
    POSTGRES.execute("ALTER ROLE mover SET search_path = moved");
    let told = running.until("the server ID has changed: the schema");
    assert_eq!(told["previous"], before.as_str());
    running.until("the server ID is confirmed again");
    POSTGRES.execute("UPDATE moved.running SET id = 'of another instance'");
    let other = running.until("the server ID has changed: the birth mark of the data");
    assert_eq!(other["previous"], told["present"]);
    POSTGRES.execute("ALTER ROLE mover RESET search_path");
}

#[test]
fn s2_two_installations_that_share_one_state_share_no_license() {
    for (name, mark) in [("first", "7f3a"), ("second", "aaaa")] {
        POSTGRES.execute(&format!("CREATE TABLE {name} (id text); INSERT INTO {name} VALUES ('{mark}')"));
    }
    let address = POSTGRES.address("owner", "wiki");
    let [first, second] = ["first", "second"].map(|table| bound(&address, &format!("select id from {table}"), ""));
    let key = first.issue(&["--kind", "commercial", "--server", &confirmed(&first)]);
    first.run(&["license", "set", &key]).ok();
    std::fs::remove_dir_all(second.path("state")).expect("its own state");
    std::os::unix::fs::symlink(first.path("state"), second.path("state")).expect("the state of the first");
    let verdict = |agent: &Agent| agent.run(&["license", "show", "--json"]).json()["standing"]["verdict"].clone();
    for _ in 0..3 {
        assert_eq!((verdict(&second), verdict(&first)), ("unlicensed".into(), "licensed".into()));
    }
    let shown = second.run(&["license", "show"]);
    assert!(shown.err.contains("two installations share this state") && shown.err.contains("[server-id-shared]"));
}
