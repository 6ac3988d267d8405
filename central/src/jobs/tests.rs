//! Jobs that run, fail, and go from one replica to another.

use std::sync::atomic::{AtomicU32, Ordering};

use seatline_protocol::SecretKey;
use seatline_protocol::pairing::Secret;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::domain::{Actor, Clock, Retention};
use crate::keyring::Keyring;
use crate::store::conformance::sample::{at, chain, linked};
use crate::store::leases::JobState;
use crate::store::sql::SqlStore;
use crate::store::{Histories as _, Leases as _, PageSize, Reports as _, Store};

async fn central(store: &Arc<SqlStore>) -> Central {
    central_by(store, Clock::system()).await
}

async fn central_by(store: &Arc<SqlStore>, clock: Clock) -> Central {
    let keys = Keyring::new(SecretKey::from_seed(&[1; 32]), Secret::from_bytes([2; 32]));
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    Central::open(store, keys, clock, "Example", "https://central.example").await.expect("a central server")
}

fn store() -> (Arc<SqlStore>, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    (Arc::new(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store")), dir)
}

/// A job that tells of each of its steps, and fails the first times.
struct Told {
    steps: mpsc::UnboundedSender<u32>,
    count: AtomicU32,
    fails: u32,
    then: Progress,
}

impl Told {
    fn new(fails: u32) -> (Arc<Self>, mpsc::UnboundedReceiver<u32>) {
        Self::coming_to(fails, Progress::Done)
    }

    fn coming_to(fails: u32, then: Progress) -> (Arc<Self>, mpsc::UnboundedReceiver<u32>) {
        let (steps, told) = mpsc::unbounded_channel();
        (Arc::new(Self { steps, count: AtomicU32::new(0), fails, then }), told)
    }
}

#[async_trait]
impl Job for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn step(&self, _: &Central) -> Result<Progress, JobError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = self.steps.send(number);
        if number <= self.fails { Err(JobError::Other("the disk is full".to_owned())) } else { Ok(self.then) }
    }
}

