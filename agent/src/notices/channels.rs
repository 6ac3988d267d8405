//! The channels that notices go to, ready to be used, and what is wrong with them.

use seatline_delivery::smtp::{Credentials, MailServer, TIME_LIMIT};
use seatline_delivery::webhook::WebhookSecret;
use seatline_delivery::{MailAddress, Trust};
use seatline_host::exchange::Problem;
use seatline_protocol::text;

use super::settings::{Authority, Kept, MailInForce, Password, WebhookFacts};
use crate::config::{NoticeDefaults, SecretSource};

/// What the name of a channel for mail begins with.
pub(super) const MAIL: &str = "mail:";
/// What the name of a channel for a webhook begins with.
pub(super) const WEBHOOK: &str = "webhook:";

/// Everybody and everything that is told.
#[derive(Default)]
pub(super) struct Channels {
    pub mail: Option<MailChannel>,
    pub webhooks: Vec<WebhookChannel>,
    /// What is wrong, whether something is needed or not.
    pub problems: Vec<Problem>,
}

/// How mails are sent.
pub(super) struct MailChannel {
    /// The server; what is wrong with its settings, where no mail can be sent.
    pub server: Result<MailServer, Problem>,
    pub sender: MailAddress,
    pub recipients: Vec<MailAddress>,
}

/// How a webhook is called.
pub(super) struct WebhookChannel {
    pub facts: WebhookFacts,
    pub url: String,
    /// The secret, and whose certificates are accepted; what is wrong with them, where it cannot be called.
    pub means: Result<(WebhookSecret, Trust), Problem>,
}

impl Channels {
    pub fn of(kept: &Kept, defaults: &NoticeDefaults) -> Self {
        let mut channels = Self::default();
        let mail = kept.mail.over(&defaults.mail);
        if let Some(problem) = lack(&mail) {
            channels.problems.push(problem);
        } else if let (Some(host), Some(sender)) = (&mail.host, &mail.sender) {
            let server = server(host, &mail);
            channels.problems.extend(server.as_ref().err().cloned());
            channels.mail = Some(MailChannel { server, sender: sender.clone(), recipients: mail.recipients });
        }
        for webhook in &defaults.webhooks {
            let means = secret(&webhook.secret).and_then(|secret| {
                let trust = trust(Authority::of(None, webhook.ca_file.as_deref()), "webhook-ca-file")?;
                Ok((secret, trust))
            });
            channels.add(&webhook.url, true, means);
        }
        for webhook in &kept.webhooks {
            let secret = webhook.secret.parse::<WebhookSecret>();
            let means = secret.map_err(|error| problem("webhook-secret", &error.to_string())).and_then(|secret| {
                let trust = trust(Authority::of(webhook.ca_pem.as_deref(), None), "webhook-ca-file")?;
                Ok((secret, trust))
            });
            channels.add(&webhook.url, false, means);
        }
        channels
    }

    fn add(&mut self, url: &str, configured: bool, means: Result<(WebhookSecret, Trust), Problem>) {
        self.problems.extend(means.as_ref().err().cloned());
        self.webhooks.push(WebhookChannel { facts: WebhookFacts::of(url, configured), url: url.to_owned(), means });
    }

    /// The names of all channels, as the book has them.
    pub fn names(&self) -> Vec<String> {
        let recipients = self.mail.iter().flat_map(|mail| &mail.recipients);
        let mails = recipients.map(|recipient| format!("{MAIL}{recipient}"));
        let webhooks = self.webhooks.iter().map(|webhook| format!("{WEBHOOK}{}", webhook.facts.id));
        mails.chain(webhooks).collect()
    }
}

/// What is missing for mails to be sent, where somebody has begun to set them up.
fn lack(mail: &MailInForce<'_>) -> Option<Problem> {
    let is_begun = mail.host.is_some() || mail.sender.is_some() || !mail.recipients.is_empty();
    let missing = if mail.host.is_none() {
        "no mail server is set (`host`)"
    } else if mail.sender.is_none() {
        "no sender is set (`sender`)"
    } else if mail.recipients.is_empty() {
        "nobody is named who gets them (`recipients`)"
    } else {
        return None;
    };
    is_begun.then(|| problem("mail-incomplete", &format!("No mails are sent: {missing}.")))
}

fn server(host: &str, mail: &MailInForce<'_>) -> Result<MailServer, Problem> {
    let password = match mail.password {
        Password::None => None,
        Password::Kept(password) => Some(password.clone()),
        Password::Configured(source) => {
            Some(source.read().map_err(|error| problem("mail-password", &error.to_string()))?)
        }
    };
    let credentials = match (&mail.user, password) {
        (None, _) => None,
        (Some(user), Some(password)) => Some(Credentials { user: user.clone(), password }),
        (Some(user), None) => {
            return Err(problem("mail-password", &format!("The password of the user {user} is not set.")));
        }
    };
    Ok(MailServer {
        host: host.to_owned(),
        port: mail.port(),
        security: mail.security,
        credentials,
        trust: trust(mail.authority, "mail-ca-file")?,
        time_limit: TIME_LIMIT,
    })
}

fn trust(authority: Authority<'_>, code: &str) -> Result<Trust, Problem> {
    match authority {
        Authority::System => Ok(Trust::System),
        Authority::Kept(pem) => Trust::of_pem(pem.as_bytes()).map_err(|reason| problem(code, &reason)),
        Authority::Configured(path) => {
            Trust::of(Some(path)).map_err(|reason| problem(code, &format!("The file {} {reason}.", path.display())))
        }
    }
}

fn secret(source: &SecretSource) -> Result<WebhookSecret, Problem> {
    let text = source.read().map_err(|error| problem("webhook-secret", &error.to_string()))?;
    text.parse::<WebhookSecret>().map_err(|error| problem("webhook-secret", &error.to_string()))
}

pub(super) fn problem(code: &str, message: &str) -> Problem {
    Problem { code: code.to_owned(), message: text::line(message, 400) }
}
