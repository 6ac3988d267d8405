//! The state of a product's agents and the tables of a central server in one database of PostgreSQL, of one user.

use seatline_tests::postgres::Postgres;
use seatline_tests::{Agent, Central, Vendor};

/// A server with a database that belongs to the user `seatline`, and the database's address for him, by the socket.
fn database() -> (Postgres, String) {
    let server = Postgres::start();
    server.execute("CREATE ROLE seatline LOGIN; ALTER DATABASE wiki OWNER TO seatline");
    server.execute("ALTER SCHEMA public OWNER TO seatline");
    let address = server.address("seatline", "wiki");
    (server, address)
}

#[test]
fn an_agent_does_not_begin_where_a_central_server_would_lose_sight_of_its_tables() {
    let (server, address) = database();
    let mut central = Central::start_on(&address);
    let begun = |schema: &str| Agent::begun_in(&Vendor::new(), &address, schema);
    let refused = begun("seatline").refused("store-unavailable");
    assert!(refused.contains("the tables of a central server are in the schema `public`"), "{refused}");
    assert!(refused.contains("name another `schema` in [state]"), "{refused}");
    let refused = begun("public").refused("store-unavailable");
    assert!(refused.contains("it holds the tables of a central server; name another `schema`"), "{refused}");
    begun("wiki").ok();
    central.kill();
    central.serve();

    // Somebody makes the schema all the same.
    server.execute("CREATE SCHEMA seatline AUTHORIZATION seatline");
    let refused = central.run(&["application", "list"]).refused("store-unavailable");
    assert!(refused.contains("the tables of this server are in the schema `public`"), "{refused}");
    let named = format!("{address} options='-csearch_path=public'");
    central.kill();
    let there = central.with_database(&named);
    assert!(there.run(&["application", "list"]).ok().contains("Company wiki"));
}

#[test]
fn a_central_server_does_not_begin_in_the_state_of_an_agent() {
    let (server, address) = database();
    Agent::begun_in(&Vendor::new(), &address, "seatline").ok();
    let refused = Central::begun_on(&address).refused("store-unavailable");
    assert!(refused.contains("the schema `seatline` holds the state of an agent"), "{refused}");
    assert!(refused.contains("`options=-csearch_path%3Dcentral` in its URL"), "{refused}");
    server.execute("CREATE SCHEMA central AUTHORIZATION seatline");
    Central::start_on(&format!("{address} options='-csearch_path=central'"));
}
