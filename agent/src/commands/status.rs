//! `seatline status`

use seatline_host::exchange::NeverReceived;
use seatline_host::status::Status;

use super::{Context, server_id};
use crate::failure::Failure;
use crate::output::{ATTENTION, BAD, Page, count, count_of, styled, time};
use crate::standing_page;

/// Show everything at a glance: licenses, counts, plugin, link, outbox
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline status --json")]
pub struct Options {}

pub fn run(context: &Context) -> Result<(), Failure> {
    let status = context.instance()?.host.status()?;
    context.output.show(&status, |page| write(page, &status))
}

fn write(page: &mut Page, status: &Status) {
    let product = &status.product;
    let edition = product.edition.as_deref().map(|edition| format!(", {edition}")).unwrap_or_default();
    page.fact("Product", format_args!("{} {}{edition} ({})", product.name, product.version, product.id));
    page.fact("Server ID", &status.server_id);
    server_id::attention(page, &status.identity);
    if status.product.staging {
        page.fact("Staging", "yes: it is never counted in the totals of production");
    }
    let nodes: Vec<&str> = product.nodes.iter().map(|node| node.id.as_str()).collect();
    page.fact("Nodes", nodes.join(", "));
    standing_page::verdict(page, &status.standing);
    standing_page::limits(page, &status.standing);
    page.gap();
    match (&status.plugin, &status.plugin_problem) {
        (_, Some(problem)) => page.fact("Plugin", styled(BAD, problem)),
        (Some(plugin), None) => page.fact("Plugin", format_args!("{} {}", plugin.name, plugin.version)),
        (None, None) => page.fact("Plugin", styled(ATTENTION, "none: install one with `seatline plugin install`")),
    }
    match &status.last_run {
        None => page.fact("Last run", "none yet"),
        Some(run) => {
            page.fact("Last run", format_args!("{} ({}, {} ms)", time(run.at), run.trigger, run.took_ms));
            standing_page::outcome(page, &run.outcome);
        }
    }
    page.gap();
    link(page, status);
}

fn link(page: &mut Page, status: &Status) {
    for NeverReceived { at, reports, reason } in &status.exchange.never_received {
        let lost = count_of(*reports, "report");
        let why = format_args!("{} [{}]", reason.message, reason.code).to_string();
        page.fact("Let go", format_args!("{lost} that will never be received, {}: {why}", time(*at)));
    }
    let Some(link) = &status.link else {
        page.fact("Link", styled(ATTENTION, "none: accept an invite with `seatline link accept`"));
        return;
    };
    page.fact("Link", format_args!("{} ({}, {})", link.central_url, link.central_name, link.state.name()));
    let outbox = &status.outbox;
    let oldest = outbox.oldest.map(|oldest| format!(", the oldest of {}", time(oldest))).unwrap_or_default();
    let full = if outbox.is_full { "; it is full, so no report is made" } else { "" };
    page.fact(
        "Outbox",
        format_args!(
            "{} of {} reports wait{oldest}{full}",
            count(outbox.pending as u64),
            count(outbox.capacity as u64)
        ),
    );
    if let Some(since) = status.hold.since {
        let waiting = count_of(status.hold.held, "report");
        page.fact(
            "Held",
            styled(ATTENTION, format_args!("{waiting} for approval; reports are held since {}", time(since))),
        );
    }
    let exchange = &status.exchange;
    if let Some(receipt) = &exchange.last_receipt {
        page.fact(
            "Last receipt",
            format_args!("for report {}, stored {}", receipt.sequence, time(receipt.received_at)),
        );
    }
    if let Some(problem) = &exchange.problem {
        let failures = exchange.failures;
        page.fact("Problem", styled(BAD, format_args!("{} [{}], {failures} in a row", problem.message, problem.code)));
    }
    if let Some(next) = exchange.next_attempt_at {
        page.fact("Next attempt", time(next));
    }
    if let Some(behind) = status.clock_behind {
        page.fact("Clock", styled(BAD, format_args!("{behind} s behind the time that a receipt has proven")));
    }
}
