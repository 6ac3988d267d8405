//! What the agent works with: the product's data, the agent that runs, the central server, the time.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use jiff::Timestamp;
use seatline_host::held::HoldStatus;
use seatline_host::link::LinkState;
use seatline_protocol::report::MAX_CLOCK_AHEAD;
use seatline_web::listener::Address;

use super::Finding;
use crate::accounts::check::{Rules, check};
use crate::accounts::{self, SourceError};
use crate::config::Config;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::{count, count_of, time};

/// How long an agent on this machine has to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// By how many seconds clocks may differ: certificates and reports bear that.
const CLOCK_TOLERANCE: i64 = 120;
/// By how many seconds the central server lets a report be ahead.
const CLOCK_LIMIT: i64 = MAX_CLOCK_AHEAD.as_secs();

/// Reads all accounts once.
pub(super) fn accounts(config: &Config, instance: Option<&Instance>, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "accounts";
    let Some(source) = &config.accounts else {
        let message = "none are read: write the section [accounts] into seatline.toml";
        return found(Finding::attention(CHECK, "no-accounts", message));
    };
    let rules = instance.and_then(|instance| Rules::of(&instance.host).ok());
    let rules = rules.unwrap_or_else(|| Rules::usual(Timestamp::now()));
    let checked = check(source, rules, &|| {});
    match checked.problems.first() {
        Some(problem) => {
            let more = checked.problems.len() - 1;
            let more = if more > 0 { format!("; and {}", count_of(more, "problem more")) } else { String::new() };
            found(Finding::bad(CHECK, failure(problem, &more)));
        }
        None => {
            let (total, counted, ms) = (checked.counts.total, checked.counts.counted, checked.took.as_millis());
            let message =
                format_args!("{} by {} in {ms} ms, {} of them counted", count(total), source.kind(), count(counted));
            found(match total {
                0 => Finding::attention(CHECK, "accounts-empty", "there are no accounts: is that so?"),
                _ => Finding::good(CHECK, message),
            });
        }
    }
}

fn failure(problem: &SourceError, more: &str) -> Failure {
    Failure::new(problem.code(), format!("{problem}{more}"))
}

/// Measures every dimension once.
pub(super) fn dimensions(config: &Config, found: &mut dyn FnMut(Finding)) {
    for dimension in &config.dimensions {
        match accounts::measure(dimension) {
            Ok(value) => found(Finding::good("dimension", format_args!("{}: {}", dimension.name, count(value)))),
            Err(error) => {
                let failure = Failure::new(error.code(), format!("{} is not measured: {error}", dimension.name));
                found(Finding::bad("dimension", failure));
            }
        }
    }
}

/// Asks the agent that should be running.
pub(super) fn agent(config: &Config, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "agent";
    let Some(address) = &config.http.listen else { return };
    match ask(address) {
        Ok(200) => found(Finding::good(CHECK, format_args!("answers at {address}"))),
        Ok(503) => {
            let failure = Failure::new("agent-unhealthy", "the running agent cannot read its state: see its log");
            found(Finding::bad(CHECK, failure));
        }
        Ok(status) => {
            let message = format!("something else than this agent answers at {address} (status {status})");
            found(Finding::bad(CHECK, Failure::new("agent-unknown", message)));
        }
        Err(error) => {
            let message = format_args!("nothing answers at {address} ({error}): does `seatline run` run?");
            found(Finding::attention(CHECK, "agent-silent", message));
        }
    }
}

/// The status with which `GET /healthz` is answered at `address`.
fn ask(address: &Address) -> io::Result<u16> {
    match address {
        Address::Tcp(address) => {
            let mut address = *address;
            if address.ip().is_unspecified() {
                address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
            }
            let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            status(stream)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            status(stream)
        }
    }
}

fn status(mut stream: impl Read + Write) -> io::Result<u16> {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // `HTTP/1.1 200` is all that is asked for.
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let status = std::str::from_utf8(&line).ok().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it does not speak HTTP"))
}

