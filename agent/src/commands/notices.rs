//! `seatline notices …`

use std::path::PathBuf;

use jiff::Timestamp;
use seatline_delivery::smtp::Security;
use seatline_host::notices::{Delivery, DeliveryState, Entry, Probe};
use seatline_protocol::notices::{Notice, Reminders};
use seatline_protocol::{Dimension, IdError};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::files;
use crate::instance::Instance;
use crate::notices::{MailFacts, NoticeSettings, Notices, SettingsChange, Tested, WebhookFacts};
use crate::output::{ATTENTION, BAD, GOOD, Page, styled, time};

/// Set who is told what, try it, and see what was told
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Show(ShowOptions),
    Test(TestOptions),
    Check(CheckOptions),
    Settings(Box<SettingsOptions>),
    AddWebhook(AddWebhookOptions),
    RemoveWebhook(RemoveWebhookOptions),
}

/// Show what was told, and what became of it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline notices show")]
pub struct ShowOptions {}

/// Send a test to everybody who would be told, and show what came of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline notices test

It ends with status 1 if anybody was not reached.")]
pub struct TestOptions {}

/// Look what is due, and deliver it: what `seatline run` does by itself
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline notices check")]
pub struct CheckOptions {}

/// Show or change who is told, how, and when
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline notices settings --host mail.example.org --user wiki --password-file mail.password \\
      --sender wiki@example.org --recipient ada@example.org --recipient bela@example.org
  seatline notices settings --threshold lines-of-code=80 --expiry-days 90,30,7
  seatline notices settings

What is not named stays. An empty value takes away what is set, such as --user ''.")]
pub struct SettingsOptions {
    /// Take mail as in seatline.toml again, before the rest
    #[arg(long)]
    reset_mail: bool,
    /// The mail server's name or address
    #[arg(long, help_heading = "Mail")]
    host: Option<String>,
    /// Its port; 0 for the usual one
    #[arg(long, help_heading = "Mail")]
    port: Option<u16>,
    /// How the connection is encrypted: starttls, tls, or plain for a server on this machine
    #[arg(long, value_parser = security, help_heading = "Mail")]
    security: Option<Security>,
    /// The user
    #[arg(long, help_heading = "Mail")]
    user: Option<String>,
    /// A file that holds the user's password, or - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Mail")]
    password_file: Option<PathBuf>,
    /// A PEM file with the authority that signed the server's certificate, if none of the system's did
    #[arg(long, value_name = "FILE", help_heading = "Mail")]
    ca_file: Option<PathBuf>,
    /// Accept the authorities of the system again
    #[arg(long, conflicts_with = "ca_file", help_heading = "Mail")]
    no_ca: bool,
    /// From whom the mails are
    #[arg(long, value_name = "ADDRESS", help_heading = "Mail")]
    sender: Option<String>,
    /// Who gets them; can be given several times, and replaces who was named before
    #[arg(long = "recipient", value_name = "ADDRESS", help_heading = "Mail")]
    recipients: Vec<String>,
    /// Nobody gets mails
    #[arg(long, conflicts_with = "recipients", help_heading = "Mail")]
    no_recipients: bool,
    /// How many days before a license expires, such as 60,30; '' for never
    #[arg(long, value_name = "DAYS", help_heading = "When")]
    expiry_days: Option<String>,
    /// How many days before maintenance ends
    #[arg(long, value_name = "DAYS", help_heading = "When")]
    maintenance_days: Option<String>,
    /// How many days before an evaluation ends
    #[arg(long, value_name = "DAYS", help_heading = "When")]
    evaluation_days: Option<String>,
    /// From how many hundredths of a limit on, as DIMENSION=PERCENT, or DIMENSION= for the usual; can be given several
    /// times
    #[arg(long = "threshold", value_name = "DIMENSION=PERCENT", value_parser = threshold, help_heading = "When")]
    thresholds: Vec<(Dimension, Option<u8>)>,
    /// For how many synchronisation intervals counting or reporting must have failed
    #[arg(long, value_name = "INTERVALS", help_heading = "When")]
    patience: Option<u8>,
}

/// Call a webhook with every notice, signed; its secret is shown once
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline notices add-webhook https://hooks.example.org/seatline
  seatline notices add-webhook https://hooks.example.org/seatline --secret-file webhook.secret")]
