//! Changing where notices go, and when: every field is checked, and so is the whole.

use std::collections::BTreeMap;

use seatline_delivery::smtp::{Security, check_host, is_loopback_name};
use seatline_delivery::webhook::{NoWebhookSecret, WebhookSecret, check_webhook_url, shown_url};
use seatline_delivery::{MailAddress, trust};
use seatline_host::notices::SetRemindersError;
use seatline_host::store::StoreError;
use seatline_protocol::notices::Reminders;
use seatline_protocol::{Dimension, text};
use zeroize::Zeroizing;

use super::settings::{Kept, KeptMail, KeptWebhook, WebhookFacts};
use crate::config::{MAX_WEBHOOKS, MailDefaults, NoticeDefaults};

/// The most recipients of mails.
pub const MAX_RECIPIENTS: usize = 20;
/// The most characters of a host, a user or a password.
const MAX_TEXT: usize = 255;

/// What is to be changed; what is absent stays. An empty text takes away what it names.
///
/// A password is for one user of one server: with another `host`, `port`, `security`, `user` or `ca_pem` it is forgotten,
/// unless one comes along.
#[derive(Default)]
pub struct SettingsChange {
    /// Everything about mail is as in `seatline.toml` again, before the rest.
    pub reset_mail: bool,
    /// The mail server.
    pub host: Option<String>,
    /// Its port; 0 for the usual one.
    pub port: Option<u16>,
    /// How the connection to it is encrypted.
    pub security: Option<Security>,
    /// Who we are to it.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Zeroizing<String>>,
    /// The authorities whose certificates are accepted of it, in PEM form.
    pub ca_pem: Option<String>,
    /// From whom the mails are.
    pub sender: Option<String>,
    /// Who gets them.
    pub recipients: Option<Vec<String>>,
    /// How many days before a license expires.
    pub expiry_days: Option<Vec<u16>>,
    /// How many days before maintenance ends.
    pub maintenance_days: Option<Vec<u16>>,
    /// How many days before an evaluation ends.
    pub evaluation_days: Option<Vec<u16>>,
    /// From how many hundredths of a limit on (`s4`); none for as it is usual.
    pub thresholds: BTreeMap<Dimension, Option<u8>>,
    /// For how many intervals something must have failed.
    pub patience: Option<u8>,
}

