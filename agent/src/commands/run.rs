//! `seatline run`

use super::Context;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::log;
use crate::services::stop::Stop;
use crate::services::synchroniser::Synchroniser;
use crate::services::{self, Service};

/// Synchronise at the start, at every interval, and as soon as a link is made, until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline run

It logs to standard error as [log] in seatline.toml says. A signal lets the current step end;
a second one does not wait. Changes of seatline.toml take effect at the next start.")]
pub struct Options {}

pub fn run(context: &Context) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    log::start(&instance.config.log);
    tracing::info!(server_id = %instance.host.server_id(), version = env!("CARGO_PKG_VERSION"), "started");
    let synchroniser = Synchroniser(&instance);
    let services: [&dyn Service; 1] = [&synchroniser];
    services::run(&services, &stop)?;
    tracing::info!("stopped");
    Ok(())
}
