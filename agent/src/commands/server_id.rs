//! `seatline server-id …`

use seatline_host::host::Confirmed;
use seatline_host::identity::{IdentityChange, IdentityFacts, Policy};
use seatline_protocol::ContinuityAnswer;
use seatline_protocol::continuity::parts_in_words;

use super::{Context, link};
use crate::confirmation::confirm;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::{ATTENTION, BAD, Page, styled, time, warn};
use crate::progress;

/// Show the server ID, what it is made of, and how it has changed
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  seatline server-id\n  seatline server-id confirm --moved")]
pub struct Options {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Confirm(ConfirmOptions),
}

/// Say what a change of the server ID was: until then nothing is sent over the link
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline server-id confirm --moved
  seatline server-id confirm --copy --yes

A copy of a linked instance holds the key of its link. If both used it, the central server would take
one of the two for a forgery; so the one whose server ID has changed waits for this command.")]
#[command(group(clap::ArgGroup::new("word").required(true)))]
struct ConfirmOptions {
    /// It is the instance that was linked, at another place or configured otherwise: what waits is sent
    #[arg(long, group = "word")]
    moved: bool,
    /// It is the instance that was linked, with other data, restored or installed anew: what waits is sent
    #[arg(long, group = "word")]
    restored: bool,
    /// It is a copy, such as a staging instance: the link is removed here, and stays with the original
    #[arg(long, group = "word")]
    copy: bool,
    /// Confirm without being asked
    #[arg(long)]
    yes: bool,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    match &options.command {
        None => show(context),
        Some(Command::Confirm(options)) => confirm_change(context, options),
    }
}

fn show(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let facts = instance.host.look_at_identity()?;
    context.output.show(&facts, |page| write(page, &facts))
}

fn write(page: &mut Page, facts: &IdentityFacts) {
    page.fact("Server ID", &facts.server_id);
    let made_of = match facts.policy {
        Policy::Instance => "the instance's own, made at the first start".to_owned(),
        Policy::DatabaseBound => format!("made of {}", parts_in_words(&facts.parts)),
    };
    page.fact("Policy", format_args!("{}: {made_of}", facts.policy.name()));
    page.fact("Staging", if facts.staging { "yes" } else { "no" });
    if let Some(since) = facts.since {
        page.fact("Since", time(since));
    }
    attention(page, facts);
    if !facts.history.is_empty() {
        page.gap();
        let rows: Vec<Vec<String>> = facts.history.iter().rev().map(row).collect();
        page.table(&["CHANGED", "FROM", "TO", "BECAUSE OF", "IT WAS"], &rows);
    }
}

/// What is wrong with the server ID, and what to do.
pub(super) fn attention(page: &mut Page, facts: &IdentityFacts) {
    if let Some(problem) = &facts.problem {
        page.fact("", styled(BAD, format_args!("{} [{}]", problem.message, problem.code)));
    }
    if let Some(unconfirmed) = &facts.unconfirmed {
        let changed = parts_in_words(&unconfirmed.changed);
        let waits = format!(
            "the link was made as {}, and the server ID has changed since ({changed}): nothing is sent until you say what \
             this is: `seatline server-id confirm --moved`, `--restored` or `--copy`",
            unconfirmed.linked_as
        );
        page.fact("", styled(ATTENTION, waits));
    }
}

fn row(change: &IdentityChange) -> Vec<String> {
    let answer = change.answer.map_or("-", ContinuityAnswer::name);
    let [from, to] = [&change.previous, &change.present].map(ToString::to_string);
    vec![time(change.at), from, to, parts_in_words(&change.changed), answer.to_owned()]
}

fn confirm_change(context: &Context, options: &ConfirmOptions) -> Result<(), Failure> {
    let instance = context.instance()?;
    let answer = match (options.moved, options.restored) {
        (true, _) => ContinuityAnswer::Moved,
        (_, true) => ContinuityAnswer::Restored,
        _ => ContinuityAnswer::Copy,
    };
    let link = instance.host.link()?;
    let question = match (answer, &link) {
        (ContinuityAnswer::Copy, Some(link)) => {
            format!("Remove the link to {} from this copy{}?", link.central_url, link::and_discard(&instance))
        }
        (ContinuityAnswer::Copy, None) => "Is this a copy of another instance?".to_owned(),
        (_, Some(link)) => format!("Is this the instance that is linked to {}, and no copy of it?", link.central_url),
        (_, None) => "Is this the same instance as before, and no copy of it?".to_owned(),
    };
    confirm(&question, options.yes)?;
    let confirmed = progress::during("telling the central server", &instance.accounts_read, || {
        instance.host.confirm_identity(answer)
    })?;
    if let Some(problem) = &confirmed.problem {
        warn(&problem.code, format_args!("the central server was not told: {}", problem.message));
    }
    context.output.show(&confirmed, |page| write_confirmed(page, &confirmed))
}

fn write_confirmed(page: &mut Page, confirmed: &Confirmed) {
    match &confirmed.removed {
        Some(removed) => {
            page.line(format_args!("This is a copy. The link to {} is removed here.", removed.central_url));
            link::write_reports(page, confirmed.retired_reports, confirmed.discarded_reports);
        }
        None => page.line(format_args!("Noted: {}.", confirmed.answer.name())),
    }
}
