//! What the server does by itself, again and again: the review of the fleet, the folding of the history, the counting
//! of people, and whatever else hangs itself in here.
//!
//! A [`Job`] does its work in steps, each short. Of several replicas on one database one does it: whoever has its
//! lease, which it prolongs as it goes on; when it is gone, another takes over: where the data are a file, at once. A
//! job that fails is logged and tried again, later and later; one that has more to do gives way to writes that wait.
//! How jobs went stands in the store ([`crate::store::Leases::jobs`]). A step may be run twice without harm: a lease is
//! no lock.

mod alerts;
mod history;
mod people;
mod retention;
mod review;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use seatline_web::secret::{hex, random};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::central::{ActionError, Central};
use crate::store::StoreError;
use crate::store::leases::{Alive, JobRun};
pub use alerts::{Clearing, Delivery, Telling};
pub use history::FoldHistory;
pub use people::CountPeople;
pub use retention::Forgetting;
pub use review::Review;

/// How long a lease lasts: a step must take less.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The longest time between two tries of a job that fails.
const MAX_BACK_OFF: Duration = Duration::from_secs(600);

/// The longest rest between two steps: one that took longer has waited for somebody else, such as a mail server.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Something that is done again and again.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// What it is called: its lease has this name.
    fn name(&self) -> &'static str;
    /// How long it rests when there is nothing more to do.
    fn interval(&self) -> Duration;
    /// Does a part of the work, in well under a minute.
    ///
    /// # Errors
    /// Where it could not be done. It is tried again, and nothing that was done before is lost.
    async fn step(&self, central: &Central) -> Result<Progress, JobError>;
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more to do.
    More,
    /// Nothing is left for now.
    Done,
    /// What is to be done waits for the next time: it counts as no run.
    PutOff,
}

/// Why a step of a job could not be done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else is in the way.
    #[error("{0}")]
    Other(String),
}

/// The jobs of a server that run.
#[derive(Debug)]
pub struct Jobs {
    end: watch::Sender<bool>,
    running: JoinSet<()>,
    holder: String,
    _alive: Alive,
}

impl Jobs {
    /// All jobs of a server.
    pub fn all() -> Vec<Arc<dyn Job>> {
        vec![
            Arc::new(Review),
            Arc::new(FoldHistory),
            Arc::new(Forgetting::default()),
            Arc::new(Telling),
            Arc::new(Delivery),
            Arc::new(Clearing),
            Arc::new(CountPeople::default()),
        ]
    }

    /// Starts `jobs`.
    ///
    /// # Errors
    /// Where the operating system gives no randomness, which the name of a replica is made of; or the store cannot be
    /// used.
    pub async fn start(central: &Central, jobs: Vec<Arc<dyn Job>>) -> Result<Self, ActionError> {
        let alive = central.store().live().await?;
        let (end, ended) = watch::channel(false);
        let holder = hex(&random::<12>()?);
        let mut running = JoinSet::new();
        for job in jobs {
            let runner = Runner { central: central.clone(), job, holder: holder.clone(), lease: None, noted: None };
            running.spawn(runner.run(ended.clone()));
        }
        Ok(Self { end, running, holder, _alive: alive })
    }

    /// What the leases of these jobs are taken by.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Ends the jobs after the step that each is at, and gives their leases back.
    pub async fn end(mut self) {
        let _ = self.end.send(true);
        while self.running.join_next().await.is_some() {}
    }
}

/// What runs one job.
struct Runner {
    central: Central,
    job: Arc<dyn Job>,
    /// The name of this replica.
    holder: String,
    /// Until when the lease is ours.
    lease: Option<Timestamp>,
    /// When it was noted last how the job went, and whether it was well.
    noted: Option<(Timestamp, bool)>,
}

