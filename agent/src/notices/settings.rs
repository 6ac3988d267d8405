//! Where notices go: what an administrator has set at run time, over what `seatline.toml` says.

use std::path::Path;

use seatline_delivery::MailAddress;
use seatline_delivery::smtp::Security;
use seatline_delivery::webhook::shown_url;
use seatline_host::exchange::Problem;
use seatline_protocol::Digest;
use seatline_protocol::notices::Reminders;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::channels::Channels;
use crate::config::{MailDefaults, NoticeDefaults, SecretSource};

/// What was set at run time. What is absent is as `seatline.toml` says; an empty text says that there is none.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(default)]
    pub mail: KeptMail,
    #[serde(default)]
    pub webhooks: Vec<KeptWebhook>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct KeptMail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<MailAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<MailAddress>>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptWebhook {
    pub url: String,
    pub secret: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
}

/// The settings as they may be shown: without any secret. As JSON they are an interface.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeSettings {
    /// By mail.
    pub mail: MailFacts,
    /// By webhook.
    pub webhooks: Vec<WebhookFacts>,
    /// When.
    pub reminders: Reminders,
    /// Whether there is anybody who is told.
    pub reaches_somebody: bool,
    /// What is wrong with the settings, before they are needed (`s7`).
    pub problems: Vec<Problem>,
}

/// How mails are sent, as it may be shown.
#[derive(Debug, Clone, Serialize)]
pub struct MailFacts {
    /// The mail server.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// How the connection to it is encrypted: `starttls`, `tls` or `plain`.
    pub security: Security,
    /// Who we are to it.
    pub user: Option<String>,
    /// Whether a password is known.
    pub has_password: bool,
    /// Whether authorities of its own are accepted, instead of the system's.
    pub has_ca: bool,
    /// From whom the mails are.
    pub sender: Option<MailAddress>,
    /// Who gets them.
    pub recipients: Vec<MailAddress>,
}

/// A webhook, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookFacts {
    /// A name for it: 12 hexadecimal digits.
    pub id: String,
    /// What is called, without what stands behind `?`.
    pub url: String,
    /// Whether it stands in `seatline.toml`.
    pub configured: bool,
}

impl WebhookFacts {
    pub(super) fn of(url: &str, configured: bool) -> Self {
        let id = Digest::of(url.as_bytes()).hex()[..12].to_owned();
        Self { id, url: shown_url(url), configured }
    }
}

impl NoticeSettings {
    pub(super) fn of(kept: &Kept, defaults: &NoticeDefaults, reminders: Reminders) -> Self {
        let channels = Channels::of(kept, defaults);
        let mail = kept.mail.over(&defaults.mail);
        let configured = defaults.webhooks.iter().map(|webhook| WebhookFacts::of(&webhook.url, true));
        let set = kept.webhooks.iter().map(|webhook| WebhookFacts::of(&webhook.url, false));
        Self {
            mail: MailFacts {
                port: mail.port(),
                security: mail.security,
                has_password: !matches!(mail.password, Password::None),
                has_ca: mail.authority != Authority::System,
                host: mail.host,
                user: mail.user,
                sender: mail.sender,
                recipients: mail.recipients,
            },
            webhooks: configured.chain(set).collect(),
            reminders,
            reaches_somebody: !channels.names().is_empty(),
            problems: channels.problems,
        }
    }
}

/// The password of the mail server's user, as far as it may be used for this server and this user.
pub(super) enum Password<'k> {
    None,
    Kept(&'k Zeroizing<String>),
    Configured(&'k SecretSource),
}

/// Whose certificates are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority<'k> {
    System,
    Kept(&'k str),
    Configured(&'k Path),
}

impl<'k> Authority<'k> {
    /// What was set goes before the `file` of the configuration, also that it is the system's.
    pub fn of(kept: Option<&'k str>, file: Option<&'k Path>) -> Self {
        match (kept, file) {
            (Some(""), _) | (None, None) => Self::System,
            (Some(pem), _) => Self::Kept(pem),
            (None, Some(path)) => Self::Configured(path),
        }
    }
}

/// What is set about mail, over what `seatline.toml` says.
pub(super) struct MailInForce<'k> {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub security: Security,
    pub user: Option<String>,
    pub password: Password<'k>,
    pub authority: Authority<'k>,
    pub sender: Option<MailAddress>,
    pub recipients: Vec<MailAddress>,
}

impl MailInForce<'_> {
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.security.port())
    }

    /// Whether a password that was set for `other` may be sent to this one: it is the same user of the same server,
    /// which is reached and known in the same way. On another port, or with a certificate of another authority, it may
    /// be anybody.
    pub fn takes_password_of(&self, other: &MailInForce<'_>) -> bool {
        (&self.host, self.port(), self.security, &self.user) == (&other.host, other.port(), other.security, &other.user)
            && self.authority == other.authority
    }
}

impl KeptMail {
    pub fn over<'k>(&'k self, defaults: &'k MailDefaults) -> MailInForce<'k> {
        let mut mail = self.without_password(defaults);
        // A configured password is for the configured user of the configured server, and for nobody else.
        let is_configured = mail.takes_password_of(&Self::default().without_password(defaults));
        mail.password = match (&self.password, &defaults.password) {
            _ if mail.user.is_none() => Password::None,
            (Some(password), _) if !password.is_empty() => Password::Kept(password),
            (None, Some(source)) if is_configured => Password::Configured(source),
            _ => Password::None,
        };
        mail
    }

    fn without_password<'k>(&'k self, defaults: &'k MailDefaults) -> MailInForce<'k> {
        let filled = |kept: &Option<String>, default: &Option<String>| {
            kept.clone().or_else(|| default.clone()).filter(|text| !text.is_empty())
        };
        MailInForce {
            host: filled(&self.host, &defaults.host),
            port: self.port.or(defaults.port).filter(|port| *port > 0),
            security: self.security.or(defaults.security).unwrap_or_default(),
            user: filled(&self.user, &defaults.user),
            password: Password::None,
            authority: Authority::of(self.ca_pem.as_deref(), defaults.ca_file.as_deref()),
            sender: self.sender.clone().or_else(|| defaults.sender.clone()),
            recipients: self.recipients.clone().unwrap_or_else(|| defaults.recipients.clone()),
        }
    }
}
