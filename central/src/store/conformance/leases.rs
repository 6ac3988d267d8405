//! Stories about leases.

use super::sample::at;
use crate::store::Store;
use crate::store::leases::JobRun;

/// Who lives keeps his leases, whoever else begins to run jobs.
pub async fn a_lease_of_who_lives_stays_his(store: &dyn Store) {
    let take = async |holder: &str| store.take_lease("review", holder, at(0), at(60)).await.expect("asked");
    let first = store.live().await.expect("told");
    assert!(take("a").await);
    let second = store.live().await.expect("told");
    assert!(!take("b").await);
    drop(first);
    let _third = store.live().await.expect("told");
    assert!(!take("c").await, "somebody lives still, and nobody knows who");
    drop(second);
}

/// A lease is one holder's, until it has ended.
pub async fn a_lease_is_one_holders_until_it_ends(store: &dyn Store) {
    let take =
        async |holder: &str, now: i64| store.take_lease("review", holder, at(now), at(now + 60)).await.expect("asked");
    assert!(take("a", 0).await);
    let writes = store.load().writes;
    assert!(!take("b", 59).await, "it is taken");
    assert_eq!(store.load().writes, writes, "who waits for his turn is in nobody's way");
    assert!(take("a", 59).await, "it is prolonged");
    assert!(!take("b", 118).await);
    assert!(take("b", 119).await, "it has ended");
    let note = async |holder: &str, now: i64, failure: Option<&str>| {
        let run = JobRun { at: at(now), took_ms: 1500, next_at: at(now + 9), failure: failure.map(str::to_owned) };
        store.note_run("review", holder, &run).await.expect("noted");
    };
    note("a", 119, None).await;
    assert_eq!(store.jobs().await.expect("read")[0].ran_at, None, "it is not his any more");
    note("b", 120, Some("the disk is full")).await;
    let job = store.jobs().await.expect("read").remove(0);
    assert_eq!(
        (job.holder.as_str(), job.failed_at, job.failure.as_deref()),
        ("b", Some(at(120)), Some("the disk is full"))
    );
    note("b", 121, None).await;
    let job = store.jobs().await.expect("read").remove(0);
    assert_eq!((job.took_ms, job.next_at), (Some(1500), Some(at(130))));
    assert_eq!((job.ran_at, job.failed_at, job.failure), (Some(at(121)), Some(at(120)), None));
    store.end_lease("review", "a").await.expect("nothing happens");
    assert!(!take("a", 122).await);
    store.end_lease("review", "b").await.expect("ended");
    assert!(take("a", 122).await);
}

/// A lease that was taken by a clock far ahead is no lease once the clock is right.
pub async fn a_lease_from_before_the_clock_was_set_back_keeps_nobody_waiting(store: &dyn Store) {
    let take =
        async |holder: &str, now: i64| store.take_lease("review", holder, at(now), at(now + 60)).await.expect("asked");
    let year = 365 * 24 * 3600;
    assert!(take("a", year).await);
    assert!(!take("b", year - 3600).await, "another clock may be behind by an hour");
    assert!(take("b", 0).await, "nobody can have it for so long");
    assert!(!take("a", 1).await, "and then it is a lease as any other");
}
