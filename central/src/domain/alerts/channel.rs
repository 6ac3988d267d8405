//! Channels: who is told of what.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use seatline_delivery::MailAddress;
use seatline_delivery::webhook::{check_webhook_url, shown_url};
use seatline_protocol::text;
use serde::{Deserialize, Serialize};

use super::quiet::QuietHours;
use super::telling::Due;
use super::{EVENTS, is_event};
use crate::domain::assessment::CODES;
use crate::domain::ids::ChannelId;
use crate::domain::labels::{GroupName, Tag};
use crate::domain::{Gravity, Labels};

/// The most channels.
pub const MAX_CHANNELS: usize = 50;
/// The most recipients of a channel for mail.
pub const MAX_RECIPIENTS: usize = 20;
/// The most groups, and the most tags, that a channel is narrowed to.
pub const MAX_LABELS: usize = 20;
/// How many messages a channel gets in an hour at the most, where nothing else is set.
pub const DEFAULT_PER_HOUR: u16 = 12;
/// The most that can be set: one each second, for programs.
pub const MAX_PER_HOUR: u16 = 3600;

seatline_protocol::checked_string!(
    /// What people call a channel.
    ChannelName,
    "a channel's name",
    "one line of 1 to 60 characters, without control characters",
    |name| !name.is_empty() && text::is_line(name, 60),
    |text| text.trim().to_owned()
);

impl ChannelName {
    /// What is the same for names that differ in the case of their letters alone.
    pub fn key(&self) -> String {
        self.as_str().to_lowercase()
    }
}

/// Who is told, and of what. What is secret is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What can be changed of it.
    #[serde(flatten)]
    pub config: ChannelConfig,
}

/// What somebody sets of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// What it is called.
    pub name: ChannelName,
    /// Where its messages go.
    pub to: Target,
    /// What it is told of.
    #[serde(default)]
    pub scope: Scope,
    /// When it is quiet.
    #[serde(default)]
    pub quiet: Option<QuietHours>,
    /// How many messages it gets in an hour at the most; what is due meanwhile comes with the next.
    #[serde(default = "default_per_hour")]
    pub per_hour: u16,
    /// Whether it is told at all.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn default_per_hour() -> u16 {
    DEFAULT_PER_HOUR
}

fn yes() -> bool {
    true
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ChannelTarget)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// By mail, over the mail server of the settings.
    Mail {
        /// To whom: each gets a mail of his own.
        recipients: Vec<MailAddress>,
    },
    /// By a signed call.
    Webhook {
        /// What is called, without what stands behind `?`, which may be a secret of the receiver's.
        url: String,
        /// The authorities whose certificates are accepted, in PEM form, instead of the system's.
        #[serde(default)]
        ca_pem: Option<String>,
    },
}

impl Target {
    /// The kind, as documents name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail",
            Self::Webhook { .. } => "webhook",
        }
    }

    /// The places that a message is handed over to, each by itself.
    pub fn places(&self) -> Vec<String> {
        match self {
            Self::Mail { recipients } => recipients.iter().map(ToString::to_string).collect(),
            Self::Webhook { url, .. } => vec![url.clone()],
        }
    }

    /// Whom mails go to; nobody where it is no mail.
    pub fn recipients(&self) -> &[MailAddress] {
        match self {
            Self::Mail { recipients } => recipients,
            Self::Webhook { .. } => &[],
        }
    }

    /// The target as it may be shown, and the whole URL of a webhook, which is kept with the secrets.
    pub fn shown(self) -> (Self, Option<String>) {
        match self {
            Self::Webhook { url, ca_pem } => (Self::Webhook { url: shown_url(&url), ca_pem }, Some(url)),
            mail => (mail, None),
        }
    }
}

