//! The service that counts and reports at every interval (`w6`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_host::exchange::{ExchangeError, ExchangeOutcome, Problem};
use seatline_host::host::{CollectError, Collected, Host, Synchronised};
use seatline_host::identity::IdentityFacts;
use seatline_host::link::LinkState;
use seatline_host::store::StoreError;
use seatline_protocol::report::{Measured, Outcome};

use super::Service;
use super::schedule::{Due, LinkPhase, Lookout, Rest, Schedule};
use super::stop::Stop;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::instance::{Instance, adopt_licenses};

/// Synchronises at the start, at every interval, and as soon as a link comes into force.
pub struct Synchroniser<'i>(pub &'i Instance);

impl Service for Synchroniser<'_> {
    fn name(&self) -> &'static str {
        "synchroniser"
    }

    fn run(&self, stop: &Stop) -> Result<(), Failure> {
        let host = &self.0.host;
        let (mut round, mut lookout) = (Round::of(self.0), Lookout::default());
        while !stop.is_requested() {
            match look(host) {
                Err(error) => {
                    if lookout.is_blocked_by(&error.to_string()) {
                        let code = error.code();
                        tracing::error!(code, "nothing is counted or sent until this is mended: {error}");
                    }
                }
                Ok((phase, interval, is_demanded)) => {
                    if lookout.is_free_again() {
                        tracing::info!("the state can be read again");
                    }
                    round.go(phase, interval, is_demanded);
                }
            }
            stop.wait_for_nudge(lookout.wait());
        }
        Ok(())
    }
}

/// What is remembered from one look to the next.
struct Round<'i> {
    instance: &'i Instance,
    turn: Turn<'i>,
    /// What follows a count that the central server wanted at once, whoever's turn it is meanwhile.
    rest: Rest,
    /// Why license keys that lie ready were refused, as it was told.
    refused: Vec<Failure>,
    /// Why the server ID could not be confirmed, as it was told.
    unconfirmed: Option<Problem>,
    /// How often the product's database is looked at between the runs, and when it was last.
    look_every: Option<Duration>,
    looked_at: Instant,
}

impl<'i> Round<'i> {
    fn of(instance: &'i Instance) -> Self {
        Self {
            instance,
            turn: Turn::of(instance),
            rest: Rest::default(),
            refused: Vec::new(),
            unconfirmed: instance.host.identity().ok().and_then(|identity| identity.problem),
            look_every: instance.config.identity.binding.as_ref().map(|one| Duration::from_secs(one.look_every)),
            looked_at: Instant::now(),
        }
    }

    /// Does what is due, if anything is and it is this node's turn.
    fn go(&mut self, phase: LinkPhase, interval: Duration, is_demanded: bool) {
        let host = &self.instance.host;
        let is_demanded = is_demanded && self.rest.is_over(Instant::now());
        let Some((schedule, due)) = self.turn.due(host, phase, interval, is_demanded) else {
            return self.look_between(phase);
        };
        let is_run = matches!(due, Due::Synchronise(_));
        if is_run {
            adopt_licenses_told(self.instance, &mut self.refused);
        }
        // Whatever happens in a step, the next one comes.
        let was_done = catch_unwind(AssertUnwindSafe(|| step(host, due, phase))).unwrap_or_else(|_| {
            tracing::error!(code = "internal", "the step failed unexpectedly; the next one comes as planned");
            false
        });
        tell_of_identity(host, &mut self.unconfirmed);
        note(schedule, host, due, phase);
        if is_run {
            self.looked_at = Instant::now();
            if is_demanded {
                self.rest.begin(Instant::now(), took(host));
            }
            if !was_done {
                self.turn.pass_on();
            }
        }
    }

    /// Looks at the identity between two runs, where that is configured and it is this node's turn.
    fn look_between(&mut self, phase: LinkPhase) {
        let is_time = self.look_every.is_some_and(|every| self.looked_at.elapsed() >= every);
        if is_time && self.instance.has_turn() && self.instance.confirms_turn() {
            look_at_identity(&self.instance.host, phase);
            tell_of_identity(&self.instance.host, &mut self.unconfirmed);
            self.looked_at = Instant::now();
        }
    }
}

