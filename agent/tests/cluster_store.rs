//! The state in a real PostgreSQL.

mod support;

use std::ops::ControlFlow;
use std::path::Path;

use seatline_agent::cluster::PostgresStore;
use seatline_agent::config::{PostgresState, State};
use seatline_host::store::{
    LockedStore, Log, Slot, StateReader as _, StateStore, StoreError, change, conformance, records,
};
use support::config;
use support::postgres::Postgres;

/// The state in the schema `schema`, for `user`.
fn state_of(server: &Postgres, user: &str, schema: &str) -> PostgresState {
    let address = server.address(user, "wiki");
    let text = format!("[state]\nstore = 'postgresql'\ndatabase = '{address}'\nschema = '{schema}'\n");
    match config(Path::new("/"), &text).state {
        State::Postgres(state) => state,
        State::Directory => panic!("it is configured"),
    }
}

fn open(server: &Postgres) -> PostgresStore {
    PostgresStore::open(&state_of(server, "owner", "seatline")).expect("the state")
}

fn changed(
    store: &PostgresStore,
    act: impl FnOnce(&mut dyn LockedStore) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    change(store, act)
}

fn write(store: &PostgresStore, value: &[u8]) -> Result<(), StoreError> {
    changed(store, |locked| locked.write(Slot::LastRun, value))
}

fn value(store: &PostgresStore) -> Option<Vec<u8>> {
    store.read(Slot::LastRun).expect("read").map(|value| value.to_vec())
}

#[test]
fn postgresql_does_what_every_store_must() {
    let server = Postgres::start();
    conformance(&|| Box::new(open(&server)));
}

#[test]
fn states_in_two_schemas_of_a_database_are_apart() {
    let server = Postgres::start();
    let store = open(&server);
    let other = PostgresStore::open(&state_of(&server, "owner", "select")).expect("another state");
    write(&store, b"one").expect("write");
    assert_eq!((value(&store).as_deref(), value(&other)), (Some(&b"one"[..]), None));
}

#[test]
fn many_nodes_may_begin_at_once() {
    let server = Postgres::start();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| write(&open(&server), b"x").expect("write"));
        }
    });
    assert_eq!(value(&open(&server)).as_deref(), Some(&b"x"[..]));
}

