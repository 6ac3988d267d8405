//! `seatline sync`

use jiff::Timestamp;
use seatline_host::exchange::{ExchangeError, ExchangeOutcome};
use seatline_host::host::Synchronised;
use seatline_host::outbox::PendingReport;
use seatline_host::runs::LastRun;
use seatline_host::sandbox::Trigger;
use seatline_protocol::report::Outcome;
use seatline_protocol::{Digest, Sequence};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::output::{Page, count_of, time, warn};
use crate::progress;
use crate::standing_page;

/// Count now, and send the report; what the central server does not take waits in the outbox
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline sync")]
pub struct Options {}

#[derive(Serialize)]
struct Shown {
    run: LastRun,
    report: Option<MadeReport>,
    exchange: Option<ExchangeOutcome>,
}

#[derive(Serialize)]
struct MadeReport {
    sequence: Sequence,
    digest: Digest,
    made_at: Timestamp,
    /// The report that it repeats, as nothing has changed since.
    repeats: Option<Sequence>,
}

impl From<PendingReport> for MadeReport {
    fn from(report: PendingReport) -> Self {
        Self { sequence: report.sequence, digest: report.digest(), made_at: report.made_at, repeats: report.repeats }
    }
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let Synchronised { collected, exchanged } =
        progress::during("synchronising", &instance.accounts_read, || instance.host.sync(Trigger::Demand));
    let (collected, exchanged) = match (collected, exchanged) {
        (Ok(collected), exchanged) => (collected, exchanged),
        (Err(error), Ok(_)) => return Err(error.into()),
        (Err(error), Err(problem)) => {
            let problem = Failure::from(problem);
            warn(&problem.code, &problem.message);
            return Err(error.into());
        }
    };
    let (exchange, problem) = match exchanged {
        Ok(outcome) => (Some(outcome), None),
        Err(error) => (None, Some(failure(error, collected.report.is_some()))),
    };
    if collected.is_held {
        warn("report-held", "the report waits for approval: look at it with `seatline report hold`");
    } else if problem.is_none() && collected.report.is_none() {
        warn("link-pending", "no report was made: the link waits for approval at the central server");
    }
    let shown = Shown { run: collected.run, report: collected.report.map(MadeReport::from), exchange };
    // With --json there is one value: the result, or the error.
    if problem.is_none() || !context.output.json {
        context.output.show(&shown, |page| write(page, &shown))?;
    }
    match (problem, shown.run.outcome) {
        (Some(problem), _) => Err(problem),
        (None, Outcome::Failed(failure)) => {
            Err(Failure { is_shown: context.output.json, ..Failure::new(failure.code, failure.message) })
        }
        (None, Outcome::Collected(_)) => Ok(()),
    }
}

fn failure(error: ExchangeError, is_kept: bool) -> Failure {
    let mut failure = Failure::from(error);
    if is_kept {
        failure.message.push_str("; the report waits in the outbox");
    }
    failure
}

fn write(page: &mut Page, shown: &Shown) {
    standing_page::outcome(page, &shown.run.outcome);
    if let Some(report) = &shown.report {
        page.fact("Report", format_args!("{} of {}, {}", report.sequence, time(report.made_at), report.digest));
    }
    let Some(exchange) = &shown.exchange else { return };
    page.fact("Sent", count_of(exchange.sent, "report"));
    for receipt in &exchange.receipts {
        page.fact("Receipt", format_args!("for report {}, stored {}", receipt.sequence, time(receipt.received_at)));
    }
    if exchange.settings_changed {
        page.fact("Settings", "changed by the central server");
    }
}