/// Why settings were not changed. Everything is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value breaks the rule of its field.
    #[error("`{field}` {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The reminders break a rule.
    #[error("{0}")]
    Reminders(String),
    /// There is a webhook with this URL.
    #[error("{0} is called already; remove that webhook first")]
    WebhookExists(String),
    /// There is no webhook of this id.
    #[error("there is no webhook `{0}`; `seatline notices settings` shows them")]
    WebhookUnknown(String),
    /// The webhook stands in the configuration.
    #[error("the webhook `{0}` stands in seatline.toml: take it out there")]
    WebhookConfigured(String),
    /// There are too many webhooks.
    #[error("there are {MAX_WEBHOOKS} webhooks, the most that are called; remove one first")]
    TooManyWebhooks,
    /// The operating system has no randomness for a secret.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[source] std::io::Error),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SettingsError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } => "notices-settings",
            Self::Reminders(_) => "reminders-invalid",
            Self::WebhookExists(_) => "webhook-exists",
            Self::WebhookUnknown(_) => "webhook-unknown",
            Self::WebhookConfigured(_) => "webhook-configured",
            Self::TooManyWebhooks => "too-many-webhooks",
            Self::Random(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

impl From<SetRemindersError> for SettingsError {
    fn from(error: SetRemindersError) -> Self {
        match error {
            SetRemindersError::Invalid(rule) => Self::Reminders(rule),
            SetRemindersError::Store(error) => Self::Store(error),
        }
    }
}

fn field(field: &'static str, rule: impl std::fmt::Display) -> SettingsError {
    SettingsError::Field { field, rule: rule.to_string() }
}

impl SettingsChange {
    /// Whether it changes where mails go.
    pub(super) fn is_about_mail(&self) -> bool {
        let Self { reset_mail, host, port, security, user, password, ca_pem, sender, recipients, .. } = self;
        *reset_mail
            || [host.is_some(), port.is_some(), security.is_some(), user.is_some(), password.is_some()].contains(&true)
            || [ca_pem.is_some(), sender.is_some(), recipients.is_some()].contains(&true)
    }

    /// Whether it changes when is told.
    pub(super) fn is_about_reminders(&self) -> bool {
        let days = [&self.expiry_days, &self.maintenance_days, &self.evaluation_days];
        days.iter().any(|days| days.is_some()) || !self.thresholds.is_empty() || self.patience.is_some()
    }

    /// The reminders with this change, if it is about them.
    pub(super) fn reminders(&self, mut reminders: Reminders) -> Option<Reminders> {
        let lists = [
            (&self.expiry_days, &mut reminders.expiry_days),
            (&self.maintenance_days, &mut reminders.maintenance_days),
            (&self.evaluation_days, &mut reminders.evaluation_days),
        ];
        for (changed, days) in lists {
            if let Some(changed) = changed {
                days.clone_from(changed);
            }
        }
        for (dimension, percent) in &self.thresholds {
            match percent {
                Some(percent) => reminders.thresholds.insert(dimension.clone(), *percent),
                None => reminders.thresholds.remove(dimension),
            };
        }
        reminders.patience = self.patience.unwrap_or(reminders.patience);
        self.is_about_reminders().then_some(reminders)
    }
}

impl Kept {
    /// Changes what is kept about mail, if the whole then keeps to its rules.
    pub fn change_mail(&mut self, change: &SettingsChange, defaults: &MailDefaults) -> Result<(), SettingsError> {
        let before = if change.reset_mail { KeptMail::default() } else { self.mail.clone() };
        let mut mail = before.clone();
        if let Some(host) = &change.host {
            if !host.is_empty() {
                check_host(host).map_err(|rule| field("host", rule))?;
            }
            mail.host = Some(host.clone());
        }
        mail.port = change.port.or(mail.port);
        mail.security = change.security.or(mail.security);
        if let Some(user) = &change.user {
            check_text("user", user)?;
            mail.user = Some(user.clone());
        }
        if let Some(pem) = &change.ca_pem {
            check_pem(pem)?;
            mail.ca_pem = Some(pem.clone());
        }
        if let Some(password) = &change.password {
            check_text("password", password)?;
            mail.password = Some(password.clone());
        } else if !mail.over(defaults).takes_password_of(&before.over(defaults)) {
            // Whoever changes the server alone must not be able to have the password sent to it.
            mail.password = None;
        }
        if let Some(sender) = &change.sender {
            let sender = (!sender.is_empty()).then(|| sender.parse().map_err(|error| field("sender", error)));
            mail.sender = sender.transpose()?;
        }
        if let Some(recipients) = &change.recipients {
            mail.recipients = Some(read_recipients(recipients)?);
        }
        let in_force = mail.over(defaults);
        let host = in_force.host.as_deref().unwrap_or("localhost");
        if in_force.security == Security::Plain && !is_loopback_name(host) {
            return Err(field("security", "may be `plain` for a mail server on this machine alone"));
        }
        if change.password.as_ref().is_some_and(|password| !password.is_empty()) && in_force.user.is_none() {
            return Err(field("password", "belongs to somebody: name the user too"));
        }
        self.mail = mail;
        Ok(())
    }

    pub fn add_webhook(
        &mut self,
        url: &str,
        secret: Option<&str>,
        ca_pem: Option<&str>,
        defaults: &NoticeDefaults,
    ) -> Result<(WebhookFacts, Zeroizing<String>), SettingsError> {
        check_webhook_url(url).map_err(|rule| field("url", format_args!("cannot be called: {rule}")))?;
        let known = defaults.webhooks.iter().map(|webhook| &webhook.url);
        if known.chain(self.webhooks.iter().map(|webhook| &webhook.url)).any(|known| known == url) {
            return Err(SettingsError::WebhookExists(shown_url(url)));
        }
        if defaults.webhooks.len() + self.webhooks.len() >= MAX_WEBHOOKS {
            return Err(SettingsError::TooManyWebhooks);
        }
        ca_pem.map(check_pem).transpose()?;
        let secret = match secret {
            Some(secret) => secret.parse().map_err(|error: NoWebhookSecret| field("secret", error))?,
            None => WebhookSecret::generate().map_err(SettingsError::Random)?,
        };
        let secret = secret.to_text();
        let ca_pem = ca_pem.filter(|pem| !pem.is_empty()).map(str::to_owned);
        self.webhooks.push(KeptWebhook { url: url.to_owned(), secret: secret.clone(), ca_pem });
        Ok((WebhookFacts::of(url, false), secret))
    }

    pub fn remove_webhook(&mut self, id: &str, defaults: &NoticeDefaults) -> Result<WebhookFacts, SettingsError> {
        let at = self.webhooks.iter().position(|webhook| WebhookFacts::of(&webhook.url, false).id == id);
        if let Some(at) = at {
            return Ok(WebhookFacts::of(&self.webhooks.remove(at).url, false));
        }
        let is_configured = defaults.webhooks.iter().any(|webhook| WebhookFacts::of(&webhook.url, true).id == id);
        let id = text::line(id, 64);
        Err(if is_configured { SettingsError::WebhookConfigured(id) } else { SettingsError::WebhookUnknown(id) })
    }
}

fn check_text(name: &'static str, text: &str) -> Result<(), SettingsError> {
    if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(field(name, format_args!("must be one line of at most {MAX_TEXT} characters")));
    }
    Ok(())
}

fn check_pem(pem: &str) -> Result<(), SettingsError> {
    if pem.is_empty() {
        return Ok(());
    }
    trust::check_pem(pem).map_err(|reason| field("ca", reason))
}

fn read_recipients(recipients: &[String]) -> Result<Vec<MailAddress>, SettingsError> {
    let mut read: Vec<MailAddress> = Vec::new();
    for recipient in recipients {
        let address = recipient.parse().map_err(|error| {
            let shown = text::line(recipient, 80);
            field("recipients", format_args!("hold `{shown}`: {error}"))
        })?;
        if !read.contains(&address) {
            read.push(address);
        }
    }
    match read.len() > MAX_RECIPIENTS {
        true => Err(field("recipients", format_args!("must be at most {MAX_RECIPIENTS}"))),
        false => Ok(read),
    }
}