impl Runner {
    async fn run(mut self, mut ended: watch::Receiver<bool>) {
        let name = self.job.name();
        let (mut failures, mut begun): (u32, Option<Timestamp>) = (0, None);
        while !*ended.borrow() {
            let since = *begun.get_or_insert_with(|| self.central.now());
            let stepped = Instant::now();
            let outcome = self.step().await;
            if outcome.is_ok() {
                failures = 0;
            }
            let rest = match outcome {
                Ok(Some(Progress::More)) => {
                    let _ = tokio::time::timeout(self.gives_way(stepped.elapsed()), ended.wait_for(|end| *end)).await;
                    continue;
                }
                Ok(Some(Progress::Done)) => {
                    let rest = self.job.interval();
                    self.note(since, rest, None).await;
                    rest
                }
                Ok(Some(Progress::PutOff) | None) => self.job.interval(),
                Err(error) => {
                    failures = failures.saturating_add(1);
                    let rest = back_off(self.job.interval(), failures);
                    tracing::error!(job = name, failures, again_in = ?rest, "a job failed: {error}");
                    self.note(since, rest, Some(error.to_string())).await;
                    rest
                }
            };
            begun = None;
            let _ = tokio::time::timeout(rest, ended.wait_for(|ended| *ended)).await;
        }
        if self.lease.is_some()
            && let Err(error) = self.central.store().end_lease(name, &self.holder).await
        {
            tracing::warn!(job = name, "its lease could not be given back, and ends by itself: {error}");
        }
    }

    /// A step, if it is our turn.
    async fn step(&mut self) -> Result<Option<Progress>, JobError> {
        if !self.has_lease().await? {
            return Ok(None);
        }
        let (job, central) = (Arc::clone(&self.job), self.central.clone());
        // In a task of its own: a defect in one step fails that step, and not the job for ever.
        let stepped = tokio::spawn(async move { job.step(&central).await }).await;
        stepped.unwrap_or_else(|error| Err(JobError::Other(format!("a defect of this program: {error}")))).map(Some)
    }

    /// How long it rests before the next step, after one that took so long: as long, where writes wait, which are mostly
    /// reports. So a job takes no more than half of the time from those who are waited for, and all of an idle server.
    fn gives_way(&self, worked: Duration) -> Duration {
        if self.central.store().load().waiting > 0 { worked.min(LONGEST_PAUSE) } else { Duration::ZERO }
    }

    /// Whether it is our turn; takes it, or prolongs it when half of it is over. One that lasts longer than any is from
    /// before the clock was set back: another server may have the job by now.
    async fn has_lease(&mut self) -> Result<bool, StoreError> {
        let now = self.central.now();
        let half = SignedDuration::from_secs(LEASE.as_secs() / 2);
        let left = self.lease.map(|until| until.duration_since(now));
        if left.is_some_and(|left| left > half && left <= LEASE) {
            return Ok(true);
        }
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let is_ours = self.central.store().take_lease(self.job.name(), &self.holder, now, until).await?;
        self.lease = is_ours.then_some(until);
        Ok(is_ours)
    }

    /// Notes how a run went that began at `since`, and after what rest the next begins: when that is something else
    /// than before, and otherwise from time to time.
    async fn note(&mut self, since: Timestamp, rest: Duration, failure: Option<String>) {
        let (now, is_well) = (self.central.now(), failure.is_none());
        let half = SignedDuration::from_secs(LEASE.as_secs() / 2);
        if self.noted.is_some_and(|(at, was_well)| was_well == is_well && is_well && now.duration_since(at) < half) {
            return;
        }
        let run = JobRun {
            at: now,
            took_ms: u64::try_from(now.duration_since(since).as_millis()).unwrap_or_default(),
            next_at: now.checked_add(rest).unwrap_or(Timestamp::MAX),
            failure,
        };
        match self.central.store().note_run(self.job.name(), &self.holder, &run).await {
            Ok(()) => self.noted = Some((now, is_well)),
            Err(error) => tracing::warn!(job = self.job.name(), "how a job went could not be noted: {error}"),
        }
    }
}

/// How long a job rests that failed so often in a row.
fn back_off(interval: Duration, failures: u32) -> Duration {
    let factor = 2u32.saturating_pow(failures.min(16));
    interval.saturating_mul(factor).clamp(interval, MAX_BACK_OFF.max(interval))
}
