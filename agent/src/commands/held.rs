//! `seatline report hold`, `approve` and `discard` (`b6`)

use jiff::Timestamp;
use seatline_host::held::{HeldReport, Which};
use seatline_host::outbox::PendingReport;
use seatline_protocol::{Digest, Report, Sequence};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::output::{Page, count_of, time};

/// Show which reports wait for approval, to the byte; `on` holds every report from now on, `off` lets them leave by
/// themselves
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline report hold on
  seatline report hold
  seatline report approve sha256:2f0c…
  seatline report hold off")]
pub struct HoldOptions {
    /// Whether reports are held; without it nothing is changed
    turn: Option<Turn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Turn {
    On,
    Off,
}

/// Approve a report that is held, and all before it: they leave with the next exchange
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline report approve sha256:2f0c…
  seatline report approve --all")]
pub struct ApproveOptions {
    #[command(flatten)]
    which: WhichOptions,
}

/// Throw a report away that is held; it never leaves, and the chain has no gap by it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline report discard sha256:2f0c…
  seatline report discard --all")]
pub struct DiscardOptions {
    #[command(flatten)]
    which: WhichOptions,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhichOptions {
    /// The digest of its exact bytes, as `seatline report hold` shows it
    digest: Option<Digest>,
    /// All that wait now
    #[arg(long)]
    all: bool,
}

impl WhichOptions {
    fn which(&self) -> Which {
        self.digest.clone().map_or(Which::All, Which::Of)
    }
}

#[derive(Serialize)]
struct Shown {
    since: Option<Timestamp>,
    capacity: usize,
    reports: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    #[serde(flatten)]
    place: Place,
    report: Report,
    sealed: String,
}

/// Which report it is.
#[derive(Serialize)]
struct Place {
    sequence: Sequence,
    made_at: Timestamp,
    digest: Digest,
}

impl From<&PendingReport> for Place {
    fn from(report: &PendingReport) -> Self {
        Self { sequence: report.sequence, made_at: report.made_at, digest: report.digest() }
    }
}

impl From<HeldReport> for Held {
    fn from(HeldReport { report, sealed }: HeldReport) -> Self {
        Self { place: Place::from(&sealed), report, sealed: sealed.sealed }
    }
}

pub fn hold(context: &Context, options: &HoldOptions) -> Result<(), Failure> {
    let instance = context.instance()?;
    let status = match options.turn {
        Some(turn) => instance.host.hold_reports(turn == Turn::On)?,
        None => instance.host.hold_status()?,
    };
    let reports = instance.host.held_reports()?.into_iter().map(Held::from).collect();
    let shown = Shown { since: status.since, capacity: status.capacity, reports };
    context.output.show(&shown, |page| write(page, &shown))
}

fn write(page: &mut Page, shown: &Shown) {
    match shown.since {
        Some(since) => page.line(format_args!("Reports are held for approval since {}.", time(since))),
        None => page.line("Reports leave by themselves: none is held."),
    }
    for Held { place, report, sealed } in &shown.reports {
        page.gap();
        page.line(format_args!("Report {} of {} waits, {}:", place.sequence, time(place.made_at), place.digest));
        page.line(serde_json::to_string_pretty(report).unwrap_or_else(|error| error.to_string()));
        page.line("Sealed:");
        page.line(sealed);
    }
    if !shown.reports.is_empty() {
        page.gap();
        page.line("Approve one and those before it with `seatline report approve DIGEST`, or discard it.");
    }
}

#[derive(Serialize)]
struct Approved {
    approved: Vec<Place>,
}

pub fn approve(context: &Context, options: &ApproveOptions) -> Result<(), Failure> {
    let approved = context.instance()?.host.approve_reports(&options.which.which())?;
    let approved = Approved { approved: approved.iter().map(Place::from).collect() };
    context.output.show(&approved, |page| {
        page.line(format_args!(
            "Approved: {}. They leave with the next exchange.",
            count_of(approved.approved.len(), "report")
        ));
    })
}

#[derive(Serialize)]
struct Discarded {
    discarded: usize,
}

pub fn discard(context: &Context, options: &DiscardOptions) -> Result<(), Failure> {
    let discarded = Discarded { discarded: context.instance()?.host.discard_reports(&options.which.which())? };
    context.output.show(&discarded, |page| {
        page.line(format_args!("Discarded: {}.", count_of(discarded.discarded, "report")));
    })
}
