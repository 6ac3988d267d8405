//! One row that cannot be read stops nothing else, on each kind of database.

use seatline_protocol::LinkId;
use seatline_tests::postgres::Postgres;

use super::*;
use crate::domain::history::{Span, SpanLength};
use crate::domain::ids::{ChannelId, MessageId};
use crate::domain::people::{Every, Scope};
use crate::domain::{CountId, Retention};
use crate::store::conformance::sample::{act, act_at, at, chain, linked};
use crate::store::conformance::{channel, taken, tell, unlinked};
use crate::store::people::Asked;
use crate::store::sql::{PostgresAddress, SqlStore};
use crate::store::{
    Alerts as _, Histories as _, Leases as _, PageSize, PeopleCounts as _, PeopleSchedules as _, Reports as _,
    Retentions as _,
};

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
    let left = store.reports(&good, None, PageSize::new(200)).await.expect("read").items.len();
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

/// The channels of the messages that are made, sorted.
async fn channels_told(store: &SqlStore, second: i64) -> Vec<ChannelId> {
    let mut told: Vec<_> = tell(store, second).await.into_iter().map(|message| message.channel).collect();
    told.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    told
}

async fn a_channel_that_cannot_be_read_misses_nothing_and_keeps_no_other_waiting(store: &SqlStore) {
    const DAMAGE: &str = "UPDATE alert_channels SET config = '{' || config WHERE id = ?1";
    const MEND: &str = "UPDATE alert_channels SET config = SUBSTR(config, 2) WHERE id = ?1";
    let (bad, good) = (channel(1, serde_json::json!({})), channel(2, serde_json::json!({})));
    for channel in [&bad, &good] {
        store.add_channel(&act(), channel, None).await.expect("added");
    }
    let both = [bad.id.clone(), good.id.clone()];
    tell(store, 5).await;
    change(store, DAMAGE, bad.id.as_str()).await;
    unlinked(store, 1, 10).await;
    assert_eq!(channels_told(store, 70).await, both[1..]);
    assert_eq!(set_aside(store, "alerts").await, [bad.id.to_string()]);
    let named: Vec<_> = store.channels().await.expect("read").into_iter().map(|kept| kept.channel.id).collect();
    assert_eq!(named, both[1..], "the others are shown");
    change(store, MEND, bad.id.as_str()).await;
    assert_eq!(channels_told(store, 200).await, both, "what has changed meanwhile is told when it can be read");
    assert_eq!(set_aside(store, "alerts").await, [""; 0]);

    change(store, DAMAGE, bad.id.as_str()).await;
    let taken_for = async |second| {
        let mut channels: Vec<_> = taken(store, second).await.into_iter().map(|parcel| parcel.channel).collect();
        channels.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        channels
    };
    assert_eq!(taken_for(300).await, both[1..], "the message to the other one is delivered");
    assert_eq!(set_aside(store, "delivery").await, [bad.id.to_string()]);
    change(store, MEND, bad.id.as_str()).await;
    assert_eq!(taken_for(300 + 3600).await, both, "and nothing is given up");
}

async fn a_message_that_is_made_waits_for_a_channel_that_cannot_be_read(store: &SqlStore) {
    let (bad, good) = (channel(1, serde_json::json!({})), channel(2, serde_json::json!({})));
    store.add_channel(&act(), &bad, None).await.expect("added");
    for n in 1..=3 {
        unlinked(store, n, 10).await;
    }
    let speak = async |n: u8| store.speak(at(80), &MessageId::from_random([n; 12]), 2).await.expect("it goes on");
    store.follow(at(70), 50).await.expect("followed");
    store.walk(at(70), 50).await.expect("walked");
    assert!(speak(1).await, "two of three alerts are in it");
    change(store, "UPDATE alert_channels SET config = '{' || config WHERE id = ?1", bad.id.as_str()).await;
    assert!(!speak(2).await, "nothing else is to be said");
    store.add_channel(&act(), &good, None).await.expect("added");
    while store.walk(at(80), 50).await.expect("walked") {}
    while speak(3).await {}
    let messages = async || store.messages(None, None, PageSize::new(10)).await.expect("read").items;
    let made: Vec<_> = messages().await.into_iter().map(|message| (message.channel, message.open)).collect();
    assert!(made.contains(&(bad.id.clone(), true)) && made.contains(&(good.id, false)), "{made:?}");
    change(store, "UPDATE alert_channels SET config = SUBSTR(config, 2) WHERE id = ?1", bad.id.as_str()).await;
    while speak(4).await {}
    let whole = messages().await.into_iter().find(|message| message.channel == bad.id).expect("it is there");
    assert_eq!((whole.open, whole.content.listed.len()), (false, 3), "no alert is lost");
}

