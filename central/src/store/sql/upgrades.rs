//! Databases of earlier versions: what they hold is there afterwards, and goes on where it was.

use std::path::Path;

use jiff::SignedDuration;
use rusqlite::Connection;
use seatline_protocol::notices::Reminders;
use seatline_tests::postgres::Postgres;

use super::{PostgresAddress, SqlStore};
use crate::domain::{Admitted, Incoming, Latest, Link, LinkRow};
use crate::store::conformance::sample::{at, chain, failure, linked, repeat_at, report};
use crate::store::{Fleet as _, LinkLists as _, Reports as _};

/// Makes of the tables what they were before there were `chains` (version 21), with all that stands in them.
const BEFORE_CHAINS: &str = "
    ALTER TABLE links ADD COLUMN head BIGINT;
    ALTER TABLE links ADD COLUMN stored BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE links ADD COLUMN brought BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE links ADD COLUMN brought_at BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE links ADD COLUMN review_at BIGINT;
    ALTER TABLE links ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE links ADD COLUMN settled TEXT;
    ALTER TABLE links ADD COLUMN turns_at BIGINT;
    UPDATE links SET head = chains.head, stored = chains.stored, brought = chains.brought,
        brought_at = chains.brought_at, review_at = chains.review_at, marks = chains.marks, settled = chains.settled,
        turns_at = chains.turns_at FROM chains WHERE chains.link = links.id;
    CREATE INDEX links_to_review ON links (review_at);
    ALTER TABLE latest ADD COLUMN sequence BIGINT;
    ALTER TABLE latest ADD COLUMN digest TEXT;
    ALTER TABLE latest ADD COLUMN observed_at BIGINT;
    ALTER TABLE latest ADD COLUMN received_at BIGINT;
    ALTER TABLE latest ADD COLUMN repeats BIGINT;
    ALTER TABLE latest ADD COLUMN repeats_digest TEXT;
    ALTER TABLE latest ADD COLUMN traced TEXT;
    ALTER TABLE latest ADD COLUMN content TEXT;
    UPDATE latest SET sequence = chains.head, digest = chains.digest, observed_at = chains.observed_at,
        received_at = chains.received_at, repeats = chains.repeats, repeats_digest = chains.repeats_digest,
        traced = chains.traced, content = chains.content FROM chains WHERE chains.link = latest.link;
    DROP TABLE chains;
    DROP INDEX invites_open;
    DELETE FROM refinery_schema_history WHERE version >= 21;";

/// Links whose last report counts, repeats, and failed; and one that has not reported.
struct Held {
    links: Vec<Link>,
    last: Vec<Incoming>,
}

async fn filled(store: &SqlStore) -> Held {
    let (mut links, mut last) = (Vec::new(), Vec::new());
    for n in 1..=4 {
        let link = linked(store, n).await;
        let mut reports = chain(n, if n == 4 { 0 } else { 2 });
        match n {
            2 => reports.push(repeat_at(n, &reports[1], &reports[1], at(3600))),
            3 => reports.push(report(n, 3, Some(&reports[1].digest), failure())),
            _ => {}
        }
        last.extend(reports.last().cloned());
        for report in reports {
            let admitted = store.admit(&link.id, vec![report], at(3600)).await.expect("admitted");
            assert!(matches!(admitted.answers[..], [Admitted::Stored { .. }]), "{admitted:?}");
        }
        links.push(link);
    }
    store.review(&Reminders::default(), at(3600), 10).await.expect("reviewed");
    Held { links, last }
}

async fn seen(store: &SqlStore, held: &Held) -> Vec<(LinkRow, Option<Latest>)> {
    let mut seen = Vec::new();
    for link in &held.links {
        let row = store.link_row(&link.id).await.expect("read").expect("there");
        seen.push((row, store.latest(&link.id).await.expect("read")));
    }
    seen
}

/// What the store held before it is there, and the next report of each chain is the next one.
async fn goes_on(store: &SqlStore, held: &Held, before: Vec<(LinkRow, Option<Latest>)>) {
    assert_eq!(seen(store, held).await, before);
    assert_eq!(store.to_review(at(3600)).await.expect("read"), None, "what was reviewed is");
    let missed = at(3600) + SignedDuration::from_hours(24 * 30);
    assert!(store.to_review(missed).await.expect("read").is_some(), "and is again when a report is missed");
    for (n, (link, last)) in (1..).zip(held.links.iter().zip(&held.last)) {
        let said = if n == 2 { chain(n, 2).remove(1) } else { last.clone() };
        let next = repeat_at(n, last, &said, at(7200));
        let admitted = store.admit(&link.id, vec![next], at(7200)).await.expect("admitted");
        assert!(matches!(admitted.answers[..], [Admitted::Stored { .. }]), "{admitted:?}");
    }
    let (first, fourth) = (chain(4, 1), &held.links[3]);
    let admitted = store.admit(&fourth.id, first, at(7200)).await.expect("admitted");
    assert!(matches!(admitted.answers[..], [Admitted::Stored { .. }]), "{admitted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_before_chains_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let path: &Path = &dir.path().join("central.db");
    let store = SqlStore::sqlite(path).expect("a store");
    let held = filled(&store).await;
    let before = seen(&store, &held).await;
    drop(store);
    Connection::open(path).and_then(|file| file.execute_batch(BEFORE_CHAINS)).expect("made old");
    goes_on(&SqlStore::sqlite(path).expect("a store"), &held, before).await;
    let whole = Connection::open(path)
        .and_then(|file| file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)));
    assert_eq!(whole.expect("checked"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_from_before_chains_goes_on_where_it_was() {
    let server = tokio::task::spawn_blocking(Postgres::start).await.expect("a server");
    let address = PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
    let store = SqlStore::postgres(address.clone()).await.expect("a store");
    let held = filled(&store).await;
    let before = seen(&store, &held).await;
    drop(store);
    tokio::task::block_in_place(|| server.client().batch_execute(BEFORE_CHAINS)).expect("made old");
    goes_on(&SqlStore::postgres(address).await.expect("a store"), &held, before).await;
    tokio::task::block_in_place(|| drop(server));
}