pub struct AddWebhookOptions {
    /// What is called: https, or http on this machine
    url: String,
    /// A file with the secret that the receiver has given (whsec_…), or - for standard input, instead of a new one
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// A PEM file with the authority that signed the receiver's certificate, if none of the system's did
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Call a webhook no longer
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline notices remove-webhook 0f1e2d3c4b5a")]
pub struct RemoveWebhookOptions {
    /// Its id, which `seatline notices settings` shows
    id: String,
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let notices = Notices::of(&instance);
    match command {
        Command::Show(_) => show(context, &notices),
        Command::Test(_) => test(context, &notices),
        Command::Check(_) => check(context, &notices),
        Command::Settings(options) => settings(context, &notices, *options),
        Command::AddWebhook(options) => add_webhook(context, &notices, &options),
        Command::RemoveWebhook(options) => remove_webhook(context, &notices, &options),
    }
}

fn security(text: &str) -> Result<Security, String> {
    let all = [Security::StartTls, Security::Tls, Security::Plain];
    let named = all.into_iter().find(|security| security.name() == text);
    named.ok_or_else(|| "it must be starttls, tls or plain".to_owned())
}

fn threshold(text: &str) -> Result<(Dimension, Option<u8>), String> {
    let (dimension, percent) = text.split_once('=').ok_or("it must be DIMENSION=PERCENT, such as users=80")?;
    let dimension = dimension.parse().map_err(|error: IdError| error.to_string())?;
    let percent = match percent.trim_end_matches('%') {
        "" => None,
        percent => Some(percent.parse().map_err(|_| "the hundredths must be from 1 to 100".to_owned())?),
    };
    Ok((dimension, percent))
}

fn days(name: &str, text: Option<String>) -> Result<Option<Vec<u16>>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let days = text.split(',').map(str::trim).filter(|day| !day.is_empty()).map(str::parse);
    let days: Result<Vec<u16>, _> = days.collect();
    days.map(Some)
        .map_err(|_| Failure::new("reminders-invalid", format!("--{name} must be numbers of days, such as 60,30")))
}

fn pem(path: Option<&PathBuf>) -> Result<Option<String>, Failure> {
    let read = |path: &PathBuf| files::read_text(path).map_err(|error| Failure::io("read", path, &error));
    Ok(path.map(read).transpose()?.map(|pem| pem.to_string()))
}

#[derive(Serialize)]
struct Shown {
    settings: NoticeSettings,
    checked_at: Option<Timestamp>,
    mail_server: Option<Probe>,
    notices: Vec<Entry>,
}

fn show(context: &Context, notices: &Notices<'_>) -> Result<(), Failure> {
    let (settings, book) = (notices.settings()?, notices.book()?);
    let mut entries = book.entries;
    entries.reverse();
    let shown = Shown { settings, checked_at: book.checked_at, mail_server: book.probe, notices: entries };
    context.output.show(&shown, |page| {
        reach(page, &shown.settings);
        page.fact("Looked", shown.checked_at.map_or("not yet".to_owned(), time));
        if let Some(Probe { at, problem }) = &shown.mail_server {
            let found = match problem {
                None => format!("answered at {}", time(*at)),
                Some(problem) => styled(BAD, format_args!("{} [{}], at {}", problem.message, problem.code, time(*at))),
            };
            page.fact("Mail server", found);
        }
        if shown.notices.is_empty() {
            page.fact("Told", "nothing yet");
        }
        for entry in &shown.notices {
            page.gap();
            self::entry(page, entry);
        }
    })
}

fn entry(page: &mut Page, Entry { notice, deliveries, .. }: &Entry) {
    let Notice { at, title, message, code, .. } = notice;
    page.line(format_args!("{}  {title} [{code}]", time(*at)));
    page.line(format_args!("  {message}"));
    for Delivery { channel, state, failures, next_attempt_at, problem, .. } in deliveries {
        let style = match state {
            DeliveryState::Delivered => GOOD,
            DeliveryState::Waiting => ATTENTION,
            DeliveryState::GivenUp => BAD,
        };
        let again = next_attempt_at.map(|at| format!(", again at {}", time(at))).unwrap_or_default();
        let failed = if *failures > 0 { format!(", failed {failures} times{again}") } else { String::new() };
        page.line(format_args!("  {} {channel}{failed}", styled(style, format_args!("{:<9}", state.name()))));
        if let Some(problem) = problem {
            page.line(format_args!("            {} [{}]", problem.message, problem.code));
        }
    }
}

fn test(context: &Context, notices: &Notices<'_>) -> Result<(), Failure> {
    let settings = notices.settings()?;
    if !settings.reaches_somebody {
        let problem = settings.problems.first().map(|problem| format!(": {}", problem.message)).unwrap_or_default();
        let message = format!("nobody would be told{problem}; see `seatline notices settings --help`");
        return Err(Failure::new("nobody-told", message));
    }
    let tested = notices.test()?;
    context.output.show(&tested, |page| {
        for Tested { place, problem, .. } in &tested {
            match problem {
                None => page.line(format_args!("{} {place}", styled(GOOD, "reached"))),
                Some(problem) => page.line(format_args!(
                    "{} {place}: {} [{}]",
                    styled(BAD, "not reached"),
                    problem.message,
                    problem.code
                )),
            }
        }
    })?;
    let missed = tested.iter().filter(|tested| tested.problem.is_some()).count();
    if missed == 0 {
        return Ok(());
    }
    let message = format!("{missed} of {} were not reached", tested.len());
    Err(Failure { is_shown: context.output.json, ..Failure::new("not-delivered", message) })
}

#[derive(Serialize)]
struct Checked {
    due: Vec<Notice>,
    tried: usize,
}