/// What a channel is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ChannelScope)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// How grave something is at least; events are told whatever this says.
    pub least: Gravity,
    /// Of which codes; of all where it is empty.
    pub codes: BTreeSet<String>,
    /// Of the applications in one of these groups; of all where it is empty.
    pub groups: BTreeSet<GroupName>,
    /// Of the applications with one of these tags; of all where it is empty.
    pub tags: BTreeSet<Tag>,
    /// Whether of events: what happens at a moment and does not last.
    pub events: bool,
    /// Whether of staging instances, too.
    pub staging: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            least: Gravity::Warning,
            codes: BTreeSet::new(),
            groups: BTreeSet::new(),
            tags: BTreeSet::new(),
            events: true,
            staging: false,
        }
    }
}

impl Scope {
    /// Whether it is told of something of an application.
    pub fn wants(&self, code: &str, gravity: Gravity, staging: bool, labels: &Labels) -> bool {
        let is_grave = if is_event(code) { self.events } else { gravity >= self.least };
        is_grave
            && (self.staging || !staging)
            && (self.codes.is_empty() || self.codes.contains(code))
            && (self.groups.is_empty() || labels.group.as_ref().is_some_and(|group| self.groups.contains(group)))
            && (self.tags.is_empty() || !self.tags.is_disjoint(&labels.tags))
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(unknown) = self.codes.iter().find(|code| !CODES.contains(&code.as_str()) && !is_event(code)) {
            let known: Vec<&str> = CODES.iter().chain(&EVENTS).copied().collect();
            let unknown = text::line(unknown, 40);
            return Err(("codes", format!("there is no `{unknown}`; there are {}", known.join(", "))));
        }
        if self.groups.len() > MAX_LABELS {
            return Err(("groups", format!("at most {MAX_LABELS}")));
        }
        if self.tags.len() > MAX_LABELS {
            return Err(("tags", format!("at most {MAX_LABELS}")));
        }
        Ok(())
    }
}

impl ChannelConfig {
    /// Whether it can be kept. Whether a webhook may be called where it leads is looked at when it is called.
    ///
    /// # Errors
    /// The field that breaks a rule, and the rule.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        match &self.to {
            Target::Mail { recipients } if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS => {
                return Err(("recipients", format!("from one to {MAX_RECIPIENTS}")));
            }
            Target::Mail { recipients } => {
                let is_twice = |at: usize| recipients[..at].contains(&recipients[at]);
                if let Some(at) = (0..recipients.len()).find(|at| is_twice(*at)) {
                    return Err(("recipients", format!("{} stands there twice", recipients[at])));
                }
            }
            Target::Webhook { url, ca_pem } => {
                check_webhook_url(url).map_err(|rule| ("url", rule))?;
                let pem = ca_pem.as_deref().map(seatline_delivery::trust::check_pem);
                pem.transpose().map_err(|rule| ("ca_pem", rule))?;
            }
        }
        self.scope.check()?;
        if let Some(quiet) = &self.quiet {
            quiet.check().map_err(|rule| ("quiet", rule))?;
        }
        if !(1..=MAX_PER_HOUR).contains(&self.per_hour) {
            return Err(("per_hour", format!("from 1 to {MAX_PER_HOUR}")));
        }
        Ok(())
    }

    /// Whether it is to hear what is due, by how grave that is: from which gravity on, if at all, a message is made
    /// now. `spoke_at` is when the last one was made.
    pub fn may_hear(&self, spoke_at: Option<Timestamp>, now: Timestamp) -> Option<Gravity> {
        let apart = SignedDuration::from_secs(3600 / i64::from(self.per_hour.max(1)));
        // Since a moment that is still to come, the clock was set back: it says nothing.
        let is_too_soon = |at| (SignedDuration::ZERO..apart).contains(&now.duration_since(at));
        if !self.enabled || spoke_at.is_some_and(is_too_soon) {
            return None;
        }
        match self.quiet.as_ref().filter(|quiet| quiet.quiet_until(now).is_some()) {
            None => Some(Gravity::Note),
            Some(quiet) => quiet.pass,
        }
    }

    /// Whether something is told now, of what is due.
    pub fn is_told(&self, due: &Due, spoke_at: Option<Timestamp>, now: Timestamp) -> bool {
        due.at <= now && self.may_hear(spoke_at, now).is_some_and(|least| due.gravity >= least)
    }
}

#[cfg(test)]
mod tests;
