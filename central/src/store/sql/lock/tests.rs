//! What each kind of write has locked while it waits for another server, seen from beside: no story depends on who is
//! faster.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_protocol::notices::Reminders;
use seatline_protocol::{LinkId, Sequence};
use seatline_tests::postgres::{Client, Postgres};
use tokio::task::block_in_place;

use crate::domain::quota::Bound;
use crate::domain::{
    About, Admitted, Answer, AnswerId, Explanation, KeyChange, Labels, LinkSettings, LinkState, Question, Retention,
};
use crate::store::conformance::sample::{act, application, at, chain, invite, key, linked, redemption};
use crate::store::sql::{PostgresAddress, SqlStore};
use crate::store::{
    Alerts as _, Answers as _, Applications as _, Fleet as _, Histories as _, Identity as _, Invites as _, Leases as _,
    LinkKeys as _, Links as _, Removals as _, Reports as _, Retentions as _, Statements as _,
};

/// How long a story waits for what is sure to come.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_LINK: &str = "SELECT id FROM links ORDER BY id LIMIT 1 FOR UPDATE";
const TURN: &str = "SELECT name FROM turns FOR UPDATE";

/// A transaction of another server, which holds a lock, and looks at what else is locked.
struct Other(Option<Client>);

impl Other {
    fn holding(server: &Postgres, query: &str) -> Self {
        block_in_place(|| {
            let mut client = server.client();
            client.batch_execute("BEGIN").expect("begun");
            assert!(!client.query(query, &[]).expect("asked").is_empty(), "there is something to hold: {query}");
            Self(Some(client))
        })
    }

    fn ask<T>(&mut self, ask: impl FnOnce(&mut Client) -> T) -> T {
        block_in_place(|| ask(self.0.as_mut().expect("it holds")))
    }

    /// Whether anybody waits for this one.
    fn is_waited_for(&mut self) -> bool {
        let waiting = "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        !self.ask(|client| client.query(waiting, &[])).expect("asked").is_empty()
    }

    /// The tables of which others have locked rows: what is not locked can be locked.
    fn locked_by_others(&mut self) -> Vec<String> {
        let tables = "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
                      AND relnamespace = CAST('public' AS regnamespace) ORDER BY relname";
        self.ask(|client| {
            let tables = client.query(tables, &[]).expect("asked");
            assert!(tables.len() > 20, "all of them: {tables:?}");
            let mut look = client.transaction().expect("a savepoint");
            let mut rows = |query: String| look.query(&query, &[]).expect("asked").len();
            let mut locked: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
            locked.retain(|table| {
                let all = rows(format!("SELECT 1 FROM {table}"));
                rows(format!("SELECT 1 FROM {table} FOR UPDATE SKIP LOCKED")) < all
            });
            look.rollback().expect("given up");
            locked
        })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        block_in_place(|| drop(self.0.take()));
    }
}

/// Lets `work` go on until it is done, or waits for one of `others`: for which.
async fn waits_for(mut work: Pin<&mut impl Future<Output = ()>>, others: &mut [&mut Other]) -> Option<usize> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await {
            return None;
        }
        if let Some(place) = others.iter_mut().position(|other| other.is_waited_for()) {
            return Some(place);
        }
        assert!(Instant::now() < deadline, "it goes on, or waits");
    }
}

/// What a kind of write has waited for.
#[derive(Debug, PartialEq, Eq)]
enum Locks {
    TheTurn,
    TheLink,
    Both,
}

/// Lets `work` meet somebody who has the turn, and somebody who holds the first of all links. While it waits, it has
/// locked nothing that comes later in the order.
async fn met(server: &Postgres, work: impl Future<Output = ()>) -> Locks {
    let mut work = pin!(work);
    let (mut turn, mut link) = (Other::holding(server, TURN), Other::holding(server, FIRST_LINK));
    let first = waits_for(work.as_mut(), &mut [&mut turn, &mut link]).await;
    assert!(first.is_some(), "nothing is written without a lock");
    let has_turn = first == Some(0);
    if has_turn {
        assert_eq!(
            turn.locked_by_others(),
            ["links"],
            "the one that this story holds: who waits for the turn holds nothing"
        );
    }
    drop(turn);
    if waits_for(work.as_mut(), &mut [&mut link]).await.is_none() {
        assert!(has_turn);
        return Locks::TheTurn;
    }
    let locked = link.locked_by_others();
    drop(link);
    work.await;
    let before: &[&str] = if has_turn { &["turns"] } else { &[] };
    assert_eq!(locked, before, "who waits for the first link holds no other one, and nothing that comes after links");
    if has_turn { Locks::Both } else { Locks::TheLink }
}

async fn started() -> (Postgres, SqlStore) {
    let server = tokio::task::spawn_blocking(Postgres::start).await.expect("a server");
    let address = PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
    let store = SqlStore::postgres(address).await.expect("a store");
    (server, store)
}

