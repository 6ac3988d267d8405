//! What a read sees, on each kind of database.

use std::sync::mpsc;

use seatline_tests::postgres::Postgres;

use super::session::{Session, params};
use super::{PostgresAddress, SqlStore};
use crate::store::StoreError;

fn tags(session: &dyn Session) -> crate::store::Stored<Vec<String>> {
    session.rows("SELECT tag FROM application_tags ORDER BY tag", params![], |row| row.text("tag"))
}

async fn tag(store: &SqlStore, tag: &'static str) {
    let kept = store.write(move |session| {
        session.run("INSERT INTO application_tags (application, tag) VALUES ('a', ?1)", params![tag])
    });
    kept.await.expect("kept");
}

/// Commits between the two statements of a read.
async fn a_read_sees_one_commit(store: SqlStore) {
    tag(&store, "one").await;
    let (asked, asks) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let read = store.read(move |session| {
        let before = tags(session)?;
        asked.send(()).expect("the story waits");
        goes_on.recv().expect("the story goes on");
        Ok((before, tags(session)?))
    });
    let written = async {
        tokio::task::spawn_blocking(move || asks.recv()).await.expect("no panic").expect("the first statement has run");
        tag(&store, "two").await;
        go_on.send(()).expect("the read waits");
    };
    let (read, ()) = tokio::join!(read, written);
    let (before, after) = read.expect("read");
    assert_eq!((before, after), (vec!["one".to_owned()], vec!["one".to_owned()]), "of one commit");
    for _ in 0..2 {
        assert_eq!(store.read(tags).await.expect("read"), ["one", "two"], "and the next read sees the next");
        assert_eq!(store.look(tags).await.expect("read"), ["one", "two"]);
    }
    let two = store.look(|session| Ok((tags(session)?, tags(session)?))).await;
    assert!(matches!(two, Err(StoreError::Unavailable(_))), "a look that is none: {two:?}");
    let failed = store.read(|session| session.rows("SELECT tag FROM nowhere", params![], |row| row.text("tag"))).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    assert_eq!(store.read(tags).await.expect("read"), ["one", "two"], "a read that failed is in nobody's way");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_read_of_a_file_sees_is_of_one_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    a_read_sees_one_commit(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_read_of_postgresql_sees_is_of_one_commit() {
    let server = tokio::task::spawn_blocking(Postgres::start).await.expect("a server");
    let address = PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
    a_read_sees_one_commit(SqlStore::postgres(address.clone()).await.expect("a store")).await;
    let store = SqlStore::postgres(address).await.expect("a store");
    assert_eq!(store.read(tags).await.expect("read"), ["one", "two"]);
    // Whoever holds a snapshot keeps the server from clearing away what nobody needs any more.
    tokio::task::spawn_blocking(move || {
        let open = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
        let mut client = server.client();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while client.query_one(open, &[]).expect("asked").get::<_, i64>(0) > 0 {
            assert!(std::time::Instant::now() < deadline, "a snapshot is given up when its read was answered");
        }
    })
    .await
    .expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_postgresql_is_given_together_keep_their_order_and_do_not_pile_up() {
    const NEW: &str = "INSERT INTO latest (link, report, users) VALUES (?1, ?2, ?3)";
    let server = tokio::task::spawn_blocking(Postgres::start).await.expect("a server");
    let address = PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
    let store = SqlStore::postgres(address).await.expect("a store");
    let counted = store.write(|session| {
        for link in ["a", "b"] {
            session.write_row(NEW, params![link, "{}", 1_u64])?;
        }
        for (link, more) in [("a", 1_u64), ("b", 2), ("a", 1)] {
            session.write_row("UPDATE latest SET users = users * 2 + ?2 WHERE link = ?1", params![link, more])?;
        }
        session.rows("SELECT users FROM latest ORDER BY link", params![], |row| row.number::<u64>("users"))
    });
    assert_eq!(counted.await.expect("kept"), [7, 4]);

    let long = "x".repeat(5 << 20);
    let heard = store.write(move |session| Ok(session.write_row(NEW, params!["a", &long, 1_u64]).is_err()));
    assert!(heard.await.expect("asked"), "of so much, it is waited for whether it was taken");
}