async fn b9_a_schedule_that_cannot_be_read_keeps_no_other_set_from_being_counted(store: &SqlStore) {
    let set = |group: &str| Scope::typed("", group, "", "").expect("a set");
    let id = |n: u8| CountId::from_random([n; 12]);
    for group in ["one", "other"] {
        store.schedule_counts(&act(), &set(group), Some(Every::Day)).await.expect("set");
    }
    let key = serde_json::to_string(&set("one")).expect("JSON");
    change(store, "UPDATE people_schedules SET every = 'nonsense', next_at = 1 WHERE scope = ?1", &key).await;
    for n in 1..=2 {
        assert!(store.ask_due_count(&id(n), at(100)).await.expect("it goes on"));
    }
    assert!(!store.ask_due_count(&id(3), at(100)).await.expect("looked"), "nothing else is due");
    let next = store.next_count(at(100)).await.expect("read").expect("it waits");
    assert_eq!((next.scope, set_aside(store, "people").await), (set("other"), vec![key.clone()]));
    let shown: Vec<_> = store.count_schedules().await.expect("read").into_iter().map(|of| of.scope).collect();
    assert_eq!(shown, [set("other")]);
    change(store, "UPDATE people_schedules SET every = 'day' WHERE scope = ?1", &key).await;
    assert!(store.ask_due_count(&id(4), at(100 + 3600)).await.expect("asked"), "it is tried again");
    assert_eq!(store.count(&id(4)).await.expect("read").map(|count| count.scope), Some(set("one")));
}

async fn b9_a_count_that_cannot_be_read_keeps_no_other_waiting(store: &SqlStore) {
    let set = |group: &str| Scope::typed("", group, "", "").expect("a set");
    let id = |n: u8| CountId::from_random([n; 12]);
    let ask = async |n: u8, group: &str| store.ask_count(&act_at(n.into()), &id(n), &set(group)).await.expect("asked");
    for (n, group) in [(1, "one"), (2, "two"), (3, "three")] {
        ask(n, group).await;
    }
    store.begin_count(&id(1), at(10)).await.expect("begun");
    for n in 1..=2 {
        change(store, "UPDATE people_counts SET counted = '{' WHERE id = ?1", id(n).as_str()).await;
    }
    let Asked::Open(again) = ask(4, "one").await else { panic!("there is room") };
    assert_eq!(again.id, id(4), "who asks for the set gets another count");
    let next = store.next_count(at(20)).await.expect("it goes on").expect("one waits");
    assert_eq!(next.id, id(3));
    assert_eq!(set_aside(store, "people").await, [id(1).to_string(), id(2).to_string()]);
    let pages = async |size: u32| {
        let (mut shown, mut after) = (Vec::new(), None);
        loop {
            let page = store.counts(None, after.as_ref(), PageSize::new(size)).await.expect("read");
            shown.extend(page.items.into_iter().map(|count| count.id));
            after = page.next;
            if after.is_none() {
                return shown;
            }
        }
    };
    assert_eq!((pages(10).await, pages(1).await), (vec![id(4), id(3)], vec![id(4), id(3)]), "the others are shown");
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
    a_channel_that_cannot_be_read_misses_nothing_and_keeps_no_other_waiting
    a_message_that_is_made_waits_for_a_channel_that_cannot_be_read
    b9_a_schedule_that_cannot_be_read_keeps_no_other_set_from_being_counted
    b9_a_count_that_cannot_be_read_keeps_no_other_waiting
    what_was_set_aside_is_forgotten_when_it_was_not_noted_again
);
