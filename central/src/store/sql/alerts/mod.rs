//! Alerts: the trait by its subjects.
//!
//! | module | job |
//! |---|---|
//! | `settings` | what holds for all alerts, and the walk that marks the fleet after a change of it |
//! | `channels` | the channels |
//! | `follow` | what each channel is to hear of what has changed |
//! | `speak` | messages of what is due |
//! | `deliver` | messages on their way |
//! | `list` | what is open, what is over, what was sent |
//! | `acknowledge` | who knows of what |
//! | `forget` | what goes |

mod acknowledge;
mod channels;
mod deliver;
mod follow;
mod forget;
mod list;
mod settings;
mod speak;

use async_trait::async_trait;
use jiff::Timestamp;

use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::Act;
use crate::domain::alerts::MatterKey;
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::domain::alerts::channel::{Channel, ChannelConfig};
use crate::domain::alerts::settings::AlertSettings;
use crate::domain::ids::{ChannelId, MessageId};
use crate::store::alerts::{
    Alert, AlertFigures, AlertFilter, Alerts, KeptChannel, KeptSettings, Message, Outcome, Parcel,
};
use crate::store::{Cursor, Page, PageSize};

#[async_trait]
impl Alerts for SqlStore {
    async fn alert_settings(&self) -> Stored<KeptSettings> {
        self.read(settings::current).await
    }

    async fn set_alert_settings(&self, act: &Act, settings: &AlertSettings, sealed: Option<&str>) -> Stored<()> {
        let (settings, sealed) = (settings.clone(), sealed.map(str::to_owned));
        self.change(act, move |session| settings::set(session, &settings, sealed.as_deref())).await
    }

    async fn mark_for_reminders(&self, most: u32) -> Stored<bool> {
        if !self.read(settings::is_marking).await? {
            return Ok(false);
        }
        self.write(move |session| settings::mark(session, most)).await
    }

    async fn channels(&self) -> Stored<Vec<KeptChannel>> {
        self.read(channels::all).await
    }

    async fn channel(&self, id: &ChannelId) -> Stored<Option<KeptChannel>> {
        let id = id.clone();
        self.read(move |session| channels::one(session, &id)).await
    }

    async fn add_channel(&self, act: &Act, channel: &Channel, sealed: Option<&str>) -> Stored<()> {
        let (channel, sealed) = (channel.clone(), sealed.map(str::to_owned));
        self.change(act, move |session| channels::add(session, &channel, sealed.as_deref())).await
    }

    async fn change_channel(
        &self,
        act: &Act,
        before: &KeptChannel,
        config: &ChannelConfig,
        sealed: Option<&str>,
    ) -> Stored<()> {
        let (before, config, sealed) = (before.clone(), config.clone(), sealed.map(str::to_owned));
        self.change(act, move |session| channels::change(session, &before, &config, sealed.as_deref())).await
    }

    async fn rotate_channel(&self, act: &Act, before: &KeptChannel, sealed: &str) -> Stored<()> {
        let (before, sealed) = (before.clone(), sealed.to_owned());
        self.change(act, move |session| channels::rotate(session, &before, &sealed)).await
    }

    async fn remove_channel(&self, act: &Act, id: &ChannelId) -> Stored<()> {
        let (id, at) = (id.clone(), act.at);
        self.change(act, move |session| channels::remove(session, &id, at)).await
    }

    async fn follow(&self, now: Timestamp, most: u32) -> Stored<bool> {
        if !self.read(follow::is_behind).await? {
            return Ok(false);
        }
        self.write(move |session| follow::changed(session, now, most)).await
    }

    async fn walk(&self, now: Timestamp, most: u32) -> Stored<bool> {
        if !self.read(move |session| channels::has_to_walk(session, now)).await? {
            return Ok(false);
        }
        self.write(move |session| follow::walk(session, now, most)).await
    }

    async fn speak(&self, now: Timestamp, id: &MessageId, most: u32) -> Stored<bool> {
        if !self.read(move |session| speak::has_to(session, now)).await? {
            return Ok(false);
        }
        let id = id.clone();
        self.write(move |session| speak::step_of(session, now, &id, most)).await
    }

    async fn take_deliveries(&self, now: Timestamp, until: Timestamp, most: u32) -> Stored<Vec<Parcel>> {
        if !self.read(move |session| deliver::is_due(session, now)).await? {
            return Ok(Vec::new());
        }
        self.write(move |session| deliver::take(session, now, until, most)).await
    }

    async fn note_delivery(&self, message: &MessageId, place: &str, outcome: &Outcome, now: Timestamp) -> Stored<()> {
        let (message, place, outcome) = (message.clone(), place.to_owned(), outcome.clone());
        self.write(move |session| deliver::note(session, &message, &place, &outcome, now)).await
    }

    async fn hurry_deliveries(&self, channel: Option<&ChannelId>, now: Timestamp) -> Stored<()> {
        let channel = channel.cloned();
        self.write(move |session| deliver::hurry(session, channel.as_ref(), now)).await
    }

    async fn open_alerts(&self, filter: &AlertFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Alert>> {
        let (filter, after) = (filter.clone(), list::place(after)?);
        self.read(move |session| list::open(session, &filter, after.clone(), size)).await
    }

    async fn past_alerts(&self, filter: &AlertFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Alert>> {
        let (filter, after) = (filter.clone(), list::place(after)?);
        self.read(move |session| list::past(session, &filter, after.clone(), size)).await
    }

    async fn messages(
        &self,
        channel: Option<&ChannelId>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<Message>> {
        let (channel, after) = (channel.cloned(), list::place_of_message(after)?);
        self.read(move |session| list::messages(session, channel.as_ref(), after.clone(), size)).await
    }

    async fn alert_figures(&self) -> Stored<AlertFigures> {
        self.read(list::figures).await
    }

    async fn acknowledge(
        &self,
        act: &Act,
        matter: &MatterKey,
        why: &str,
        until: Option<Timestamp>,
    ) -> Stored<Acknowledgement> {
        let (matter, why, by, at) = (matter.clone(), why.to_owned(), act.actor.name.clone(), act.at);
        self.change(act, move |session| acknowledge::acknowledge(session, &matter, (&by, &why), until, at)).await
    }

    async fn withdraw(&self, act: &Act, matter: &MatterKey) -> Stored<()> {
        let (matter, at) = (matter.clone(), act.at);
        self.change(act, move |session| acknowledge::withdraw(session, &matter, at)).await
    }

    async fn forget_alerts(&self, now: Timestamp, most: u32) -> Stored<bool> {
        self.write(move |session| forget::batch(session, now, most)).await
    }
}

/// What a channel or a matter is called in the audit log.
fn object_of_matter(session: &dyn Session, matter: &MatterKey) -> Stored<crate::domain::Object> {
    let id = matter.application.as_str();
    let name = session.row("SELECT name FROM applications WHERE id = ?1", params![id], |row| row.text("name"))?;
    let name = name.ok_or(StoreError::Missing("application"))?;
    let what = if matter.subject.is_empty() { String::new() } else { format!(" of {}", matter.subject) };
    let id = format!("{id} {} {}", matter.code, matter.subject);
    Ok(crate::domain::Object::new("alert", id.trim_end(), format!("{name}: {}{what}", matter.code)))
}
