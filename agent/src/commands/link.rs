//! `seatline link …`

use seatline_host::exchange::{ExchangeError, Problem};
use seatline_host::link::{LinkFacts, LinkState, OpenedInvite, RemovedLink};
use seatline_protocol::report::ProductFacts;
use serde::Serialize;

use super::{Context, server_id};
use crate::confirmation::confirm;
use crate::failure::Failure;
use crate::files::read_pasted;
use crate::instance::Instance;
use crate::output::{ATTENTION, BAD, GOOD, Page, count_of, styled, tell, time, warn};
use crate::progress;

/// The application link to a central server
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Accept(AcceptOptions),
    Show(ShowOptions),
    Rotate(RotateOptions),
    Remove(RemoveOptions),
}

/// Link the product to the central server that made an invite; shows whom and what will be sent, and asks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline link accept v4.public.eyJjZW50cmFsX3VybCI6…
  seatline link accept @invite.txt --yes")]
pub struct AcceptOptions {
    /// The invite, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    invite: String,
    /// Confirm without being asked: compare the fingerprint first
    #[arg(long)]
    yes: bool,
}

/// Show the link
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline link show --json")]
pub struct ShowOptions {}

/// Replace the key of the link by a new one, which the old one vouches for; reports that wait stay valid
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline link rotate

The new key seals every report from then on. The central server learns of it with the next exchange, which is tried at once.")]
pub struct RotateOptions {}

