//! `seatline run`

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_host::exchange::ExchangeOutcome;
use seatline_host::host::{Collected, Host};
use seatline_host::sandbox::Trigger;
use seatline_protocol::report::Outcome;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Context;
use crate::failure::Failure;
use crate::instance::{Instance, adopt_licenses};
use crate::log;
use crate::schedule::{Due, LinkPhase, Schedule};

/// How often is looked whether a link was made, or its settings changed, meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// The interval while the host cannot say which.
const FALLBACK_INTERVAL: Duration = Duration::from_secs(3600);

/// Synchronise at the start, at every interval, and as soon as a link is made, until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline run

It logs to standard error as [log] in seatline.toml says. A signal lets the current step end; a second one does not
wait. Changes of seatline.toml take effect at the next start.")]
pub struct Options {}

pub fn run(context: &Context) -> Result<(), Failure> {
    let stop = Stop::on_signals()?;
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    log::start(&instance.config.log);
    let host = &instance.host;
    tracing::info!(server_id = %host.server_id(), version = env!("CARGO_PKG_VERSION"), "started");
    let mut schedule = Schedule::starting(LinkPhase::Absent);
    while !stop.is_requested() {
        let phase = phase(host);
        if let Some(due) = schedule.due(Instant::now(), phase, host.interval().unwrap_or(FALLBACK_INTERVAL)) {
            for refused in adopt_licenses(host, &instance.config.license) {
                tracing::warn!(code = refused.code, "{}", refused.message);
            }
            // Whatever happens in a step, the next one comes.
            if catch_unwind(AssertUnwindSafe(|| step(host, due, phase))).is_err() {
                tracing::error!(code = "internal", "the step failed unexpectedly; the next one comes as planned");
            }
            note(&mut schedule, host, due);
        }
        stop.wait(LOOK);
    }
    tracing::info!("stopped");
    Ok(())
}

fn phase(host: &Host) -> LinkPhase {
    match host.link() {
        Ok(Some(link)) if link.state == "approved" => LinkPhase::Approved,
        Ok(Some(_)) => LinkPhase::Joining,
        Ok(None) => LinkPhase::Absent,
        Err(error) => {
            tracing::error!(code = error.code(), "{error}");
            LinkPhase::Absent
        }
    }
}

fn step(host: &Host, due: Due, phase: LinkPhase) {
    match (due, phase) {
        (Due::Exchange, _) => log_exchange(host.exchange().map_err(Failure::from)),
        (Due::Synchronise(trigger), LinkPhase::Absent) => log_run(collect(host, trigger).as_ref()),
        (Due::Synchronise(trigger), LinkPhase::Joining) => {
            log_exchange(host.exchange().map_err(Failure::from));
            let collected = collect(host, trigger);
            log_run(collected.as_ref());
            if collected.is_some_and(|collected| collected.report.is_some()) {
                log_exchange(host.exchange().map_err(Failure::from));
            }
        }
        (Due::Synchronise(trigger), LinkPhase::Approved) => {
            log_run(collect(host, trigger).as_ref());
            log_exchange(host.exchange().map_err(Failure::from));
        }
    }
}

fn collect(host: &Host, trigger: Trigger) -> Option<Collected> {
    host.collect(trigger)
        .map_err(|error| {
            let failure = Failure::from(error);
            tracing::error!(code = failure.code, "nothing was collected: {}", failure.message);
        })
        .ok()
}

/// Notes what was done, and plans what follows.
fn note(schedule: &mut Schedule, host: &Host, due: Due) {
    let now = Instant::now();
    if let Due::Synchronise(_) = due {
        let mut random = [0; 2];
        // Without randomness the fleet loses its jitter, and nothing else.
        let _ = getrandom::fill(&mut random);
        schedule.synchronised(now, u16::from_le_bytes(random));
    }
    let next_attempt = host.exchange_state().ok().and_then(|state| state.next_attempt_at);
    let wait = next_attempt.map(|at| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default());
    schedule.exchanged(now, phase(host), wait);
}

fn log_run(collected: Option<&Collected>) {
    let Some(Collected { run, report }) = collected else { return };
    let sequence = report.as_ref().map(|report| report.sequence.get());
    match &run.outcome {
        Outcome::Failed(failure) => {
            tracing::warn!(code = failure.code, report = sequence, "the run failed: {}", failure.message);
        }
        Outcome::Collected(collected) => {
            let accounts = collected.accounts.as_ref();
            tracing::info!(
                trigger = run.trigger,
                accounts = accounts.map(|accounts| accounts.total),
                counted = accounts.map(|accounts| accounts.counted),
                report = sequence,
                took_ms = run.took_ms,
                "collected"
            );
            for omission in &collected.omissions {
                tracing::warn!(subject = omission.subject, "missing from the report: {}", omission.reason);
            }
        }
    }
}

fn log_exchange(exchanged: Result<ExchangeOutcome, Failure>) {
    match exchanged {
        Ok(outcome) if outcome == ExchangeOutcome::default() => {}
        Ok(outcome) => tracing::info!(sent = outcome.sent, receipts = outcome.receipts.len(), "exchanged"),
        Err(failure) => tracing::warn!(code = failure.code, "what waits stays in the outbox: {}", failure.message),
    }
}

/// Whether somebody wants the agent to stop.
struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Stops at the first SIGINT or SIGTERM; the second ends the process at once.
    fn on_signals() -> Result<Self, Failure> {
        let requested = Arc::new((Mutex::new(false), Condvar::new()));
        let mut signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|error| Failure::new("signals", format!("cannot wait for signals: {error}")))?;
        let stop = Self(Arc::clone(&requested));
        std::thread::spawn(move || {
            for (count, signal) in signals.forever().enumerate() {
                if count > 0 {
                    std::process::exit(128 + signal);
                }
                *requested.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
                requested.1.notify_all();
            }
        });
        Ok(stop)
    }

    fn is_requested(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `most`, or until a stop is requested.
    fn wait(&self, most: Duration) {
        let requested = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether it was requested or the time is over, the caller looks again.
        drop(self.0.1.wait_timeout_while(requested, most, |requested| !*requested));
    }
}