/// Looks how far the link is, and whether the central server answers.
pub(super) fn link(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "link";
    let host = &instance.host;
    // What cannot be read is told as damage of the state.
    let (Ok(link), Ok(exchange), Ok(outbox)) = (host.link(), host.exchange_state(), host.outbox()) else { return };
    clock(instance, found);
    let Some(link) = link else {
        let message = "there is none, so nothing is reported: `seatline link accept INVITE`";
        return found(Finding::attention(CHECK, "not-linked", message));
    };
    match (link.state, &link.refusal) {
        (LinkState::Approved, _) => {}
        (_, Some(refusal)) => found(Finding::bad(CHECK, Failure::new(&refusal.code, &refusal.message))),
        (state, None) => {
            let message = format_args!("{}: it waits for approval at {}", state.name(), link.central_url);
            found(Finding::attention(CHECK, "link-pending", message));
        }
    }
    if link.state == LinkState::Approved {
        match &exchange.problem {
            Some(problem) => {
                let message = format!("the last exchange failed: {}", problem.message);
                found(Finding::bad(CHECK, Failure::new(&problem.code, message)));
            }
            None => {
                let since = exchange.succeeded_at.map_or("not yet".to_owned(), time);
                found(Finding::good(CHECK, format_args!("{}, last exchange {since}", link.central_url)));
            }
        }
    }
    held(instance, found);
    match (outbox.is_full, outbox.pending) {
        (true, pending) => {
            let message = format!("{} wait and no more are made: see the link", count_of(pending, "report"));
            found(Finding::bad("outbox", Failure::new("outbox-full", message)));
        }
        (false, 0) => found(Finding::good("outbox", "empty")),
        (false, pending) => {
            let oldest = outbox.oldest.map_or(String::new(), |oldest| format!(", the oldest of {}", time(oldest)));
            found(Finding::good("outbox", format_args!("{} wait{oldest}", count_of(pending, "report"))));
        }
    }
}

/// Looks whether reports wait for approval. Where they leave by themselves, there is nothing to tell.
fn held(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "approval";
    // What cannot be read is told as damage of the state.
    let Ok(HoldStatus { since, held, is_full, oldest, .. }) = instance.host.hold_status() else { return };
    let wait = if held == 1 { "1 report waits".to_owned() } else { format!("{} wait", count_of(held, "report")) };
    match since {
        _ if is_full => {
            let message = format!(
                "{wait}, and no further one is made until one was approved or discarded: `seatline report hold`"
            );
            found(Finding::bad(CHECK, Failure::new("held-full", message)));
        }
        _ if held > 0 => {
            let oldest = oldest.map_or(String::new(), |oldest| format!(", the oldest of {}", time(oldest)));
            let message =
                format_args!("{wait}{oldest}: look at what would leave, and approve it: `seatline report hold`");
            found(Finding::attention(CHECK, "reports-held", message));
        }
        Some(since) => found(Finding::good(CHECK, format_args!("none waits; reports are held since {}", time(since)))),
        None => {}
    }
}

/// Asks the central server, and compares the clocks.
fn clock(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "clock";
    if let Ok(Some(behind)) = instance.host.status().map(|status| status.clock_behind) {
        let message = format!(
            "the clock is {} behind a time that receipts have proven: set it right; until then that time holds",
            seconds(behind.cast_signed())
        );
        found(Finding::bad(CHECK, Failure::new("clock-behind", message)));
    }
    let reached = match instance.host.reach_central() {
        Ok(reached) => reached,
        Err(seatline_host::exchange::ExchangeError::NotLinked) => return,
        Err(error) => return found(Finding::bad("central", error)),
    };
    let way = reached.proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
    found(Finding::good("central", format_args!("answered in {} ms{way}", reached.took.as_millis())));
    let Some(ahead) = reached.clock_ahead else { return };
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    let message =
        format!("the clock is {} {way} the central server's: set the one that is wrong", seconds(ahead.abs()));
    found(match ahead.abs() {
        off if off <= CLOCK_TOLERANCE => Finding::good(CHECK, "as the central server's"),
        off if off <= CLOCK_LIMIT => Finding::attention(CHECK, "clock-differs", message),
        _ => Finding::bad(CHECK, Failure::new("clock-differs", message)),
    });
}

/// A time span in the largest unit that shows it.
fn seconds(seconds: i64) -> String {
    let of = |seconds: i64, thing: &str| count_of(usize::try_from(seconds).unwrap_or_default(), thing);
    match seconds {
        ..120 => of(seconds, "second"),
        120..7200 => of(seconds / 60, "minute"),
        7200..172_800 => of(seconds / 3600, "hour"),
        _ => of(seconds / 86_400, "day"),
    }
}
