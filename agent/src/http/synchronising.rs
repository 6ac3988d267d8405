//! Synchronisations that somebody asked for over HTTP.

use std::sync::Arc;
use std::time::Duration;

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

use super::job::Job;

/// The synchronisation that was asked for.
pub struct Synchronising(Job<Synchronisation>);

impl Default for Synchronising {
    fn default() -> Self {
        Self(Job::new("synchronisation"))
    }
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
    /// The report that was made and waits in the outbox or was sent; none without a link that is in force, where it
    /// waits for approval, and where none could be made.
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
        let state = self.0.state();
        let last = state.last.map(|last| (*last).clone());
        SyncState { running: state.begun_at.is_some(), begun_at: state.begun_at, last }
    }

    /// Begins one, unless one is under way.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn begin(&self, host: &Arc<Host>) -> Result<(), ApiError> {
        let host = Arc::clone(host);
        let begun = self.0.begin(move |begun_at| synchronise(&host, begun_at));
        begun.map(drop).map_err(|_| {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no thread could be started: try again")
        })
    }

    /// Waits for the end of the one that is under way, but not longer than `patience`.
    pub async fn wait(&self, patience: Duration) {
        self.0.wait(patience).await;
    }

    /// Waits for the end of the one that is under way, on this thread.
    pub fn finish(&self) {
        self.0.finish();
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
