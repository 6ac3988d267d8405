//! The central server's program: reads the command line, runs the command, and tells how it went.
#![forbid(unsafe_code)]

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use seatline_central::command::Arguments;
use tracing_subscriber::EnvFilter;

/// Which log lines are written where `$SEATLINE_LOG` says nothing.
const DEFAULT_LOG: &str = "warn,seatline_central=info";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("SEATLINE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let on_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(on_terminal)
        .with_writer(std::io::stderr)
        // Where a line cannot be written, as on a full disk, telling of that on standard error would panic.
        .log_internal_errors(false)
        .init();
    let output = arguments.output();
    match arguments.run().await {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            output.fail(&failure);
            ExitCode::FAILURE
        }
    }
}
