//! What holds for all alerts: when something is near, how long is waited, the mail server.

use std::path::PathBuf;

use clap::Args;
use seatline_delivery::MailAddress;
use seatline_delivery::smtp::Security;
use seatline_protocol::Dimension;
use seatline_protocol::notices::DEFAULT_THRESHOLD;

use super::super::user::actor;
use super::super::users::read_password;
use super::super::{Failure, Output, invalid};
use super::channel_options::read_pem;
use crate::actions::alerts::ShownSettings;
use crate::central::Central;
use crate::domain::alerts::settings::{AlertSettings, MailServerSettings};

/// Show or set when something counts as near, and how long is waited before it is told
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central alerts settings --expiry-days 90,30,7 --threshold users=80")]
pub(in crate::command) struct Settings {
    /// How many days before a license ends, each told once; `none` for never
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiry_days: Option<Days>,
    /// How many days before maintenance ends; `none` for never
    #[arg(long, value_name = "DAYS", value_parser = days)]
    maintenance_days: Option<Days>,
    /// How many days before an evaluation ends; `none` for never
    #[arg(long, value_name = "DAYS", value_parser = days)]
    evaluation_days: Option<Days>,
    /// From how many hundredths of its limit on a dimension is near, such as `users=80`, or `users=usual`; may be given
    /// several times
    #[arg(long, value_name = "DIMENSION=PERCENT", value_parser = threshold)]
    threshold: Vec<Threshold>,
    /// For how many seconds something must have lasted before it is told
    #[arg(long, value_name = "SECONDS")]
    settle: Option<u32>,
    /// For how many seconds it must have been over before that is told
    #[arg(long, value_name = "SECONDS")]
    calm: Option<u32>,
    /// Whether webhooks may lead to this machine itself, and pass the proxy of the environment
    #[arg(long, value_name = "true|false")]
    local_webhooks: Option<bool>,
}

/// Days before an end.
#[derive(Debug, Clone)]
struct Days(Vec<u16>);

fn days(text: &str) -> Result<Days, String> {
    let wrong = |_| "numbers of days with commas between them, such as 60,30, or `none`".to_owned();
    match text {
        "none" => Ok(Days(Vec::new())),
        text => text.split(',').map(|day| day.trim().parse().map_err(wrong)).collect::<Result<_, _>>().map(Days),
    }
}

/// A dimension, and from how many hundredths of its limit on it is near; none for the usual.
type Threshold = (Dimension, Option<u8>);

fn threshold(text: &str) -> Result<Threshold, String> {
    let (dimension, percent) = text.split_once('=').ok_or("as `users=80`")?;
    let percent = match percent {
        "usual" => None,
        number => Some(number.parse().map_err(|_| "from 1 to 100 per cent, or `usual`")?),
    };
    Ok((dimension.parse().map_err(|error: seatline_protocol::IdError| error.to_string())?, percent))
}

/// Show or set the mail server: what is not named stays
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  pass show mail | seatline-central alerts mail-server --host mail.example.org --sender \
                        licenses@example.org --user central --password-stdin"
)]
pub(in crate::command) struct MailServer {
    /// Its name, which its certificate is held against
    #[arg(long)]
    host: Option<String>,
    /// Its port; 0 for the usual one
    #[arg(long)]
    port: Option<u16>,
    /// How the connection is encrypted: starttls, tls, or plain for a server on this machine
    #[arg(long, value_name = "KIND", value_parser = security)]
    security: Option<Security>,
    /// From whom the mails are
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Who we are to it; empty where it does not want to know
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password of that user from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// The authorities whose certificates are accepted, in PEM form, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// No mail server any more: no mail is sent
    #[arg(long, conflicts_with_all = ["host", "port", "security", "sender", "user", "password_stdin", "ca_file"])]
    none: bool,
}

fn security(text: &str) -> Result<Security, &'static str> {
    let known = [Security::StartTls, Security::Tls, Security::Plain];
    known.into_iter().find(|one| one.name() == text).ok_or("one of starttls, tls, plain")
}

