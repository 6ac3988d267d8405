//! `seatline run`

use std::path::Path;
use std::sync::Arc;

use seatline_web::Address;

use super::Context;
use crate::config::{Config, Http};
use crate::failure::Failure;
use crate::http::HttpServer;
use crate::instance::{Instance, check_user};
use crate::log;
use crate::services::membership::Membership;
use crate::services::notifier::Notifier;
use crate::services::stop::Stop;
use crate::services::synchroniser::Synchroniser;
use crate::services::waiter::Waiter;
use crate::services::{self, Service, opening, supervisor};

/// Synchronise at the start, at every interval, and as soon as a link is made, until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline run

It logs to standard error as [log] in seatline.toml says. A signal lets the current step end;
a second one does not wait. Changes of seatline.toml take effect at the next start.")]
pub struct Options {
    /// Where to answer over HTTP, instead of `listen` in seatline.toml: ADDRESS:PORT (port 0 takes any free one),
    /// unix:PATH, or off
    #[arg(long, value_name = "ADDRESS", env = "SEATLINE_LISTEN", hide_env_values = true)]
    listen: Option<String>,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let dir = context.dir()?;
    check_user(&dir)?;
    let config = Config::load(&dir)?;
    log::start(&config.log);
    let address = address(options, &config.http)?;
    let Some(instance) = opening::open(&dir, &config, address.as_ref(), &stop)? else { return Ok(()) };
    // The product's database is looked at with the first run, and not before somebody answers: it may take its time.
    tracing::info!(server_id = %instance.host.server_id(), version = env!("CARGO_PKG_VERSION"), "started");
    let server = address.map(|address| listen(&instance, &address)).transpose()?;
    let synchroniser = Synchroniser(&instance);
    let waiter = Waiter(&instance);
    let notifier = Notifier::new(&instance);
    let membership = Membership::of(&instance);
    let mut services: Vec<&dyn Service> = vec![&synchroniser, &waiter, &notifier];
    services.extend(membership.as_ref().map(|membership| membership as &dyn Service));
    services.extend(server.as_ref().map(|server| server as &dyn Service));
    stop.when_requested(supervisor::stopping);
    supervisor::ready();
    let ended = services::run(&services, &stop);
    if let Some(membership) = membership {
        membership.end();
    }
    ended?;
    tracing::info!("stopped");
    Ok(())
}

/// Where is answered over HTTP, if anywhere.
fn address(options: &Options, http: &Http) -> Result<Option<Address>, Failure> {
    match &options.listen {
        None => Ok(http.listen.clone()),
        Some(given) => http
            .listening(given, Path::new(""))
            .map_err(|rule| Failure::new("listen", format!("the address `{given}` {rule}"))),
    }
}

fn listen(instance: &Arc<Instance>, address: &Address) -> Result<HttpServer, Failure> {
    let server = HttpServer::open(instance, address)?;
    tracing::info!(address = %server.address(), "listening");
    Ok(server)
}
