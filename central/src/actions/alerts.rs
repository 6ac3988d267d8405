//! Alerts: who is told of what, what is known already, and what holds for all of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use seatline_delivery::webhook::{NoWebhookSecret, WebhookSecret, shown_url};
use seatline_web::secret::random;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::central::{ActionError, Central};
use crate::domain::Actor;
use crate::domain::alerts::MatterKey;
use crate::domain::alerts::acknowledgement::{Acknowledgement, check_why};
use crate::domain::alerts::channel::{Channel, ChannelConfig, Target};
use crate::domain::alerts::settings::{AlertSettings, check_text};
use crate::domain::ids::{ChannelId, MessageId};
use crate::postman::{self, Tested, WebhookSecrets, lock_password};
use crate::store::alerts::KeptChannel;

/// The longest time for which something is acknowledged whatever it comes to.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// The most matters that are acknowledged at once: two pages of the list.
pub const MAX_AT_ONCE: usize = 100;

/// The settings as they may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ShownSettings {
    /// The settings.
    #[serde(flatten)]
    pub settings: AlertSettings,
    /// Whether a password of the mail server's user is known.
    pub has_password: bool,
}

/// A channel that was made, and the secret that its calls are signed with: it is shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MadeChannel {
    /// The channel.
    #[serde(flatten)]
    pub channel: Channel,
    /// The secret of a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Zeroizing<String>>,
}

/// Which matter is acknowledged, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Which.
    pub matter: MatterKey,
    /// Why nothing needs to be told.
    pub why: String,
    /// Until when, whatever it comes to; absent for until it changes.
    pub until: Option<Timestamp>,
}

/// Which matters are acknowledged at once, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeveralKnown {
    /// Which, at most [`MAX_AT_ONCE`].
    pub alerts: Vec<MatterKey>,
    /// Why nothing needs to be told; may be absent.
    #[serde(default)]
    pub why: String,
    /// Until when, whatever they come to; absent for until each changes.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// What came of acknowledging several matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AcknowledgedSeveral {
    /// Those that are acknowledged.
    pub acknowledged: Vec<Acknowledgement>,
    /// Those that are not open, or not any more.
    pub not_open: Vec<MatterKey>,
}

