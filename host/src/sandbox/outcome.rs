//! What a run came to, when it came to no report.
//!
//! The cause is told by types alone: wasmtime's [`Trap`], and what the run's own state remembers. The text of an error
//! is shown to people, and never decides anything.

use std::time::Duration;

use seatline_protocol::report::MAX_LINE;
use seatline_protocol::text;
use wasmtime::Trap;

use super::Submission;
use super::state::RunState;

/// Why a run gave no report. Each is one line for an administrator, and none of them hurts the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The plugin computed for longer than [`Limits::plugin_time`](super::Limits::plugin_time).
    #[error("the plugin computed for more than {} ms, not counting the time in which it waited for the product, and was stopped", .limit.as_millis())]
    Deadline {
        /// The limit.
        limit: Duration,
    },
    /// The plugin was stopped, or gave up, after it was refused memory.
    #[error("the plugin wanted more memory than the {limit} bytes that a run may have")]
    Memory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The plugin was stopped, or gave up, after a table of it was refused growth.
    #[error("the plugin wanted more table elements than the {limit} that a run may have")]
    Tables {
        /// The limit, in elements.
        limit: usize,
    },
    /// The plugin's calls were nested too deeply.
    #[error("the plugin used up its stack of {limit} bytes: its calls were nested too deeply")]
    Stack {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The plugin's code ran into a trap.
    #[error("the plugin crashed: {what}")]
    Trap {
        /// The trap, in wasmtime's words.
        what: String,
    },
    /// The sandbox refused what the plugin did, and stopped it: too many instances, memories, tables or handles, too
    /// many bytes in one call, or values that are none of the contract's.
    #[error("the sandbox stopped the plugin: {what}")]
    Stopped {
        /// What was refused, in wasmtime's words.
        what: String,
    },
    /// The plugin ended well, but the host has no report from it.
    #[error("the plugin ended without a report{}", .refused.as_ref().map(|rule| format!("; the one it submitted was refused: {rule}")).unwrap_or_default())]
    NoReport {
        /// The rule that its latest report broke, if it submitted one.
        refused: Option<String>,
    },
    /// The plugin itself says that it failed.
    #[error("the plugin reports a failure: {reason}")]
    Failed {
        /// Why, in the plugin's words.
        reason: String,
    },
}

impl RunError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Deadline { .. } => "plugin-deadline",
            Self::Memory { .. } => "plugin-memory",
            Self::Tables { .. } => "plugin-tables",
            Self::Stack { .. } => "plugin-stack",
            Self::Trap { .. } => "plugin-trap",
            Self::Stopped { .. } => "plugin-stopped",
            Self::NoReport { .. } => "plugin-no-report",
            Self::Failed { .. } => "plugin-failed",
        }
    }
}

/// What `returned` comes to, after a run with `state`.
pub(super) fn conclude(
    returned: wasmtime::Result<Result<(), String>>,
    state: &mut RunState,
) -> Result<Submission, RunError> {
    match returned {
        Ok(Ok(())) => {
            state.submission.take().ok_or_else(|| RunError::NoReport { refused: state.refused_report.take() })
        }
        Ok(Err(reason)) => Err(RunError::Failed { reason: text::line(&reason, MAX_LINE) }),
        Err(error) => Err(stopped(&error, state)),
    }
}

fn stopped(error: &wasmtime::Error, state: &RunState) -> RunError {
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::Interrupt) => return RunError::Deadline { limit: state.limits.plugin_time },
        Some(Trap::StackOverflow) => return RunError::Stack { limit: super::engine::STACK },
        _ => {}
    }
    if let Some(limit) = state.allotment.memory_refused() {
        return RunError::Memory { limit };
    }
    if let Some(limit) = state.allotment.table_refused() {
        return RunError::Tables { limit };
    }
    match trap {
        Some(trap) => {
            let text = trap.to_string();
            RunError::Trap { what: text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned() }
        }
        None => RunError::Stopped { what: text::line(&error.root_cause().to_string(), MAX_LINE) },
    }
}