impl Settings {
    pub(super) async fn run(self, central: &Central, output: Output) -> Result<(), Failure> {
        let before = central.alert_settings().await?.settings;
        let mut settings = before.clone();
        let Self { expiry_days, maintenance_days, evaluation_days, threshold, settle, calm, local_webhooks } = self;
        let reminders = &mut settings.reminders;
        for (days, kept) in [
            (expiry_days, &mut reminders.expiry_days),
            (maintenance_days, &mut reminders.maintenance_days),
            (evaluation_days, &mut reminders.evaluation_days),
        ] {
            if let Some(Days(days)) = days {
                *kept = days;
            }
        }
        for (dimension, percent) in threshold {
            match percent {
                Some(percent) => reminders.thresholds.insert(dimension, percent),
                None => reminders.thresholds.remove(&dimension),
            };
        }
        settings.pace.settle = settle.unwrap_or(settings.pace.settle);
        settings.pace.calm = calm.unwrap_or(settings.pace.calm);
        settings.local_webhooks = local_webhooks.unwrap_or(settings.local_webhooks);
        if settings != before {
            central.set_alert_settings(&actor(), &settings, None).await?;
        }
        output.show(&central.alert_settings().await?, || words(&settings))
    }
}

impl MailServer {
    pub(super) async fn run(self, central: &Central, output: Output) -> Result<(), Failure> {
        let mut shown = central.alert_settings().await?;
        let password = if self.password_stdin { Some(read_password()?) } else { None };
        let mail = self.changed(shown.settings.mail.clone())?;
        if mail != shown.settings.mail || password.is_some() {
            let settings = AlertSettings { mail, ..shown.settings };
            let password = password.as_ref().map(|password| password.as_str());
            shown = central.set_alert_settings(&actor(), &settings, password).await?;
        }
        output.show(&shown, || server_in_words(&shown))
    }

    /// The mail server with what was named of it.
    fn changed(self, before: Option<MailServerSettings>) -> Result<Option<MailServerSettings>, Failure> {
        let is_asked = self.host.is_some()
            || self.port.is_some()
            || self.security.is_some()
            || self.sender.is_some()
            || self.user.is_some()
            || self.ca_file.is_some()
            || self.password_stdin;
        if self.none || !is_asked {
            return Ok(before.filter(|_| !self.none));
        }
        let read = |sender: String| sender.parse::<MailAddress>().map_err(|error| invalid("sender", error));
        let sender = self.sender.map(read).transpose()?;
        let mut mail = match (before, &self.host, &sender) {
            (Some(before), ..) => before,
            (None, Some(host), Some(sender)) => {
                let (host, sender) = (host.clone(), sender.clone());
                MailServerSettings { host, sender, port: None, security: Security::default(), user: None, ca_pem: None }
            }
            (None, ..) => return Err(invalid("host", "no mail server is set: name it by --host and --sender")),
        };
        mail.host = self.host.unwrap_or(mail.host);
        mail.sender = sender.unwrap_or(mail.sender);
        mail.port = self.port.map_or(mail.port, |port| Some(port).filter(|port| *port != 0));
        mail.security = self.security.unwrap_or(mail.security);
        mail.user = self.user.map_or(mail.user, |user| Some(user).filter(|user| !user.is_empty()));
        if let Some(path) = self.ca_file {
            mail.ca_pem = Some(read_pem(&path)?);
        }
        Ok(Some(mail))
    }
}

fn words(settings: &AlertSettings) -> String {
    let AlertSettings { reminders, pace, local_webhooks, .. } = settings;
    let before = |days: &[u16]| match days {
        [] => "never".to_owned(),
        days => format!("{} days before", days.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")),
    };
    let own = reminders.thresholds.iter().map(|(dimension, percent)| format!(", {dimension} from {percent}%"));
    format!(
        "A license ends: {}\nMaintenance ends: {}\nAn evaluation ends: {}\nLimits are near from {DEFAULT_THRESHOLD}%{}\n\
         Told after {} seconds, told to be over after {} seconds\nWebhooks may {}lead to this machine\n",
        before(&reminders.expiry_days),
        before(&reminders.maintenance_days),
        before(&reminders.evaluation_days),
        own.collect::<String>(),
        pace.settle,
        pace.calm,
        if *local_webhooks { "" } else { "not " },
    )
}

fn server_in_words(shown: &ShownSettings) -> String {
    let Some(mail) = &shown.settings.mail else { return "No mail server is set: no mail is sent.\n".to_owned() };
    let user = match (&mail.user, shown.has_password) {
        (None, _) => "without a user".to_owned(),
        (Some(user), true) => format!("as {user}, whose password is known"),
        (Some(user), false) => format!("as {user}, whose password is not set"),
    };
    format!(
        "Mails from {} go to {} on port {} ({}), {user}.\n",
        mail.sender,
        mail.host,
        mail.port(),
        mail.security.name()
    )
}
