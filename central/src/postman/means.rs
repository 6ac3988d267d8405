//! The means of a channel: its mail server, or its URL and secret, opened when something is handed over and not before.

use seatline_delivery::post::Failed;
use seatline_delivery::smtp::{Credentials, MailServer};
use seatline_delivery::webhook::{Caller, WebhookSecret};
use seatline_delivery::{MailAddress, Trust};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::TIME_LIMIT;
use crate::central::Central;
use crate::domain::alerts::channel::{Channel, Target};
use crate::domain::ids::ChannelId;
use crate::secrets::{lock, unlock};
use crate::store::Stored;
use crate::store::alerts::KeptSettings;

/// For what the password of the mail server is encrypted.
const MAIL: &str = "mail-server";

/// For what the secrets of a channel are encrypted.
fn channel_place(id: &ChannelId) -> String {
    format!("channel/{id}")
}

/// What is needed to reach the places of a channel.
#[derive(Clone)]
pub(super) enum Means {
    /// A mail server, and from whom the mails are.
    Mail {
        /// The server.
        server: MailServer,
        /// From whom.
        sender: MailAddress,
    },
    /// A webhook.
    Webhook {
        /// The whole URL.
        url: String,
        /// What calls are signed with.
        secret: WebhookSecret,
        /// Who calls.
        caller: Caller,
    },
}

/// What is secret of a webhook.
#[derive(Serialize, Deserialize)]
pub struct WebhookSecrets {
    /// The whole URL.
    pub url: Zeroizing<String>,
    /// What calls are signed with.
    pub secret: Zeroizing<String>,
}

impl WebhookSecrets {
    /// Encrypts them for a channel.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn lock(&self, central: &Central, id: &ChannelId) -> Result<String, getrandom::Error> {
        let text = Zeroizing::new(serde_json::to_string(self).unwrap_or_default());
        lock(central.keys(), &channel_place(id), &text)
    }

    /// Those of a channel.
    pub fn unlock(central: &Central, id: &ChannelId, sealed: Option<&str>) -> Result<Self, Failed> {
        let unreadable = |why: &str| Failed::new("webhook-secret", why);
        let sealed = sealed.ok_or_else(|| unreadable("The webhook has no secret: make a new one."))?;
        let text =
            unlock(central.keys(), &channel_place(id), sealed).map_err(|error| unreadable(&error.to_string()))?;
        serde_json::from_str(&text).map_err(|_| unreadable("The stored secret cannot be read: set the URL again."))
    }
}

/// Encrypts the password of the mail server.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn lock_password(central: &Central, password: &str) -> Result<String, getrandom::Error> {
    lock(central.keys(), MAIL, password)
}

/// Whether the password of the mail server, if there is one, can be opened with this server's key.
pub(super) fn opens_password(central: &Central, kept: &KeptSettings) -> bool {
    kept.sealed.as_ref().is_none_or(|sealed| unlock(central.keys(), MAIL, sealed).is_ok())
}

impl Means {
    /// Those of a channel; what is wrong with them, where nothing can be handed over.
    pub(super) async fn of(central: &Central, channel: &Channel) -> Stored<Result<Self, Failed>> {
        let kept = central.store().alert_settings().await?;
        Ok(match &channel.config.to {
            Target::Mail { .. } => Self::of_mail(central, &kept),
            Target::Webhook { ca_pem, .. } => {
                let sealed = central.store().channel(&channel.id).await?.and_then(|kept| kept.sealed);
                let secrets = WebhookSecrets::unlock(central, &channel.id, sealed.as_deref());
                secrets.and_then(|secrets| {
                    let trust = trust(ca_pem.as_deref(), "webhook-ca")?;
                    let secret = secrets.secret.parse::<WebhookSecret>();
                    let secret = secret.map_err(|error| Failed::new("webhook-secret", &error.to_string()))?;
                    let caller = match kept.settings.local_webhooks {
                        true => Caller::new(&trust, TIME_LIMIT),
                        false => Caller::outward(&trust, TIME_LIMIT),
                    };
                    Ok(Self::Webhook { url: secrets.url.to_string(), secret, caller })
                })
            }
        })
    }

    fn of_mail(central: &Central, kept: &KeptSettings) -> Result<Self, Failed> {
        let no_server = "No mail server is set: an administrator sets it under Administration, Alerts.";
        let mail = kept.settings.mail.as_ref().ok_or_else(|| Failed::new("mail-not-set", no_server))?;
        let credentials = match (&mail.user, &kept.sealed) {
            (None, _) => None,
            (Some(user), Some(sealed)) => {
                let password = unlock(central.keys(), MAIL, sealed);
                let password = password.map_err(|error| Failed::new("mail-password", &error.to_string()))?;
                Some(Credentials { user: user.clone(), password })
            }
            (Some(user), None) => {
                let message = format!("The password of the user {user} of the mail server is not set.");
                return Err(Failed::new("mail-password", &message));
            }
        };
        let server = MailServer {
            host: mail.host.clone(),
            port: mail.port(),
            security: mail.security,
            credentials,
            trust: trust(mail.ca_pem.as_deref(), "mail-ca")?,
            time_limit: TIME_LIMIT,
        };
        Ok(Self::Mail { server, sender: mail.sender.clone() })
    }
}

fn trust(pem: Option<&str>, code: &str) -> Result<Trust, Failed> {
    match pem {
        None => Ok(Trust::System),
        Some(pem) => Trust::of_pem(pem.as_bytes())
            .map_err(|reason| Failed::new(code, &format!("The text of the certificates {reason}."))),
    }
}
