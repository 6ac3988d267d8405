//! A state in PostgreSQL that is not as it should be: away, newer, damaged, or somebody else's; through the binary.

mod support;

use support::agent::Agent;
use support::http::send;
use support::postgres::Postgres;
use support::running::Running;
use support::wait::until;

fn database(server: &Postgres) -> String {
    server.address("owner", "wiki")
}

/// Without anybody who could be told over HTTP, it ends where it cannot begin.
const RUN: &[&str] = &["run", "--listen", "off"];

#[test]
fn a7_a_node_that_starts_while_the_database_is_away_answers_why_and_joins_when_it_is_there() {
    let mut server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    server.stop("INT");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.until("answering")["address"].as_str().expect("an address").to_owned();
    let told = running.until("the state cannot be used");
    assert_eq!(told["code"], "store-unavailable");
    assert!(
        told["message"].as_str().is_some_and(|text| text.contains("cannot reach the database `wiki` at ")),
        "{told}"
    );
    let page = send(&address, "GET", "/license", &[], "");
    assert!(page.status == 503 && page.body.contains("store-unavailable"), "{page:?}");
    server.start_again();
    running.until("this node synchronises from now on");
}

#[test]
fn a_state_that_cannot_be_opened_is_told_with_its_reason_and_the_way_out() {
    let mut server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    server.execute("CREATE ROLE filed LOGIN SUPERUSER PASSWORD 'hunter2'");
    let socket = format!("database = \"{}\"", database(&server));
    let by_tcp = format!("database = \"postgres://filed@127.0.0.1:{}/wiki\"\npassword_file = 'password'", server.port);
    agent.reconfigure(&socket, &by_tcp);
    let refused = agent.run(&["status"]).refused("store-unavailable");
    assert!(refused.contains("password"), "the file is missing: {refused}");
    std::fs::write(agent.path("password"), "hunter3\n").expect("a wrong password");
    for command in [&["status"][..], RUN, &["license", "show"]] {
        let refused = agent.run(command).refused("store-unavailable");
        let reason = "cannot be used: the database `wiki` at 127.0.0.1 refuses the user or the password";
        assert!(refused.contains(reason) && !refused.contains("hunter"), "{refused}");
    }
    std::fs::write(agent.path("password"), "hunter2\n").expect("the password");
    agent.run(&["status"]).ok();
    server.stop("INT");
    let refused = agent.run(RUN).refused("store-unavailable");
    assert!(refused.contains("cannot reach the database `wiki` at 127.0.0.1"), "{refused}");
    server.start_again();

    let schema = |statement: &str| server.execute(statement);
    schema("UPDATE seatline.instance SET layout = 99");
    let refused = agent.run(RUN).refused("store-newer");
    assert!(refused.contains("was written by a newer version of Seatline; upgrade this one"), "{refused}");
    schema("UPDATE seatline.instance SET layout = 1; CREATE TABLE kept AS SELECT * FROM seatline.instance");
    schema("DELETE FROM seatline.instance");
    let refused = agent.run(RUN).refused("store-unavailable");
    assert!(refused.contains("its first row is gone; restore it from a backup"), "{refused}");
    schema("INSERT INTO seatline.instance SELECT * FROM kept");
    agent.run(&["server-id"]).ok();
    schema("DROP TABLE seatline.slots");
    let refused = agent.run(RUN).refused("store-unavailable");
    assert!(refused.contains("does not exist; was the schema removed? restore it from a backup"), "{refused}");
}

#[test]
fn a_value_that_somebody_has_damaged_is_named_and_the_rest_goes_on() {
    let server = Postgres::start();
    let agent = Agent::node("wiki-1", &database(&server));
    agent.install_plugin();
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--id", "L-1"])]).ok();
    server.execute("UPDATE seatline.slots SET value = substring(value from 1 for 20) WHERE name = 'licenses'");
    let refused = agent.run(&["license", "show"]).refused("store-damaged");
    assert!(refused.contains("`licenses` of the state is damaged"), "{refused}");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    running.until("this node synchronises from now on");
    assert_eq!(send(&address, "GET", "/healthz", &[], "").status, 503);
    // As the guide says: the row is the value.
    server.execute("DELETE FROM seatline.slots WHERE name = 'licenses'");
    until("the state to be readable", || (send(&address, "GET", "/healthz", &[], "").status == 200).then_some(()));
    server.execute("INSERT INTO seatline.records VALUES ('outbox', 1, 'rubbish')");
    let refused = agent.run(&["report", "export", "-"]).code;
    assert_eq!(refused, 1);
}
