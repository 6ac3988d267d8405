use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datasketches::theta::ThetaSketchBuilder;
use jiff::Timestamp;
use seatline_protocol::notices::Reminders;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Outcome, SecretKey};
use tempfile::TempDir;

use super::*;
use crate::actions::counts::PeopleOfSet;
use crate::domain::people::{CountState, Counted};
use crate::domain::{Actor, Clock, Incoming, Use};
use crate::keyring::Keyring;
use crate::store::Store;
use crate::store::conformance::sample::{chain_of_hours, linked};
use crate::store::sql::SqlStore;

/// How many seconds a server's clock goes on each time when it is looked at.
static SECONDS: AtomicI64 = AtomicI64::new(0);

fn now() -> Timestamp {
    let second = 1_800_000_000 + SECONDS.fetch_add(1, Ordering::Relaxed);
    Timestamp::from_second(second).expect("a time")
}

struct World {
    central: Central,
    store: Arc<SqlStore>,
    _dir: TempDir,
}

impl World {
    /// A central server with `applications`, of which two neighbours share half of their 20 people.
    async fn of(applications: u8) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store"));
        let world = Self { central: central(&store).await, store, _dir: dir };
        for n in 0..applications {
            world.linked(n).await;
        }
        world
    }

    async fn linked(&self, n: u8) {
        let link = linked(&*self.store, n).await;
        let reports: Vec<Incoming> = chain_of_hours(n, &[people(n)]);
        self.central.store().admit(&link.id, reports, now()).await.expect("admitted");
    }

    async fn reviewed(&self) {
        while self.central.store().review(&Reminders::default(), now(), 50).await.expect("reviewed").more {}
    }
}

async fn central(store: &Arc<SqlStore>) -> Central {
    let keys = Keyring::new(SecretKey::from_seed(&[1; 32]), Secret::from_bytes([2; 32]));
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    Central::open(store, keys, Clock::new(now), "Example", "https://central.example").await.expect("a central server")
}

/// A run that counted the people of the n-th application.
fn people(n: u8) -> Outcome {
    let mut sketch = ThetaSketchBuilder::default().lg_k(12).build().expect("a sketch");
    (u64::from(n) * 10..u64::from(n) * 10 + 20).for_each(|person| sketch.update(person));
    match crate::domain::sample::counts(20) {
        Outcome::Collected(mut collected) => {
            collected.people = Some(sketch.compact(true).serialize());
            Outcome::Collected(collected)
        }
        failed => failed,
    }
}

fn all() -> Scope {
    Scope::all(Use::Production)
}

fn story() -> Actor {
    Actor::command_line("story")
}

/// Steps until nothing is left to do; gives how many steps that took.
async fn done(job: &CountPeople, central: &Central) -> u32 {
    let mut steps = 0;
    while job.step(central).await.expect("a step") == Progress::More {
        steps += 1;
        assert!(steps < 1000, "it ends");
    }
    steps
}

async fn newest(central: &Central) -> Counted {
    let newest = central.counts_of(&all()).await.expect("read").newest.expect("it was counted");
    newest.counted.expect("with its numbers")
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_a_set_that_is_too_large_for_a_page_is_counted_by_the_job() {
    let world = World::of(130).await;
    world.reviewed().await;
    let central = &world.central;
    let PeopleOfSet::ByCount(before) = central.people_of_set(&all()).await.expect("read") else {
        panic!("more than are counted at once")
    };
    assert_eq!((before.newest, before.open), (None, None));
    assert!(central.people_of(&all()).await.is_err());
    let job = CountPeople::default();
    assert_eq!(done(&job, central).await, 0, "nobody has asked");
    let asked = central.ask_count(&story(), &all()).await.expect("asked");
    assert_eq!((asked.state, asked.to_look_at), (CountState::Waiting, 130));
    assert_eq!(done(&job, central).await, 4, "three batches of at most {BATCH}, and the end");
    let PeopleOfSet::ByCount(after) = central.people_of_set(&all()).await.expect("read") else { panic!("as before") };
    let counted = after.newest.expect("it is done").counted.expect("with its numbers");
    assert_eq!(counted.together.map(|people| people.likely), Some(1310.0));
    assert_eq!((counted.seats, counted.applications, counted.counted), (2600, 130, 130));
    // What is small is counted at once, and by the job to the same number.
    let small = Scope::typed("", "", "", "staging").expect("a set");
    assert!(matches!(central.people_of_set(&small).await, Ok(PeopleOfSet::AtOnce(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_a_server_that_ends_while_it_counts_is_followed_by_another_one() {
    let world = World::of(70).await;
    world.reviewed().await;
    let (first, second) = (&world.central, central(&world.store).await);
    first.ask_count(&story(), &all()).await.expect("asked");
    let (one, other) = (CountPeople::default(), CountPeople::default());
    one.step(first).await.expect("a batch");
    assert_eq!(done(&other, &second).await, 3, "from the beginning");
    let counted = newest(&second).await;
    assert_eq!((counted.applications, counted.together.map(|people| people.likely)), (70, Some(710.0)));
    // The first comes back, and nothing is counted twice.
    done(&one, first).await;
    let counts = first.counts_of(&all()).await.expect("read");
    assert_eq!((counts.newest.and_then(|count| count.counted), counts.earlier.len()), (Some(counted), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_a_count_that_never_ends_is_given_up() {
    let world = World::of(70).await;
    world.reviewed().await;
    let central = &world.central;
    central.ask_count(&story(), &all()).await.expect("asked");
    for _ in 0..MOST_TRIES {
        CountPeople::default().step(central).await.expect("a batch, and the server ends");
    }
    done(&CountPeople::default(), central).await;
    let counts = central.counts_of(&all()).await.expect("read");
    let failed = counts.failed.expect("it was given up");
    assert!(failed.failure.is_some_and(|why| why.contains("begun 3 times")), "and it is told why");
    assert_eq!((counts.open, counts.newest), (None, None), "the next may be asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_of_two_servers_that_count_at_once_one_result_is_kept() {
    let world = World::of(70).await;
    world.reviewed().await;
    let (first, second) = (&world.central, central(&world.store).await);
    first.ask_count(&story(), &all()).await.expect("asked");
    let (one, other) = (CountPeople::default(), CountPeople::default());
    for _ in 0..4 {
        one.step(first).await.expect("a step");
        other.step(&second).await.expect("a step");
    }
    let counts = first.counts_of(&all()).await.expect("read");
    assert_eq!(
        (counts.newest.and_then(|count| count.counted).map(|of| of.applications), counts.earlier.len()),
        (Some(70), 0)
    );
    assert_eq!(counts.open, None);
}
