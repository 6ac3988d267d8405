//! Notices on their way to people and programs: where they go, what they say, and how they are delivered (`s5`, `s6`,
//! `s7`).
//!
//! The host decides what is due and keeps the book ([`seatline_host::notices`]); `seatline-delivery` speaks with mail
//! servers and receivers. What is between them is here, as plain functions of [`Notices`] that commands, pages and the
//! [service](crate::services::notifier) call.

mod body;
mod change;
mod channels;
mod letter;
mod post;
mod settings;

use seatline_host::Host;
use seatline_host::host::HostError;
use seatline_host::notices::{Book, Refused};
use seatline_host::store::{Slot, StoreError};
use seatline_protocol::Dimension;
use seatline_protocol::notices::Notice;

pub use change::{MAX_RECIPIENTS, SettingsChange, SettingsError};
pub use post::Tested;
pub use settings::{MailFacts, NoticeSettings, WebhookFacts};

use crate::config::NoticeDefaults;
use crate::instance::{Instance, adopt_licenses};
use channels::Channels;
use settings::Kept;

/// The notices of an instance.
pub struct Notices<'i> {
    instance: &'i Instance,
}

impl<'i> Notices<'i> {
    /// Those of `instance`.
    pub fn of(instance: &'i Instance) -> Self {
        Self { instance }
    }

    fn host(&self) -> &'i Host {
        &self.instance.host
    }

    fn defaults(&self) -> &'i NoticeDefaults {
        &self.instance.config.notices
    }

    /// Where notices go and when, without any secret, and what is wrong with that (`s7`).
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn settings(&self) -> Result<NoticeSettings, StoreError> {
        let (kept, reminders) = (self.kept()?, self.host().reminders()?);
        Ok(NoticeSettings::of(&kept, self.defaults(), reminders))
    }

    /// Changes the settings; a change that breaks a rule changes nothing. What waits is tried again at once.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn change(&self, change: SettingsChange) -> Result<NoticeSettings, SettingsError> {
        // The reminders are checked before anything is written, and written where they pass.
        if let Some(reminders) = change.reminders(self.host().reminders()?) {
            reminders.check().map_err(SettingsError::Reminders)?;
        }
        if change.is_about_mail() {
            self.host().change_kept(Slot::NotificationSettings, |kept: &mut Kept| {
                kept.change_mail(&change, &self.defaults().mail)
            })?;
            self.host().hurry_deliveries()?;
        }
        if change.is_about_reminders() {
            self.host().change_reminders(|reminders| {
                if let Some(changed) = change.reminders(reminders.clone()) {
                    *reminders = changed;
                }
            })?;
        }
        Ok(self.settings()?)
    }

    /// Adds a webhook, with a secret of the receiver's or a new one. Gives the secret, which is not shown again.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn add_webhook(
        &self,
        url: &str,
        secret: Option<&str>,
        ca_pem: Option<&str>,
    ) -> Result<(WebhookFacts, zeroize::Zeroizing<String>), SettingsError> {
        self.host().change_kept(Slot::NotificationSettings, |kept: &mut Kept| {
            kept.add_webhook(url, secret, ca_pem, self.defaults())
        })
    }

    /// Removes the webhook of this id. What waits for it is given up.
    ///
    /// # Errors
    /// When there is none, or it stands in `seatline.toml`.
    pub fn remove_webhook(&self, id: &str) -> Result<WebhookFacts, SettingsError> {
        self.host().change_kept(Slot::NotificationSettings, |kept: &mut Kept| kept.remove_webhook(id, self.defaults()))
    }

    /// What was told, and what became of it.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn book(&self) -> Result<Book, StoreError> {
        self.host().book_of_notices()
    }

    /// What has a limit now, if that is known: on these a threshold can be set (`s4`).
    pub fn limited(&self) -> Vec<Dimension> {
        let live = self.host().live();
        let limits = live.iter().flat_map(|live| live.standing.limits.iter().filter(|limit| limit.max.is_some()));
        limits.map(|limit| limit.dimension.clone()).collect()
    }

    /// Looks what is due, and puts it into the book to be delivered (`s5`, `s6`).
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn take(&self) -> Result<Vec<Notice>, HostError> {
        let channels = self.channels()?;
        let refused = adopt_licenses(self.host(), &self.instance.config.license).into_iter();
        let refused: Vec<Refused> =
            refused.map(|failure| Refused { code: failure.code, message: failure.message }).collect();
        let notices = self.host().take_notices(&channels.names(), &refused)?;
        for Notice { code, title, change, .. } in &notices {
            tracing::info!(code, ?change, "a notice is due: {title}");
        }
        Ok(notices)
    }

    fn kept(&self) -> Result<Kept, StoreError> {
        Ok(self.host().kept(Slot::NotificationSettings)?.unwrap_or_default())
    }

    fn channels(&self) -> Result<Channels, StoreError> {
        Ok(Channels::of(&self.kept()?, self.defaults()))
    }
}