impl Central {
    /// What holds for all alerts.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn alert_settings(&self) -> Result<ShownSettings, ActionError> {
        let kept = self.store().alert_settings().await?;
        Ok(ShownSettings { has_password: kept.sealed.is_some(), settings: kept.settings })
    }

    /// Sets what holds for all alerts. Without a `password` the one that is known stays, as long as it is for the same
    /// user of the same server; an empty one is forgotten. What waits for the mail server is tried again at once.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that is broken.
    pub async fn set_alert_settings(
        &self,
        actor: &Actor,
        settings: &AlertSettings,
        password: Option<&str>,
    ) -> Result<ShownSettings, ActionError> {
        settings.check().map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        let before = self.store().alert_settings().await?;
        let sealed = match (password, &settings.mail, &before.settings.mail) {
            (Some(""), ..) | (_, None, _) => None,
            (Some(password), Some(mail), _) => {
                check_text(password).map_err(|rule| ActionError::invalid("password", rule))?;
                if mail.user.is_none() {
                    return Err(ActionError::invalid("password", "it belongs to somebody: name the user too"));
                }
                Some(lock_password(self, password)?)
            }
            // Whoever changes the server alone must not be able to have the password sent to it.
            (None, Some(mail), Some(known)) if mail.takes_password_of(known) => before.sealed,
            (None, ..) => None,
        };
        let act = self.act(actor)?;
        self.store().set_alert_settings(&act, settings, sealed.as_deref()).await?;
        self.store().hurry_deliveries(None, act.at).await?;
        self.alert_settings().await
    }

    /// The channel of an id.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn channel(&self, id: &ChannelId) -> Result<KeptChannel, ActionError> {
        self.store().channel(id).await?.ok_or(ActionError::NotFound("channel"))
    }

    /// Adds a channel; what is open is told to it soon. The calls of a webhook are signed with `secret`, or with a new
    /// one.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that is broken.
    pub async fn add_channel(
        &self,
        actor: &Actor,
        mut config: ChannelConfig,
        secret: Option<&str>,
    ) -> Result<MadeChannel, ActionError> {
        config.check().map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        let act = self.act(actor)?;
        let id = ChannelId::from_random(random()?);
        let (to, url) = config.to.shown();
        config.to = to;
        let (sealed, secret) = match url {
            None => (None, None),
            Some(url) => {
                let secret = match secret {
                    Some(text) => {
                        text.parse().map_err(|error: NoWebhookSecret| ActionError::invalid("secret", error))?
                    }
                    None => generate()?,
                };
                let secret = secret.to_text();
                let sealed = WebhookSecrets { url: Zeroizing::new(url), secret: secret.clone() }.lock(self, &id)?;
                (Some(sealed), Some(secret))
            }
        };
        let channel = Channel { id, created_at: act.at, config };
        self.store().add_channel(&act, &channel, sealed.as_deref()).await?;
        Ok(MadeChannel { channel, secret })
    }

    /// Changes a channel from what it is in `kept`. A webhook whose URL is given as it is shown keeps its whole URL; its
    /// secret stays, unless it cannot be opened any more ([`crate::postman::LostSecret`]).
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none; [`ActionError::Invalid`] with the rule that is broken; a conflict
    /// where somebody else has changed it since.
    pub async fn change_channel(
        &self,
        actor: &Actor,
        kept: &KeptChannel,
        mut config: ChannelConfig,
    ) -> Result<Channel, ActionError> {
        let id = &kept.channel.id;
        if config.to.kind() != kept.channel.config.to.kind() {
            return Err(ActionError::invalid("kind", "it stays: add another channel"));
        }
        let mut sealed = None;
        if let Target::Webhook { url, .. } = &mut config.to {
            let known = WebhookSecrets::unlock(self, id, kept.sealed.as_deref());
            match known {
                Ok(known) if *url == shown_url(&known.url) => url.clone_from(&known.url),
                Ok(known) => {
                    let secrets = WebhookSecrets { url: Zeroizing::new(url.clone()), secret: known.secret };
                    sealed = Some(secrets.lock(self, id)?);
                }
                // What cannot be opened any more is set again: the URL as it is given now, with a secret that nobody
                // knows yet.
                Err(_) => {
                    let secrets = WebhookSecrets { url: Zeroizing::new(url.clone()), secret: generate()?.to_text() };
                    sealed = Some(secrets.lock(self, id)?);
                }
            }
        }
        config.check().map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        config.to = config.to.shown().0;
        let act = self.act(actor)?;
        self.store().change_channel(&act, kept, &config, sealed.as_deref()).await?;
        self.store().hurry_deliveries(Some(id), act.at).await?;
        Ok(self.channel(id).await?.channel)
    }

    /// Puts another secret in the place of a webhook's, and gives it: it is shown this once. The next call is signed
    /// with it.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none; [`ActionError::Invalid`] where it is no webhook; a conflict where
    /// somebody else changed it at the same moment.
    pub async fn rotate_channel(&self, actor: &Actor, id: &ChannelId) -> Result<Zeroizing<String>, ActionError> {
        let kept = self.channel(id).await?;
        if kept.channel.config.to.kind() != "webhook" {
            return Err(ActionError::invalid("channel", "only a webhook has a secret"));
        }
        let known = WebhookSecrets::unlock(self, id, kept.sealed.as_deref());
        let known = known.map_err(|failed| ActionError::invalid("channel", failed.message))?;
        let secret = generate()?.to_text();
        let sealed = WebhookSecrets { url: known.url, secret: secret.clone() }.lock(self, id)?;
        let act = self.act(actor)?;
        self.store().rotate_channel(&act, &kept, &sealed).await?;
        self.store().hurry_deliveries(Some(id), act.at).await?;
        Ok(secret)
    }

    /// Removes a channel; what waits for it is given up.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn remove_channel(&self, actor: &Actor, id: &ChannelId) -> Result<(), ActionError> {
        Ok(self.store().remove_channel(&self.act(actor)?, id).await?)
    }

    /// Sends a test to every place of a channel, and gives what the other side said (`s7`).
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn test_channel(&self, id: &ChannelId) -> Result<Vec<Tested>, ActionError> {
        let kept = self.channel(id).await?;
        Ok(postman::test(self, &kept.channel, &MessageId::from_random(random()?)).await?)
    }

    /// Notes that somebody knows of what is open: nothing is told of it until it changes, or until a time.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where it is not open; [`ActionError::Invalid`] with the rule that is broken.
    pub async fn acknowledge(&self, actor: &Actor, known: &Known) -> Result<Acknowledgement, ActionError> {
        let act = self.act(actor)?;
        let why = known.why.trim();
        check_why(why).map_err(|rule| ActionError::invalid("why", rule))?;
        let last = act.at.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
        if known.until.is_some_and(|until| until <= act.at || until > last) {
            return Err(ActionError::invalid("until", "a time that is to come, within a year"));
        }
        Ok(self.store().acknowledge(&act, &known.matter, why, known.until).await?)
    }

    /// As [`Self::acknowledge`], for several matters: each by itself, with an entry of its own in the audit log. What
    /// is not open any more stands in the answer, and hinders nothing else.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that is broken: then nothing is acknowledged.
    pub async fn acknowledge_several(
        &self,
        actor: &Actor,
        known: SeveralKnown,
    ) -> Result<AcknowledgedSeveral, ActionError> {
        let SeveralKnown { alerts, why, until } = known;
        if alerts.is_empty() || alerts.len() > MAX_AT_ONCE {
            return Err(ActionError::invalid("alerts", format!("from one to {MAX_AT_ONCE} at once")));
        }
        let mut several = AcknowledgedSeveral::default();
        for matter in BTreeSet::from_iter(alerts) {
            let known = Known { matter: matter.clone(), why: why.clone(), until };
            match self.acknowledge(actor, &known).await {
                Ok(acknowledgement) => several.acknowledged.push(acknowledgement),
                Err(ActionError::NotFound(_)) => several.not_open.push(matter),
                Err(error) => return Err(error),
            }
        }
        Ok(several)
    }

    /// Takes an acknowledgement back: what is open is told again where it was not.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn withdraw(&self, actor: &Actor, matter: &MatterKey) -> Result<(), ActionError> {
        Ok(self.store().withdraw(&self.act(actor)?, matter).await?)
    }
}

fn generate() -> Result<WebhookSecret, ActionError> {
    WebhookSecret::generate().map_err(|error| ActionError::invalid("secret", error))
}