fn check(context: &Context, notices: &Notices<'_>) -> Result<(), Failure> {
    let due = notices.take()?;
    let tried = notices.deliver(&|| false)?;
    let settings = notices.settings()?;
    let checked = Checked { due, tried };
    context.output.show(&checked, |page| {
        reach(page, &settings);
        match checked.due.is_empty() {
            true => page.fact("Due", "nothing new"),
            false => checked.due.iter().for_each(|notice| page.fact("Due", &notice.title)),
        }
        page.fact(
            "Deliveries",
            format_args!("{} tried; `seatline notices show` tells what came of them", checked.tried),
        );
    })
}

fn settings(context: &Context, notices: &Notices<'_>, options: SettingsOptions) -> Result<(), Failure> {
    let password = options.password_file.as_deref().map(files::read_secret).transpose()?;
    let change = SettingsChange {
        reset_mail: options.reset_mail,
        host: options.host,
        port: options.port,
        security: options.security,
        user: options.user,
        password,
        ca_pem: if options.no_ca { Some(String::new()) } else { pem(options.ca_file.as_ref())? },
        sender: options.sender,
        recipients: (options.no_recipients || !options.recipients.is_empty()).then_some(options.recipients),
        expiry_days: days("expiry-days", options.expiry_days)?,
        maintenance_days: days("maintenance-days", options.maintenance_days)?,
        evaluation_days: days("evaluation-days", options.evaluation_days)?,
        thresholds: options.thresholds.into_iter().collect(),
        patience: options.patience,
    };
    let settings = notices.change(change)?;
    context.output.show(&settings, |page| write_settings(page, &settings))
}

fn write_settings(page: &mut Page, settings: &NoticeSettings) {
    reach(page, settings);
    let MailFacts { host, port, security, user, has_password, has_ca, sender, recipients } = &settings.mail;
    page.gap();
    match host {
        None => page.fact("Mail server", "none"),
        Some(host) => page.fact("Mail server", format_args!("{host}:{port} ({})", security.name())),
    }
    if let Some(user) = user {
        page.fact(
            "User",
            format_args!("{user}{}", if *has_password { ", with a password" } else { ", without a password" }),
        );
    }
    if *has_ca {
        page.fact("Authority", "one of its own");
    }
    page.fact("Sender", sender.as_ref().map_or("none", |sender| sender.as_str()));
    page.fact("Recipients", listed(recipients.iter().map(ToString::to_string)));
    for WebhookFacts { id, url, configured } in &settings.webhooks {
        page.fact("Webhook", format_args!("{id} {url}{}", if *configured { " (seatline.toml)" } else { "" }));
    }
    page.gap();
    let Reminders { expiry_days, maintenance_days, evaluation_days, thresholds, patience } = &settings.reminders;
    for (name, days) in [("Expiry", expiry_days), ("Maintenance", maintenance_days), ("Evaluation", evaluation_days)] {
        page.fact(name, format_args!("{} days before", listed(days.iter().map(ToString::to_string))));
    }
    let usual = seatline_protocol::notices::DEFAULT_THRESHOLD;
    let set = thresholds.iter().map(|(dimension, percent)| format!("{dimension} {percent} %"));
    page.fact("Thresholds", listed(set.chain([format!("others {usual} %")])));
    page.fact("Patience", format_args!("{patience} intervals"));
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Whether anybody is told, and what is wrong.
fn reach(page: &mut Page, settings: &NoticeSettings) {
    if !settings.reaches_somebody {
        page.fact("Told", styled(ATTENTION, "nobody: name recipients with `seatline notices settings`"));
    }
    for problem in &settings.problems {
        page.fact("Problem", styled(BAD, format_args!("{} [{}]", problem.message, problem.code)));
    }
}

#[derive(Serialize)]
struct Added<'a> {
    #[serde(flatten)]
    webhook: WebhookFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

fn add_webhook(context: &Context, notices: &Notices<'_>, options: &AddWebhookOptions) -> Result<(), Failure> {
    let given = options.secret_file.as_deref().map(files::read_secret).transpose()?;
    let ca = pem(options.ca_file.as_ref())?;
    let (webhook, secret) = notices.add_webhook(&options.url, given.as_deref().map(String::as_str), ca.as_deref())?;
    // Who has given the secret knows it.
    let secret = given.is_none().then_some(secret.as_str());
    let added = Added { webhook, secret };
    context.output.show(&added, |page| {
        page.fact("Webhook", format_args!("{} {}", added.webhook.id, added.webhook.url));
        if let Some(secret) = added.secret {
            page.fact("Secret", secret);
            page.line("Give the secret to the receiver; it is shown only now.");
        }
    })
}

#[derive(Serialize)]
struct Removed {
    removed: WebhookFacts,
}

fn remove_webhook(context: &Context, notices: &Notices<'_>, options: &RemoveWebhookOptions) -> Result<(), Failure> {
    let shown = Removed { removed: notices.remove_webhook(&options.id)? };
    context.output.show(&shown, |page| page.line(format_args!("{} is called no longer.", shown.removed.url)))
}
