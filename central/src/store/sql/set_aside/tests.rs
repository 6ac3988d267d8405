//! One row that cannot be read stops nothing else, on each kind of database.

use seatline_protocol::LinkId;
use seatline_tests::postgres::Postgres;

use super::*;
use crate::domain::Retention;
use crate::domain::history::{Span, SpanLength};
use crate::store::conformance::sample::{act, at, chain, linked};
use crate::store::conformance::{channel, taken, tell, unlinked};
use crate::store::sql::{PostgresAddress, SqlStore};
use crate::store::{Alerts as _, Histories as _, Leases as _, Reports as _, Retentions as _};

/// Changes rows as no program does.
async fn change(store: &SqlStore, sql: &'static str, about: &str) {
    let about = about.to_owned();
    let changed = store.write(move |session| session.execute(sql, params![&about])).await.expect("changed");
    assert!(changed > 0, "{sql}");
}

/// What a job has set aside, by its id.
async fn set_aside(store: &SqlStore, job: &str) -> Vec<String> {
    store.take_lease(job, "story", at(0), at(1)).await.expect("taken");
    let jobs = store.jobs().await.expect("read");
    let job = jobs.into_iter().find(|state| state.name == job).expect("it has a lease");
    job.set_aside.into_iter().map(|aside| aside.id).collect()
}

async fn reported(store: &SqlStore, n: u8) -> LinkId {
    let link = linked(store, n).await.id;
    store.admit(&link, chain(n, 5), at(400)).await.expect("admitted");
    link
}

async fn history(store: &SqlStore, link: &LinkId) -> Vec<(Timestamp, Span)> {
    let mut all = Vec::new();
    for length in SpanLength::ALL {
        all.extend(store.spans(link, length, Timestamp::UNIX_EPOCH).await.expect("read"));
    }
    all
}

async fn g8_a_run_that_cannot_be_read_is_set_aside(store: &SqlStore) {
    let mut links = Vec::new();
    for n in 1..=3 {
        links.push(reported(store, n).await);
    }
    let whole = [history(store, &links[0]).await, history(store, &links[1]).await, history(store, &links[2]).await];
    let damage =
        "UPDATE history_runs SET content = '{' || content WHERE link = ?1 AND track = 'counts' AND sequence = 5";
    change(store, damage, links[1].as_str()).await;
    for _ in 0..8 {
        store.fold_history(2, at(500)).await.expect("it goes on");
    }
    assert_eq!(store.fold_history(2, at(500)).await.expect("looked"), 0, "nothing is left");
    assert_eq!(set_aside(store, "history").await, [links[1].to_string()]);
    assert_eq!(history(store, &links[0]).await, whole[0], "those before it");
    assert_eq!(history(store, &links[2]).await, whole[2], "and those after it");
    assert_ne!(history(store, &links[1]).await, whole[1], "of the one link, what can be read is shown");
    store.fold_history(10, at(500 + 3600)).await.expect("tried again");
    assert_eq!(set_aside(store, "history").await, [links[1].to_string()], "it is still as it was");
    let mend =
        "UPDATE history_runs SET content = SUBSTR(content, 2) WHERE link = ?1 AND track = 'counts' AND sequence = 5";
    change(store, mend, links[1].as_str()).await;
    store.fold_history(10, at(600 + 3600)).await.expect("it is not tried at once");
    assert_eq!(set_aside(store, "history").await.len(), 1);
    store.fold_history(10, at(500 + 7200)).await.expect("tried again");
    assert_eq!(set_aside(store, "history").await, [""; 0]);
    assert_eq!(history(store, &links[1]).await, whole[1], "and nothing is lost");
}

async fn b1_a_link_that_cannot_be_read_keeps_no_other_from_being_forgotten(store: &SqlStore) {
    let (bad, good) = (reported(store, 1).await, reported(store, 2).await);
    change(
        store,
        "UPDATE reports SET received_at = 9000000000000000000 WHERE link = ?1 AND sequence = 1",
        bad.as_str(),
    )
    .await;
    let retention = Retention { reports_days: Some(100), history_days: Some(100) };
    let mut next = None;
    loop {
        next = store.forget(&retention, at(3600 * 24 * 200), next.as_ref()).await.expect("it goes on");
        if next.is_none() {
            break;
        }
    }
    let left = store.reports(&good, None, crate::store::PageSize::new(200)).await.expect("read").items.len();
    assert_eq!((left, set_aside(store, "retention").await), (1, vec![bad.to_string()]));
}

async fn what_cannot_be_told_or_delivered_is_in_nothings_way(store: &SqlStore) {
    store.add_channel(&act(), &channel(1, serde_json::json!({})), None).await.expect("added");
    let (bad, good) = (unlinked(store, 1, 10).await, unlinked(store, 2, 10).await);
    change(store, "UPDATE concerns SET step = 'nonsense' WHERE application = ?1", bad.application.as_str()).await;
    let told = tell(store, 70).await;
    let matters: Vec<_> = told[0].content.listed.iter().map(|item| item.matter.clone()).collect();
    assert_eq!((told.len(), matters), (1, vec![good.clone()]));
    assert_eq!(set_aside(store, "alerts").await, [bad.application.to_string()]);

    let third = unlinked(store, 3, 5000).await;
    let told = tell(store, 5100).await;
    assert_eq!((told.len(), &told[0].content.listed[0].matter), (2, &third));
    change(store, "UPDATE alert_messages SET content = '{' WHERE id = ?1", told[1].id.as_str()).await;
    let parcels = taken(store, 5200).await;
    assert_eq!(parcels.iter().map(|parcel| &parcel.message).collect::<Vec<_>>(), [&told[0].id]);
    assert_eq!(set_aside(store, "delivery").await, [told[1].id.to_string()]);
    assert_eq!(taken(store, 5600).await.len(), 1, "what was not delivered is tried again, and the other one is not");
}

async fn what_was_set_aside_is_forgotten_when_it_was_not_noted_again(store: &SqlStore) {
    let error = StoreError::Corrupt { what: "a value", reason: "it is none\nof ours".to_owned() };
    let note = move |session: &dyn Session| {
        RETENTION.note(session, "one", &error, at(0))?;
        RETENTION.note(session, "other", &error, at(0))?;
        RETENTION.note(session, "other", &error, at(3600 * 6))
    };
    store.write(note).await.expect("noted");
    assert_eq!(set_aside(store, "retention").await, ["one", "other"]);
    let run = crate::store::leases::JobRun { at: at(3600 * 12), took_ms: 1, next_at: at(3600 * 18), failure: None };
    store.note_run("retention", "story", &run).await.expect("noted");
    assert_eq!(set_aside(store, "retention").await, ["other"]);
    let aside = store.jobs().await.expect("read").remove(0).set_aside.remove(0);
    assert_eq!((aside.since, aside.reason.contains('\n')), (at(0), false), "{aside:?}");
}

macro_rules! on_each_database {
    ($($story:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let dir = tempfile::tempdir().expect("a directory");
                let store = super::SqlStore::sqlite(&dir.path().join("central.db")).expect("a store");
                super::$story(&store).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let server = tokio::task::spawn_blocking(super::Postgres::start).await.expect("a server");
                let address = super::PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
                super::$story(&super::SqlStore::postgres(address).await.expect("a store")).await;
            })*
        }
    };
}

on_each_database!(
    g8_a_run_that_cannot_be_read_is_set_aside
    b1_a_link_that_cannot_be_read_keeps_no_other_from_being_forgotten
    what_cannot_be_told_or_delivered_is_in_nothings_way
    what_was_set_aside_is_forgotten_when_it_was_not_noted_again
);