#[test]
fn a_user_without_the_right_to_make_schemas_uses_the_one_that_was_made_for_him() {
    let server = Postgres::start();
    server.execute("CREATE ROLE agent LOGIN; CREATE ROLE reader LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let refused = PostgresStore::open(&state_of(&server, "agent", "seatline")).expect_err("no right").to_string();
    assert!(refused.contains("permission denied for database wiki"), "{refused}");
    server.execute("CREATE SCHEMA seatline AUTHORIZATION agent; GRANT USAGE ON SCHEMA seatline TO reader");
    let store = PostgresStore::open(&state_of(&server, "agent", "seatline")).expect("the state");
    write(&store, b"x").expect("write");
    server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA seatline TO reader");
    let reader = PostgresStore::open(&state_of(&server, "reader", "seatline")).expect("it can be read");
    assert_eq!(value(&reader).as_deref(), Some(&b"x"[..]));
    let refused = write(&reader, b"y").expect_err("no right");
    assert_eq!(refused.code(), "store-unavailable");
    assert!(refused.to_string().contains("permission denied for table instance; let its user own"), "{refused}");
}

#[test]
fn a_state_of_a_newer_version_is_neither_read_nor_changed_also_by_a_node_that_runs() {
    let server = Postgres::start();
    let store = open(&server);
    write(&store, b"old").expect("write");
    server.execute("UPDATE seatline.instance SET layout = layout + 1");
    let codes = [
        PostgresStore::open(&state_of(&server, "owner", "seatline")).expect_err("newer").code(),
        store.read(Slot::LastRun).expect_err("newer").code(),
        store.stamps(&[Slot::LastRun]).expect_err("newer").code(),
        records(&store, Log::Outbox).expect_err("newer").code(),
        write(&store, b"new").expect_err("newer").code(),
    ];
    assert_eq!(codes, ["store-newer"; 5]);
}

#[test]
fn a_database_that_is_read_only_is_told_and_serves_again_afterwards() {
    let server = Postgres::start();
    let store = open(&server);
    write(&store, b"old").expect("write");
    server.execute("ALTER DATABASE wiki SET default_transaction_read_only = on");
    let reopened = open(&server);
    let refused = write(&reopened, b"new").expect_err("it is read-only");
    assert!(refused.to_string().ends_with("it is read-only; name the primary server, or let it take changes again"));
    assert_eq!(value(&reopened).as_deref(), Some(&b"old"[..]), "it can be read");
    let mut client = server.client();
    client.batch_execute("SET default_transaction_read_only = off").expect("a setting");
    client.batch_execute("ALTER DATABASE wiki RESET ALL").expect("a change");
    drop(client);
    write(&open(&server), b"new").expect("write");
    assert_eq!(value(&store).as_deref(), Some(&b"new"[..]));
}

#[test]
fn a_server_that_restarts_or_crashes_is_found_again_and_nothing_is_half_written() {
    let mut server = Postgres::start();
    let store = open(&server);
    for (signal, before, after) in [("INT", &b"one"[..], &b"two"[..]), ("QUIT", b"three", b"four")] {
        write(&store, before).expect("write");
        let mut locked = store.begin().expect("a change");
        locked.write(Slot::LastRun, b"half").expect("write");
        locked.append(Log::Outbox, &[b"half".to_vec()]).expect("append");
        server.stop(signal);
        let lost = locked.append(Log::Outbox, &[b"more".to_vec()]).expect_err("the server is gone");
        assert_eq!(lost.code(), "store-unavailable");
        let again = locked.write(Slot::LastRun, b"more").expect_err("a change that failed goes on no more");
        assert!(again.to_string().ends_with("the change had failed before; try again"), "{again}");
        assert_eq!(locked.commit().expect_err("nor is it made").code(), "store-unavailable");
        let gone = store.read(Slot::LastRun).expect_err("the server is gone").to_string();
        assert!(gone.starts_with("the state in the schema `seatline` of the database `wiki` at "), "{gone}");
        server.start_again();
        assert_eq!(value(&store).as_deref(), Some(before), "the same store goes on");
        assert!(records(&store, Log::Outbox).expect("records").is_empty());
        write(&store, after).expect("write");
        assert_eq!(value(&open(&server)).as_deref(), Some(after));
    }
}

#[test]
fn a_change_that_failed_is_not_made_though_its_maker_overlooks_that() {
    let server = Postgres::start();
    let store = open(&server);
    write(&store, b"old").expect("write");
    let mut locked = store.begin().expect("a change");
    server.execute("ALTER TABLE seatline.records RENAME TO elsewhere");
    locked.write(Slot::LastRun, b"new").expect("write");
    let missing = locked.append(Log::Outbox, &[b"one".to_vec()]).expect_err("the table is gone").to_string();
    assert!(missing.ends_with("does not exist; was the schema removed? restore it from a backup"), "{missing}");
    assert_eq!(locked.commit().expect_err("it has failed").code(), "store-unavailable");
    server.execute("ALTER TABLE seatline.elsewhere RENAME TO records");
    assert_eq!(value(&store).as_deref(), Some(&b"old"[..]));
}

#[test]
fn nothing_is_written_that_the_store_on_files_would_not_take() {
    let server = Postgres::start();
    let store = open(&server);
    let mut locked = store.begin().expect("a change");
    assert_eq!(locked.write(Slot::LastRun, &vec![7; (16 << 20) + 1]).expect_err("too long").code(), "store-io");
    let long = [vec![7; (2 << 20) + 1]];
    assert_eq!(locked.append(Log::Outbox, &long).expect_err("too long").code(), "store-io");
    locked.write(Slot::LastRun, &vec![7; 16 << 20]).expect("the longest value");
    locked.append(Log::Outbox, &vec![vec![7; 2 << 20]; 80]).expect("the longest log");
    assert_eq!(locked.append(Log::Outbox, &[vec![7]]).expect_err("too long").code(), "store-io");
    locked.commit().expect("what was refused is not there, and the rest is");
    let mut read = 0;
    let visited = store.visit(Log::Outbox, &mut |record| {
        read += record.len();
        ControlFlow::Continue(())
    });
    visited.expect("the log");
    assert_eq!(read, 160 << 20);
}

#[test]
fn g5_a_node_that_stands_still_in_the_middle_of_a_change_holds_the_others_up_for_seconds_and_cannot_make_it_later() {
    let server = Postgres::start();
    let (paused, other) = (open(&server), open(&server));
    write(&other, b"old").expect("write");
    let mut locked = paused.begin().expect("a change");
    locked.write(Slot::LastRun, b"of long ago").expect("write");
    // The other one waits until the server has put the first one out.
    write(&other, b"new").expect("write");
    let late = locked.append(Log::Outbox, &[b"of long ago".to_vec()]).expect_err("its change is over");
    assert_eq!(late.code(), "store-unavailable");
    assert_eq!(locked.commit().expect_err("its change is over").code(), "store-unavailable");
    assert_eq!(value(&other).as_deref(), Some(&b"new"[..]));
    write(&paused, b"newer").expect("it goes on with a change of its own");
    assert_eq!(value(&other).as_deref(), Some(&b"newer"[..]));
}

#[test]
fn a_full_disk_is_told_and_what_was_there_stays() {
    let server = Postgres::start_with_small_disk(16 << 20);
    server.execute(&format!("CREATE TABLESPACE small LOCATION '{}'", server.small_disk().display()));
    server.execute("ALTER ROLE owner SET default_tablespace = small");
    let store = open(&server);
    write(&store, b"old").expect("write");
    server.execute("CREATE TABLE filler (t text); ALTER TABLE filler ALTER t SET STORAGE PLAIN");
    for rows in [200, 1] {
        let mut client = server.client();
        let fill = format!("INSERT INTO filler SELECT repeat('x', 2000) FROM generate_series(1, {rows})");
        while client.batch_execute(&fill).is_ok() {}
    }
    let noise: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let full = write(&store, &noise).expect_err("the disk is full").to_string();
    assert!(full.ends_with("its disk is full; free some space there"), "{full}");
    assert_eq!(value(&store).as_deref(), Some(&b"old"[..]));
    server.execute("DROP TABLE filler");
    write(&store, &noise).expect("there is space again");
    assert_eq!(value(&store), Some(noise));
}