/// Remove the link and its key; reports that were never received are kept apart, those that wait for approval discarded
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline link remove --yes")]
pub struct RemoveOptions {
    /// Confirm without being asked
    #[arg(long)]
    yes: bool,
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Accept(options) => accept(context, &options),
        Command::Show(_) => show(context),
        Command::Rotate(_) => rotate(context),
        Command::Remove(options) => remove(context, &options),
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    link: Option<&'a LinkFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

fn accept(context: &Context, options: &AcceptOptions) -> Result<(), Failure> {
    let pasted = read_pasted(&options.invite)?;
    let instance = context.instance()?;
    let host = &instance.host;
    let opened = host.open_invite(&pasted)?;
    let product = host.product()?;
    tell(preview(&opened, &product));
    confirm("Link this product to it?", options.yes)?;
    let made = host.accept_invite(&opened)?;
    let exchanged = progress::during("sending the join", &instance.accounts_read, || host.exchange());
    if let Err(ExchangeError::JoinRefused(refusal)) = exchanged {
        // The link would never come into force, and nothing was sent over it.
        host.remove_link(&made.fingerprint)?;
        let message = format!("the central server refused the join, so there is no link: {}", refusal.message);
        return Err(Failure::new(refusal.code, message));
    }
    // The link is made; what else is in the way of the join now is in the way of nothing else.
    let problem = exchanged.err().map(|error| Problem { code: error.code().to_owned(), message: error.to_string() });
    let link = host.link()?.ok_or_else(|| Failure::from(ExchangeError::NotLinked))?;
    if let Some(problem) = &problem {
        warn(&problem.code, format_args!("{}; `seatline run` and `seatline sync` try again", problem.message));
    }
    context.output.show(&Shown { link: Some(&link), problem }, |page| facts(page, &link))
}

/// Whom the product would be linked to, and what would be sent there.
fn preview(opened: &OpenedInvite, product: &ProductFacts) -> String {
    let mut page = Page::default();
    let invite = &opened.invite;
    page.fact("Central", format_args!("{} at {}", invite.central_name, invite.central_url));
    page.fact("Fingerprint", opened.central_key.fingerprint());
    if let Some(application) = &invite.application {
        page.fact("Application", application);
    }
    page.fact("Valid until", time(invite.expires_at));
    page.gap();
    page.line("What will be sent, at once and at every interval:");
    let edition = product.edition.as_deref().map(|edition| format!(" {edition}")).unwrap_or_default();
    let staging = if product.staging { ", staging" } else { "" };
    page.line(format_args!(
        "  product   {} {}{edition}{staging}, server ID {}",
        product.id, product.version, product.server_id
    ));
    let nodes: Vec<&str> = product.nodes.iter().map(|node| node.id.as_str()).collect();
    page.line(format_args!("  nodes     {}", nodes.join(", ")));
    page.line("  counts    of accounts by class, and of the dimensions in seatline.toml");
    page.line("  licenses  licensee, kind, limits, features, dates, and what they come to");
    page.line("  people    a sketch of keyed pseudonyms, to count people once over several products");
    page.line("No name, no mail address and no login is ever sent. `seatline report preview` shows the exact bytes.");
    page.gap();
    page.into_text()
}

fn facts(page: &mut Page, link: &LinkFacts) {
    let state = match link.state {
        LinkState::Approved => styled(GOOD, "approved"),
        LinkState::Refused => match link.was_removed() {
            true => styled(BAD, "the central server has removed it: remove this link, and accept a new invite"),
            false => styled(BAD, "the join was refused: remove this link, and accept a new invite"),
        },
        LinkState::Pending => styled(ATTENTION, "waits for the approval of the central server's administrator"),
        LinkState::Joining => styled(ATTENTION, "the join was not answered yet"),
    };
    page.fact("Link", state);
    if let Some(refusal) = &link.refusal {
        page.fact("", format_args!("{} [{}]", refusal.message, refusal.code));
    }
    page.fact("Central", format_args!("{} at {}", link.central_name, link.central_url));
    page.fact("  fingerprint", &link.central_fingerprint);
    page.fact("Our key", &link.fingerprint);
    if let Some(rotation) = &link.rotation {
        let known = if rotation.is_known { "" } else { ", which the central server does not know yet" };
        page.fact("", format_args!("in place of {} since {}{known}", rotation.previous_fingerprint, time(rotation.at)));
    }
    if let Some(application) = &link.application {
        page.fact("Application", application);
    }
    page.fact("Accepted", time(link.accepted_at));
    if let Some(settings) = &link.settings {
        page.fact("Interval", format_args!("{} s", settings.interval));
        page.fact("Dormant after", format_args!("{} days", settings.dormancy_days));
    }
}

fn show(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let (link, identity) = (instance.host.link()?, instance.host.identity()?);
    context.output.show(&Shown { link: link.as_ref(), problem: None }, |page| match &link {
        Some(link) => {
            facts(page, link);
            server_id::attention(page, &identity);
        }
        None => page.line("The product is not linked: accept an invite with `seatline link accept`."),
    })
}

fn rotate(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let host = &instance.host;
    host.rotate_key()?;
    let exchanged = progress::during("telling the central server", &instance.accounts_read, || host.exchange());
    // The key is replaced; what is in the way of telling it now is in the way of nothing else.
    let problem = exchanged.err().map(|error| Problem { code: error.code().to_owned(), message: error.to_string() });
    let link = host.link()?.ok_or_else(|| Failure::from(ExchangeError::NotLinked))?;
    if let Some(problem) = &problem {
        warn(&problem.code, format_args!("{}; `seatline run` and `seatline sync` try again", problem.message));
    }
    context.output.show(&Shown { link: Some(&link), problem }, |page| facts(page, &link))
}

#[derive(Serialize)]
struct Removed {
    removed: LinkFacts,
    retired_reports: usize,
    discarded_reports: usize,
}

/// Goes into a question before a link is removed: what it does to the reports that wait for approval.
pub(super) fn and_discard(instance: &Instance) -> String {
    // What cannot be read is in the way of no removal.
    match instance.host.hold_status().map_or(0, |hold| hold.held) {
        0 => String::new(),
        held => format!(", and discard {} for approval", waiting(held)),
    }
}

fn waiting(reports: usize) -> String {
    format!("{} that {}", count_of(reports, "report"), if reports == 1 { "waits" } else { "wait" })
}

/// What became of the reports of a link that was removed.
pub(super) fn write_reports(page: &mut Page, retired: usize, discarded: usize) {
    if retired > 0 {
        page.line(format_args!("Never received, and kept apart: {}.", count_of(retired, "report")));
    }
    if discarded > 0 {
        page.line(format_args!("Never approved, and discarded: {}.", count_of(discarded, "report")));
    }
}

fn remove(context: &Context, options: &RemoveOptions) -> Result<(), Failure> {
    let instance = context.instance()?;
    let link = instance.host.link()?.ok_or_else(|| Failure::from(seatline_host::link::LinkError::NotLinked))?;
    let question =
        format!("Remove the link to {} ({}){}?", link.central_name, link.central_url, and_discard(&instance));
    confirm(&question, options.yes)?;
    let RemovedLink { link, retired, discarded } = instance.host.remove_link(&link.fingerprint)?;
    let removed = Removed { removed: link, retired_reports: retired, discarded_reports: discarded };
    context.output.show(&removed, |page| {
        page.line(format_args!("The link to {} is removed.", removed.removed.central_url));
        write_reports(page, removed.retired_reports, removed.discarded_reports);
    })
}