/// How the job went, once that is so.
async fn until(central: &Central, wanted: impl Fn(&JobState) -> bool) -> JobState {
    let look = async {
        loop {
            if let Some(job) = central.store().jobs().await.expect("read").into_iter().find(&wanted) {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.expect("it comes to that")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_tried_again_and_shows_why() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let (job, mut told) = Told::new(2);
    let jobs = Jobs::start(&central, vec![job]).await.expect("started");
    assert_eq!((told.recv().await, told.recv().await, told.recv().await), (Some(1), Some(2), Some(3)));
    let state = until(&central, |job| job.ran_at.is_some()).await;
    assert_eq!((state.name.as_str(), state.failure), ("told", None), "it is well again");
    assert!(state.failed_at.is_some(), "and it is known that it was not");
    assert!(state.next_at >= state.ran_at && state.took_ms.is_some(), "when it goes on, and how long it took");
    jobs.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_off_counts_as_no_run() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let (job, mut told) = Told::coming_to(0, Progress::PutOff);
    let jobs = Jobs::start(&central, vec![job]).await.expect("started");
    assert_eq!((told.recv().await, told.recv().await, told.recv().await), (Some(1), Some(2), Some(3)));
    let state = until(&central, |job| job.name == "told").await;
    assert_eq!((state.ran_at, state.next_at, state.failed_at), (None, None, None));
    jobs.end().await;
}

/// A job whose first step is a defect.
#[derive(Default)]
struct Defective(AtomicU32);

#[async_trait]
impl Job for Defective {
    fn name(&self) -> &'static str {
        "defective"
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn step(&self, _: &Central) -> Result<Progress, JobError> {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "a defect");
        Ok(Progress::Done)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_is_tried_again_and_shows_it() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let jobs = Jobs::start(&central, vec![Arc::new(Defective::default())]).await.expect("started");
    let state = until(&central, |job| job.ran_at.is_some()).await;
    assert!(state.failed_at.is_some(), "it is known that it has failed");
    jobs.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_does_the_job_and_the_other_takes_over() {
    let (store, _dir) = store();
    let (first, second) = (central(&store).await, central(&store).await);
    let (one, mut told_one) = Told::new(0);
    let (other, mut told_other) = Told::new(0);
    let running = Jobs::start(&first, vec![one]).await.expect("started");
    assert!(told_one.recv().await.is_some());
    let waiting = Jobs::start(&second, vec![other]).await.expect("started");
    for _ in 0..5 {
        assert!(told_one.recv().await.is_some(), "it goes on");
    }
    assert!(told_other.try_recv().is_err(), "it is not its turn");
    running.end().await;
    let next = tokio::time::timeout(Duration::from_secs(30), told_other.recv()).await.expect("it takes over at once");
    assert_eq!(next, Some(1));
    waiting.end().await;
    let silence = async { while told_other.recv().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(30), silence).await.expect("and it ends");
}

/// What runs a job of a server, before it has run.
fn runner(central: &Central) -> Runner {
    let (job, holder) = (Told::new(0).0, "this".to_owned());
    Runner { central: central.clone(), job, holder, lease: None, noted: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_took_a_lease_before_his_clock_was_set_back_asks_for_it_again() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let mut runner = runner(&central);
    assert!(runner.has_lease().await.expect("asked"));
    let now = central.now();
    assert!(!store.take_lease("told", "another", now, now + LEASE).await.expect("asked"), "it is his");
    runner.lease = Some(now + SignedDuration::from_hours(24));
    store.end_lease("told", "this").await.expect("ended");
    assert!(store.take_lease("told", "another", now, now + LEASE).await.expect("asked"));
    assert!(!runner.has_lease().await.expect("asked"), "another has it by now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_more_to_do_gives_way_to_writes_that_wait() {
    let (store, dir) = store();
    let central = central(&store).await;
    let runner = runner(&central);
    let worked = Duration::from_millis(20);
    assert_eq!(runner.gives_way(worked), Duration::ZERO, "nobody waits");
    let other = rusqlite::Connection::open(dir.path().join("central.db")).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes now");
    let now = central.now();
    let writer = Arc::clone(&store);
    let write = tokio::spawn(async move { writer.take_lease("another", "this", now, now).await });
    let waits = async {
        while runner.gives_way(worked).is_zero() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waits).await.expect("a write waits");
    assert_eq!(runner.gives_way(worked), worked);
    assert_eq!(runner.gives_way(Duration::from_secs(50)), LONGEST_PAUSE);
    other.execute_batch("ROLLBACK").expect("ended");
    write.await.expect("ended").expect("written");
    assert_eq!(runner.gives_way(worked), Duration::ZERO, "and goes on without a pause then");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_a_job_goes_on_at_once_after_its_server_was_killed() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let (now, later) = (central.now(), central.now() + SignedDuration::from_hours(1));
    assert!(store.take_lease("told", "killed", now, later).await.expect("asked"));
    let (job, mut told) = Told::new(0);
    let jobs = Jobs::start(&central, vec![job]).await.expect("started");
    let next = tokio::time::timeout(Duration::from_secs(30), told.recv()).await.expect("it takes over at once");
    assert_eq!(next, Some(1));
    jobs.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w5_what_was_added_is_reviewed_by_itself() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let actor = Actor::command_line("test");
    let jobs = Jobs::start(&central, Jobs::all()).await.expect("started");
    let added = central.add_application(&actor, "Company wiki", "acme-wiki", "").await.expect("added");
    let look = async {
        while central.store().fleet_item(&added.id).await.expect("read").is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.expect("it is reviewed");
    jobs.end().await;
}

#[test]
fn a_job_that_goes_on_failing_rests_longer_and_longer() {
    let second = Duration::from_secs(1);
    let rests: Vec<u64> = [1, 2, 3, 9, 10, 100].map(|failures| back_off(second, failures).as_secs()).to_vec();
    assert_eq!(rests, [2, 4, 8, 512, 600, 600]);
    assert_eq!(back_off(Duration::from_secs(3600), 3), Duration::from_secs(3600), "never sooner than it would anyway");
}

#[tokio::test(flavor = "multi_thread")]
async fn g8_the_history_is_folded_in_batches_and_says_the_same_as_before() {
    use crate::domain::history::SpanLength;

    let (store, _dir) = store();
    let central = central(&store).await;
    let link = linked(&*store, 1).await.id;
    for reports in chain(1, 150).chunks(50) {
        let now = reports[49].entry.observed_at();
        central.store().admit(&link, reports.to_vec(), now).await.expect("answered");
    }
    let spans = async || {
        let mut all = Vec::new();
        for length in SpanLength::ALL {
            all.push(central.store().spans(&link, length, Timestamp::UNIX_EPOCH).await.expect("read"));
        }
        all
    };
    let (before, step) = (spans().await, async || FoldHistory.step(&central).await.expect("folded"));
    assert!(before.iter().all(|spans| !spans.is_empty()), "a page folds what is not folded yet");
    assert_eq!([step().await, step().await, step().await], [Progress::More, Progress::More, Progress::Done]);
    assert_eq!(store.fold_history(1, central.now()).await.expect("looked"), 0, "nothing is left");
    assert_eq!(spans().await, before);
    assert_eq!(step().await, Progress::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_goes_along_all_links_and_begins_again_at_the_first() {
    let (store, _dir) = store();
    let central = central(&store).await;
    let forgetting = Forgetting::default();
    let step = async || forgetting.step(&central).await.expect("done");
    for n in 1..=60 {
        linked(&*store, n).await;
    }
    assert_eq!(step().await, Progress::Done, "everything is kept");
    let retention = Retention { reports_days: Some(100), history_days: None };
    central.set_retention(&Actor::command_line("ada"), &retention).await.expect("set");
    for _ in 0..2 {
        assert_eq!([step().await, step().await], [Progress::More, Progress::Done]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_leaps_ahead_forgets_nothing_at_once() {
    let (store, _dir) = store();
    let ahead = || "2029-01-01T00:00:00Z".parse().expect("a time");
    let central = central_by(&store, Clock::new(ahead)).await;
    let link = linked(&*store, 1).await.id;
    store.admit(&link, chain(1, 3), at(1000)).await.expect("admitted");
    let retention = Retention { reports_days: Some(100), history_days: None };
    central.set_retention(&Actor::command_line("ada"), &retention).await.expect("set");
    let (now, kept) =
        (central.now(), async || store.reports(&link, None, PageSize::default()).await.expect("read").items.len());
    assert!(store.take_lease("retention", "one", now, now).await.expect("taken"));
    let year_ago = JobRun { at: now - SignedDuration::from_hours(24 * 365), took_ms: 1, next_at: now, failure: None };
    store.note_run("retention", "one", &year_ago).await.expect("noted");

    // However often the server is started again.
    for forgetting in [Forgetting::default(), Forgetting::default()] {
        for _ in 0..2 {
            assert_eq!(forgetting.step(&central).await.expect("looked"), Progress::PutOff);
        }
    }
    assert_eq!(kept().await, 3);
    let patient = Forgetting::with_patience(Duration::ZERO);
    assert_eq!(patient.step(&central).await.expect("looked"), Progress::PutOff);
    assert_eq!(patient.step(&central).await.expect("done"), Progress::Done, "it has been so for a while");
    assert_eq!(kept().await, 1, "all but the newest are forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_by_the_time_at_which_it_began() {
    let (store, _dir) = store();
    let seconds = Arc::new(AtomicU32::new(2000));
    let told = Arc::clone(&seconds);
    let central = central_by(&store, Clock::new(move || at(told.load(Ordering::Relaxed).into()))).await;
    let mut links = Vec::new();
    for n in 1..=60 {
        let link = linked(&*store, n).await.id;
        store.admit(&link, chain(n, 2), at(1000)).await.expect("admitted");
        links.push(link);
    }
    let retention = Retention { reports_days: Some(100), history_days: None };
    central.set_retention(&Actor::command_line("ada"), &retention).await.expect("set");
    let kept = async || {
        let mut kept = 0;
        for link in &links {
            kept += store.reports(link, None, PageSize::default()).await.expect("read").items.len();
        }
        kept
    };
    let walk = async |forgetting: Forgetting| {
        assert_eq!(forgetting.step(&central).await.expect("begun"), Progress::More);
        seconds.store(400 * 24 * 3600, Ordering::Relaxed);
        assert_eq!(forgetting.step(&central).await.expect("ended"), Progress::Done);
    };
    walk(Forgetting::default()).await;
    assert_eq!(kept().await, 120, "the clock has leapt meanwhile");
    walk(Forgetting::default()).await;
    assert_eq!(kept().await, 60, "the next one begins with what it says");
}