/// Whose turn it is: always this node's where there is no other.
struct Turn<'i> {
    cluster: Option<&'i Cluster>,
    schedule: Option<Schedule>,
    /// Whether it was another node's turn since the agent was started.
    was_anothers: bool,
}

impl<'i> Turn<'i> {
    fn of(instance: &'i Instance) -> Self {
        Self { cluster: instance.cluster.as_deref(), schedule: None, was_anothers: false }
    }

    /// What is to be done, if it is this node's turn.
    fn due(
        &mut self,
        host: &Host,
        phase: LinkPhase,
        interval: Duration,
        is_demanded: bool,
    ) -> Option<(&mut Schedule, Due)> {
        if let Some(cluster) = self.cluster {
            // Before its first sign of life, nobody knows.
            let knows = cluster.has_beaten();
            if !cluster.is_on_duty() {
                self.was_anothers |= knows;
                self.schedule = None;
                return None;
            }
        }
        let was_anothers = self.was_anothers;
        let begin = || if was_anothers { resumed(host, phase) } else { Schedule::default() };
        let schedule = self.schedule.get_or_insert_with(begin);
        let mut looked = schedule.clone();
        let due = looked.due(Instant::now(), phase, interval, is_demanded);
        // Whoever stood still since its last sign of life may have lost the turn without knowing.
        if due.is_some() && self.cluster.is_some_and(|cluster| !cluster.beat().unwrap_or_default()) {
            return None;
        }
        *schedule = looked;
        due.map(|due| (schedule, due))
    }
}

impl Turn<'_> {
    /// Lets another node try, where there is one: what is in this one's way may not be in that one's.
    fn pass_on(&self) {
        let Some(cluster) = self.cluster else { return };
        match cluster.pass_on() {
            Ok(true) => tracing::warn!(
                node = cluster.node(),
                "this node could not count or reach the central server: another one may synchronise"
            ),
            Ok(false) => {}
            Err(error) => tracing::warn!(code = error.code(), "the turn is not passed on: {error}"),
        }
    }
}

/// The schedule of whoever had the turn before.
fn resumed(host: &Host, phase: LinkPhase) -> Schedule {
    let last = host.last_run().ok().flatten();
    let ago = last.map(|run| Duration::try_from(Timestamp::now().duration_since(run.at)).unwrap_or_default());
    ago.map_or_else(Schedule::default, |ago| Schedule::resuming(Instant::now(), ago, phase))
}

/// Sets the license keys that lie ready (`g2`). Why any was refused is told once, until it is for another reason.
fn adopt_licenses_told(instance: &Instance, told: &mut Vec<Failure>) {
    let refused = adopt_licenses(&instance.host, &instance.config.license);
    for failure in refused.iter().filter(|failure| !told.contains(failure)) {
        tracing::warn!(code = failure.code, "{}", failure.message);
    }
    *told = refused;
}

/// Looks whether the product's database has moved since the last run (`s2`). A central server learns of it at once.
fn look_at_identity(host: &Host, phase: LinkPhase) {
    let before = host.server_id();
    if let Err(error) = host.look_at_identity() {
        return tracing::error!(code = error.code(), "the server ID could not be looked at: {error}");
    }
    if phase == LinkPhase::Approved && host.server_id() != before {
        log_exchange(&host.exchange());
    }
}

/// Tells why the server ID could not be confirmed, once, until it is for another reason.
fn tell_of_identity(host: &Host, told: &mut Option<Problem>) {
    let Ok(IdentityFacts { problem, .. }) = host.identity() else { return };
    match &problem {
        Some(problem) if told.as_ref() != Some(problem) => tracing::warn!(code = problem.code, "{}", problem.message),
        None if told.is_some() => tracing::info!("the server ID is confirmed again"),
        _ => {}
    }
    *told = problem;
}

