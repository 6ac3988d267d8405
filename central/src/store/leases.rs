//! Whose turn it is with a job, of several replicas on one database.

use std::fs::File;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::Stored;

/// A job, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JobState {
    /// The job.
    pub name: String,
    /// Whose turn it is: a replica.
    pub holder: String,
    /// Until when, unless he says that he goes on.
    pub until: Timestamp,
    /// When it last ran well, as far as it was noted.
    pub ran_at: Option<Timestamp>,
    /// How long its last run took, in milliseconds.
    pub took_ms: Option<u64>,
    /// When the next run begins, as far as it was noted.
    pub next_at: Option<Timestamp>,
    /// When it last failed.
    pub failed_at: Option<Timestamp>,
    /// Why; absent once it has run well again.
    pub failure: Option<String>,
    /// What it could not read, and has set aside to go on with everything else: at most 100 of all jobs together.
    pub set_aside: Vec<SetAside>,
}

/// Something that a job could not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SetAside {
    /// What it is: `application`, `link`, `message`, `channel`, `schedule` or `count`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Why it cannot be read.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again, if it is.
    pub again_at: Option<Timestamp>,
}

/// How a run of a job went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// When the next one begins.
    pub next_at: Timestamp,
    /// Why it was not well, if it was not.
    pub failure: Option<String>,
}

/// That a runner of jobs lives, which whoever else opens the same data can see; it ends with this, or with the process.
#[must_use = "it tells that jobs run for as long as it is kept"]
#[derive(Debug, Default)]
pub struct Alive {
    _lock: Option<File>,
}

impl Alive {
    /// Shown by a lock on a file, which the operating system takes away from whoever is killed.
    pub fn by(lock: File) -> Self {
        Self { _lock: Some(lock) }
    }
}

/// Leases: who has one does the job until its end, and longer if he takes it again before. The clocks of the replicas
/// may differ by less than a lease lasts.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Tells that somebody runs jobs here. Where the data are a file, and nobody else does, all leases end: whoever had
    /// one was killed. Of a database server nobody knows that, and a lease ends by itself.
    async fn live(&self) -> Stored<Alive>;
    /// Takes a lease until a time, or prolongs it: where it is free, has ended, or is the holder's own; also where it would
    /// end so late that it was taken before a clock was set back. Says whether it is his.
    async fn take_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool>;
    /// Gives a lease back, if it is the holder's.
    async fn end_lease(&self, name: &str, holder: &str) -> Stored<()>;
    /// Notes how a job went, which is the holder's: well, or why not.
    async fn note_run(&self, name: &str, holder: &str, run: &JobRun) -> Stored<()>;
    /// All jobs that ever ran, by name.
    async fn jobs(&self) -> Stored<Vec<JobState>>;
}