async fn sends(store: &SqlStore, n: u8, sequence: usize, now: Timestamp) {
    let link = redemption(n, &key(n), n, now).link;
    let report = chain(n, sequence as u64).pop().expect("a report");
    let answers = store.admit(&link, vec![report], now).await.expect("answered").answers;
    assert!(matches!(answers[..], [Admitted::Stored { .. }]), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_takes_the_turn_first_then_links_and_then_everything_else() {
    let (server, store) = started().await;
    let mut links: Vec<LinkId> = Vec::new();
    for n in [3, 2, 1] {
        links.push(linked(&store, n).await.id);
        sends(&store, n, 1, at(60)).await;
    }
    assert!(links.is_sorted_by(|one, other| one > other), "{links:?}");
    let (first, of_first) = (links[2].clone(), application(1).id);
    let settings = store.link(&first).await.expect("read").expect("a link").settings;
    let reminders = Reminders::default();

    let reported = met(&server, sends(&store, 1, 2, at(120)));
    assert_eq!(reported.await, Locks::TheLink);
    let stated = met(&server, async { store.note(&first, Vec::new(), at(121)).await.map(drop).expect("noted") });
    assert_eq!(stated.await, Locks::TheLink);
    let flooded = met(&server, async {
        store.note_met(&first, Bound::TooManyKeys, at(121)).await.expect("noted");
    });
    assert_eq!(flooded.await, Locks::TheLink);

    let reviewed = met(&server, async {
        assert_eq!(store.review(&reminders, at(122), 10).await.expect("reviewed").reviewed, 3);
    });
    assert_eq!(reviewed.await, Locks::Both);
    let once_more = met(&server, async { store.review_one(&of_first, &reminders, at(123)).await.expect("reviewed") });
    assert_eq!(once_more.await, Locks::Both);
    let folded = met(&server, async { assert!(store.fold_history(64, at(124)).await.expect("folded") >= 3) });
    assert_eq!(folded.await, Locks::Both);
    let cleared = met(&server, async { store.forget_alerts(at(125), 100).await.map(drop).expect("cleared") });
    assert_eq!(cleared.await, Locks::TheTurn);
    let leased = met(&server, async { store.take_lease("job", "me", at(1), at(2)).await.map(drop).expect("taken") });
    assert_eq!(leased.await, Locks::TheTurn);
    let checked = met(&server, async { store.check().await.expect("it works") });
    assert_eq!(checked.await, Locks::TheTurn);

    let sorted = met(&server, async {
        let labels = Labels::parse("Sales", "critical").expect("labels");
        store.set_labels(&act(), &of_first, &labels).await.expect("set");
    });
    assert_eq!(sorted.await, Locks::TheTurn);
    let chosen = met(&server, async { store.choose_link(&act(), &of_first, None).await.expect("none is chosen") });
    assert_eq!(chosen.await, Locks::TheTurn);
    let chosen = met(&server, async { store.choose_link(&act(), &of_first, Some(&first)).await.expect("chosen") });
    assert_eq!(chosen.await, Locks::Both);
    let set = met(&server, async {
        let settings = LinkSettings { revision: settings.revision + 1, interval: 60, ..settings };
        store.set_link_settings(&act(), &first, &settings).await.expect("set");
    });
    assert_eq!(set.await, Locks::Both);
    let suspended = met(&server, async {
        store.set_link_state(&act(), &first, LinkState::Suspended).await.expect("suspended");
    });
    assert_eq!(suspended.await, Locks::Both);
    let approved = met(&server, async { store.approve_link(&act(), &first, &of_first).await.expect("approved") });
    assert_eq!(approved.await, Locks::Both);
    let answered = met(&server, async {
        let answer = Answer {
            id: AnswerId::from_random([1; 12]),
            link: first.clone(),
            question: Question::Fork,
            about: About::Forks(1),
            explanation: Explanation::Restored,
            why: String::new(),
            by: "story".to_owned(),
            at: at(126),
        };
        store.answer(&act(), &answer).await.expect("kept");
    });
    assert_eq!(answered.await, Locks::Both);
    let rotated = met(&server, async {
        let (link, from) = (first.clone(), Sequence::try_from(3).expect("a number"));
        let change = KeyChange { link, old: key(1).public(), new: key(9).public(), from };
        store.change_key(&change, at(127)).await.map(drop).expect("changed");
    });
    assert_eq!(rotated.await, Locks::Both);
    let joined = met(&server, async {
        store.add_invite(&act(), &invite(4, None)).await.expect("kept");
        store.redeem(&redemption(4, &key(4), 4, at(1))).await.map(drop).expect("redeemed");
    });
    assert_eq!(joined.await, Locks::TheTurn);

    let forgotten = met(&server, async {
        let retention = Retention { reports_days: Some(30), history_days: Some(30) };
        store.forget(&retention, at(86_400 * 100), None).await.map(drop).expect("forgotten");
    });
    assert_eq!(forgotten.await, Locks::Both);
    let removed = met(&server, async { store.remove_application(&act(), &of_first).await.expect("removed") });
    assert_eq!(removed.await, Locks::Both);
    let removed = met(&server, async { store.remove_link(&act(), &links[1]).await.expect("removed") });
    assert_eq!(removed.await, Locks::Both);
    let swept = met(&server, async { while store.sweep().await.expect("swept") {} });
    assert_eq!(swept.await, Locks::TheTurn);
}

/// A link that has not reported yet has no newest report, by which others are locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_report_is_locked_in_its_place_among_those_that_come_with_it() {
    let (server, store) = started().await;
    for n in [1, 2, 3] {
        linked(&store, n).await;
    }
    for n in [2, 3] {
        sends(&store, n, 1, at(60)).await;
    }
    let mut link = Other::holding(&server, FIRST_LINK);
    let mut last = Other::holding(&server, "SELECT id FROM links ORDER BY id DESC LIMIT 1 FOR UPDATE");
    // While one report waits, two come together: they are written in one group.
    let mut waiting = pin!(sends(&store, 3, 2, at(120)));
    assert_eq!(waits_for(waiting.as_mut(), &mut [&mut last]).await, Some(0));
    let mut together = pin!(async {
        tokio::join!(sends(&store, 2, 2, at(120)), sends(&store, 1, 1, at(120)));
    });
    assert!(poll_fn(|context| Poll::Ready(together.as_mut().poll(context).is_pending())).await);
    drop(last);
    waiting.await;
    assert_eq!(waits_for(together.as_mut(), &mut [&mut link]).await, Some(0));
    assert_eq!(link.locked_by_others(), [""; 0], "the second link comes after the first");
    drop(link);
    together.await;
}