/// How far the link is, the interval, and whether the central server wants a count at once: another process may have
/// changed each of them.
fn look(host: &Host) -> Result<(LinkPhase, Duration, bool), StoreError> {
    let link = host.link()?;
    let is_demanded = link.as_ref().is_some_and(|link| link.demanded_at.is_some());
    let phase = link.map_or(LinkPhase::Absent, |link| match link.state {
        LinkState::Joining | LinkState::Pending => LinkPhase::Joining,
        LinkState::Refused => LinkPhase::Refused,
        LinkState::Approved => LinkPhase::Approved,
    });
    Ok((phase, host.interval()?, is_demanded))
}

/// Does what is due. Gives whether nothing was in the way that may be in the way of this node alone.
fn step(host: &Host, due: Due, phase: LinkPhase) -> bool {
    match (due, phase) {
        (Due::Exchange, _) => {
            let exchanged = host.exchange();
            log_exchange(&exchanged);
            !is_unreachable(&exchanged)
        }
        (Due::Synchronise(trigger), LinkPhase::Absent) => {
            let collected = host.collect(trigger);
            log_run(&collected);
            is_whole(&collected)
        }
        (Due::Synchronise(trigger), _) => {
            let Synchronised { collected, exchanged } = host.sync(trigger);
            log_run(&collected);
            log_exchange(&exchanged);
            is_whole(&collected) && !is_unreachable(&exchanged)
        }
    }
}

/// How long the last run took.
fn took(host: &Host) -> Duration {
    Duration::from_millis(host.last_run().ok().flatten().map_or(0, |run| run.took_ms))
}

/// Whether everything was counted that is to be.
fn is_whole(collected: &Result<Collected, CollectError>) -> bool {
    collected.as_ref().is_ok_and(|collected| match &collected.run.outcome {
        Outcome::Collected(collected) => collected.omissions.is_empty(),
        Outcome::Failed(_) => false,
    })
}

/// Whether no answer came. A central server that wants to be left alone for a while is there, and says so to any node.
fn is_unreachable(exchanged: &Result<ExchangeOutcome, ExchangeError>) -> bool {
    matches!(exchanged, Err(ExchangeError::Client(error)) if error.retry_after().is_none())
}

/// Notes what was done, and plans what follows.
fn note(schedule: &mut Schedule, host: &Host, due: Due, before: LinkPhase) {
    let now = Instant::now();
    if let Due::Synchronise(_) = due {
        let mut random = [0; 2];
        // Without randomness the fleet loses its jitter, and nothing else.
        let _ = getrandom::fill(&mut random);
        schedule.synchronised(now, u16::from_le_bytes(random));
    }
    let next_attempt = host.exchange_state().ok().and_then(|state| state.next_attempt_at);
    let wait = next_attempt.map(|at| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default());
    schedule.exchanged(now, look(host).map_or(before, |(phase, ..)| phase), wait);
}

fn log_run(collected: &Result<Collected, CollectError>) {
    let Collected { run, report, is_held } = match collected {
        Ok(collected) => collected,
        Err(error) => return tracing::error!(code = error.code(), "nothing was collected: {error}"),
    };
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
                held = is_held.then_some(true),
                took_ms = run.took_ms,
                "collected"
            );
            for measurement in &collected.measurements {
                if let Measured::Failed(reason) = &measurement.value {
                    tracing::warn!(dimension = %measurement.dimension, "not measured: {reason}");
                }
            }
            for omission in &collected.omissions {
                tracing::warn!(subject = omission.subject, "missing from the report: {}", omission.reason);
            }
        }
    }
}

fn log_exchange(exchanged: &Result<ExchangeOutcome, ExchangeError>) {
    match exchanged {
        Ok(outcome) if *outcome == ExchangeOutcome::default() => {}
        Ok(outcome) => tracing::info!(sent = outcome.sent, receipts = outcome.receipts.len(), "exchanged"),
        Err(error) => tracing::warn!(code = error.code(), "what waits stays in the outbox: {error}"),
    }
}
