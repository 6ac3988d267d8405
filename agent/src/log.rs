//! The log on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Logs warnings and errors alone: for commands that somebody waits for.
pub fn start_quietly() {
    start(&Log { format: LogFormat::Text, level: Some("warn".to_owned()) });
}

/// Logs as the configuration says: for the agent that runs by itself.
pub fn start(log: &Log) {
    // The configuration has checked the directives; what cannot be read here falls back to the default.
    let filter = EnvFilter::try_new(log.level.as_deref().unwrap_or("info")).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Where a line cannot be written, as on a full disk, telling of that on standard error would panic.
        .log_internal_errors(false)
        .with_target(false);
    // A log that is there already is one of a test's.
    let _ = match log.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_span_list(false).try_init(),
    };
}
