//! Synchronisations that somebody asked for over HTTP: one at a time, in a thread of its own, because counting may take
//! minutes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use axum::http::StatusCode;
use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::host::Synchronised;
use seatline_host::sandbox::Trigger;
use seatline_protocol::report::Outcome;
use seatline_protocol::{Digest, Sequence};
use seatline_web::ApiError;
use serde::Serialize;
use utoipa::ToSchema;

/// The synchronisation that was asked for.
#[derive(Default)]
pub struct Synchronising(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    begun_at: Option<Timestamp>,
    last: Option<Synchronisation>,
    thread: Option<JoinHandle<()>>,
}

/// How it goes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SyncState {
    /// Whether one is under way that was asked for here.
    pub running: bool,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// The last that was asked for here and has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Synchronisation>,
}

/// A synchronisation that has ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Synchronisation {
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The report that was made and waits in the outbox or was sent; none without a link that is in force, where it waits
    /// for approval, and where none could be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<MadeReport>,
    /// Whether a report was made that waits for approval.
    pub is_held: bool,
    /// How many reports were sent; absent without a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<usize>,
    /// What was in the way.
    pub problems: Vec<Problem>,
}

/// A report that was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MadeReport {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Its digest.
    pub digest: Digest,
    /// When it was made.
    pub made_at: Timestamp,
}

/// What was in the way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A stable code.
    pub code: String,
    /// One line for an administrator.
    pub message: String,
}

impl Synchronising {
    /// How it goes.
    pub fn state(&self) -> SyncState {
        let inner = self.lock();
        SyncState { running: inner.begun_at.is_some(), begun_at: inner.begun_at, last: inner.last.clone() }
    }

    /// Begins one, unless one is under way.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn begin(self: &Arc<Self>, host: &Arc<Host>) -> Result<(), ApiError> {
        let mut inner = self.lock();
        if inner.begun_at.is_some() {
            return Ok(());
        }
        let (this, host, begun_at) = (Arc::clone(self), Arc::clone(host), Timestamp::now());
        let run = move || {
            // Also where it fails unexpectedly, it is over.
            let _over = Over(&this);
            let ended = synchronise(&host, begun_at);
            this.lock().last = Some(ended);
        };
        let thread = Builder::new().name("synchronisation".to_owned()).spawn(run).map_err(|error| {
            tracing::error!(code = "internal", "a synchronisation could not begin: {error}");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no thread could be started: try again")
        })?;
        inner.begun_at = Some(begun_at);
        inner.thread = Some(thread);
        Ok(())
    }

    /// Waits for the one that is under way.
    pub fn finish(&self) {
        let thread = self.lock().thread.take();
        // Why it failed is in the log.
        thread.map(JoinHandle::join);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Over<'s>(&'s Synchronising);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().begun_at = None;
    }
}

/// Counts, and exchanges where there is a link.
fn synchronise(host: &Host, begun_at: Timestamp) -> Synchronisation {
    let mut problems = Vec::new();
    let problem = |code: &str, message: String| Problem { code: code.to_owned(), message };
    let (collected, exchanged) = match host.link() {
        Ok(None) => (host.collect(Trigger::Demand), None),
        // What cannot be read of the link is told by the synchronisation itself.
        _ => {
            let Synchronised { collected, exchanged } = host.sync(Trigger::Demand);
            (collected, Some(exchanged))
        }
    };
    let (report, is_held) = match collected {
        Ok(collected) => {
            if let Outcome::Failed(failure) = &collected.run.outcome {
                problems.push(problem(&failure.code, failure.message.clone()));
            }
            let report = collected.report.map(|report| MadeReport {
                sequence: report.sequence,
                digest: report.digest(),
                made_at: report.made_at,
            });
            (report, collected.is_held)
        }
        Err(error) => {
            problems.push(problem(error.code(), error.to_string()));
            (None, false)
        }
    };
    let sent = exchanged.and_then(|exchanged| match exchanged {
        Ok(outcome) => Some(outcome.sent),
        Err(error) => {
            problems.push(problem(error.code(), error.to_string()));
            None
        }
    });
    for problem in &problems {
        tracing::warn!(code = problem.code, "the synchronisation that was asked for: {}", problem.message);
    }
    Synchronisation { begun_at, ended_at: Timestamp::now(), report, is_held, sent, problems }
}
