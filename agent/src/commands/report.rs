//! `seatline report …`

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use seatline_host::exchange::ExchangeError;
use seatline_host::outbox::PendingReport;
use seatline_protocol::exchange::{ExchangeResponse, MAX_RESPONSE_BYTES};
use seatline_protocol::{Digest, Entry, Sequence};
use serde::Serialize;

use super::Context;
use super::held::{self, ApproveOptions, DiscardOptions, HoldOptions};
use crate::failure::Failure;
use crate::files;
use crate::output::{Page, count, count_of, time, warn};
use crate::progress;

/// Reports: what would leave, the way by file, and holding them for approval
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Preview(PreviewOptions),
    Export(ExportOptions),
    ImportReceipts(ImportOptions),
    Hold(HoldOptions),
    Approve(ApproveOptions),
    Discard(DiscardOptions),
}

/// Show what would leave the product, to the byte; nothing is kept or sent
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline report preview --json")]
pub struct PreviewOptions {}

/// Write the waiting reports into a file, for a central server that cannot be reached; the oldest 64 at the most
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline report export reports.json
  seatline-central import reports.json > receipts.json     (there)
  seatline report import-receipts receipts.json")]
pub struct ExportOptions {
    /// The file; - for standard output
    file: PathBuf,
}

/// Take the central server's receipts from a file; the reports that they are for leave the outbox
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline report import-receipts receipts.json")]
pub struct ImportOptions {
    /// The file; - for standard input
    file: PathBuf,
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Preview(_) => preview(context),
        Command::Export(options) => export(context, &options.file),
        Command::ImportReceipts(options) => import(context, &options.file),
        Command::Hold(options) => held::hold(context, &options),
        Command::Approve(options) => held::approve(context, &options),
        Command::Discard(options) => held::discard(context, &options),
    }
}

#[derive(Serialize)]
struct Preview {
    pending: Vec<Pending>,
    held: Vec<Pending>,
    statements: Vec<String>,
    next: Next,
}

#[derive(Serialize)]
struct Pending {
    sequence: Sequence,
    made_at: Timestamp,
    digest: Digest,
    sealed: String,
}

#[derive(Serialize)]
struct Next {
    report: Option<Entry>,
    sealed: Option<String>,
    outcome: seatline_protocol::Outcome,
}

fn preview(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let preview = progress::during("counting", &instance.accounts_read, || instance.host.preview_report())?;
    let next = Next { report: preview.next.report, sealed: preview.next.sealed, outcome: preview.next.outcome };
    let (pending, held) = (shown(preview.pending), shown(preview.held));
    let shown = Preview { pending, held, statements: preview.statements, next };
    context.output.show(&shown, |page| write_preview(page, &shown))
}

fn shown(reports: Vec<PendingReport>) -> Vec<Pending> {
    let shown = |report: PendingReport| Pending {
        sequence: report.sequence,
        made_at: report.made_at,
        digest: report.digest(),
        sealed: report.sealed,
    };
    reports.into_iter().map(shown).collect()
}

fn write_preview(page: &mut Page, preview: &Preview) {
    let waiting = preview.pending.iter().map(|report| ("Waiting", report));
    for (what, report) in waiting.chain(preview.held.iter().map(|report| ("Held for approval", report))) {
        page.line(format_args!("{what}: report {} of {}, {}", report.sequence, time(report.made_at), report.digest));
        page.line(&report.sealed);
        page.gap();
    }
    for statement in &preview.statements {
        page.line("Waiting: a statement that the server ID has changed");
        page.line(statement);
        page.gap();
    }
    let json = |value: &dyn Fn() -> serde_json::Result<String>| value().unwrap_or_else(|error| error.to_string());
    match (&preview.next.report, &preview.next.sealed) {
        (Some(report), Some(sealed)) => {
            page.line("A run now would report:");
            page.line(json(&|| serde_json::to_string_pretty(report)));
            if let Some(repeats) = report.repeats() {
                page.line(format_args!(
                    "It repeats report {}: nothing has changed since. What that said:",
                    repeats.sequence
                ));
                page.line(json(&|| serde_json::to_string_pretty(&preview.next.outcome)));
            }
            page.gap();
            page.line(format_args!("Sealed, {} bytes:", count(sealed.len() as u64)));
            page.line(sealed);
        }
        _ => {
            page.line("No link is in force, so nothing would leave. A run now would collect:");
            page.line(json(&|| serde_json::to_string_pretty(&preview.next.outcome)));
        }
    }
}

#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
    reports: usize,
    join: bool,
    /// How many statements it holds about the server ID.
    statements: usize,
    /// How many reports wait that one file has no room for.
    more: usize,
}

fn export(context: &Context, path: &Path) -> Result<(), Failure> {
    let instance = context.instance()?;
    let request = instance.host.export_reports()?;
    let waits = instance.host.identity()?.unconfirmed;
    let more = instance.host.outbox()?.pending.saturating_sub(request.reports.len());
    // What waits for a person's word is not for the next file.
    let more = if waits.is_some() { 0 } else { more };
    if let Some(unconfirmed) = waits {
        let failure = Failure::from(ExchangeError::Unconfirmed(Box::new(unconfirmed)));
        warn(&failure.code, failure.message);
    }
    let text = serde_json::to_string(&request).map_err(|error| Failure::of("output", &error))? + "\n";
    if path == Path::new("-") {
        if more > 0 {
            warn("more-reports", format_args!("{} more in the outbox: {NEXT}", count_of(more, "report")));
        }
        return context.output.raw(&text);
    }
    files::write_private(path, text.as_bytes())?;
    let (reports, statements) = (request.reports.len(), request.continuity.len());
    let exported = Exported { file: path, reports, join: request.join.is_some(), statements, more };
    context.output.show(&exported, |page| {
        let join = if exported.join { " and the join" } else { "" };
        let statements = match exported.statements {
            0 => String::new(),
            some => format!(", with {} about the server ID", count_of(some, "statement")),
        };
        page.line(format_args!(
            "Written to {}, and kept in the outbox: {}{join}{statements}.",
            path.display(),
            count_of(exported.reports, "report"),
        ));
        if exported.more > 0 {
            page.line(format_args!("{} more in the outbox: {NEXT}.", count_of(exported.more, "report")));
        }
    })
}

/// What to do where one file does not hold all that waits.
const NEXT: &str = "import the receipts of these, and export again";

fn import(context: &Context, path: &Path) -> Result<(), Failure> {
    let text = files::read_argument(path, MAX_RESPONSE_BYTES)?;
    let response: ExchangeResponse = serde_json::from_slice(&text).map_err(|error| {
        Failure::new("malformed", format!("{} is not the answer of a central server: {error}", path.display()))
    })?;
    let outcome = context.instance()?.host.import_response(&response)?;
    context.output.show(&outcome, |page| {
        page.line(format_args!("Taken: {}.", count_of(outcome.receipts.len(), "receipt")));
        if outcome.settings_changed {
            page.line("The settings of the link have changed.");
        }
        for refusal in &outcome.refusals {
            page.line(format_args!("Refused, a {}: {} [{}]", refusal.document, refusal.message, refusal.code));
        }
    })?;
    match outcome.refusals.first() {
        Some(refusal) => Err(Failure {
            is_shown: context.output.json,
            ..Failure::new(
                &refusal.code,
                format!("the central server refused the {}: {}", refusal.document, refusal.message),
            )
        }),
        None => Ok(()),
    }
}
