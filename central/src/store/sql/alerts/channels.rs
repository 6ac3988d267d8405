//! The channels.

use jiff::Timestamp;

use crate::domain::alerts::channel::{Channel, ChannelConfig, MAX_CHANNELS};
use crate::domain::ids::ChannelId;
use crate::domain::{Changed, Object, Record};
use crate::store::alerts::KeptChannel;
use crate::store::sql::row::{Row, to_json};
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;
use crate::store::{StoreError, Stored};

const NAME_TAKEN: StoreError = StoreError::Conflict("a channel of this name");

/// The columns of a channel.
macro_rules! channels {
    ($which:literal) => {
        concat!(
            "SELECT id, created_at, config, sealed, walked, spoke_at FROM alert_channels WHERE removed_at IS NULL ",
            $which
        )
    };
}

fn read(row: &Row<'_>) -> Stored<KeptChannel> {
    let config: ChannelConfig = row.json("config")?;
    Ok(KeptChannel {
        channel: Channel { id: row.parsed("id")?, created_at: row.time("created_at")?, config },
        sealed: row.text_option("sealed")?,
        spoke_at: row.time_option("spoke_at")?,
        is_walked: row.text_option("walked")?.is_some(),
    })
}

/// The channels that there are.
pub(super) struct Channels {
    /// Those that can be read, by name.
    pub(super) readable: Vec<KeptChannel>,
    /// The ids of the others, and why they cannot.
    odd: Vec<(String, StoreError)>,
}

impl Channels {
    pub(super) fn of(session: &dyn Session) -> Stored<Self> {
        let mut all = Self { readable: Vec::new(), odd: Vec::new() };
        for (id, channel) in
            session.rows(channels!("ORDER BY name_key"), &[], |row| Ok((row.text("id")?, read(row))))?
        {
            match channel {
                Ok(channel) => all.readable.push(channel),
                Err(error @ StoreError::Corrupt { .. }) => all.odd.push((id, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Why the channel of an id cannot be read, if it is there and cannot.
    pub(super) fn odd(&self, id: &str) -> Option<&StoreError> {
        self.odd.iter().find(|(odd, _)| odd == id).map(|(_, why)| why)
    }

    /// Whether there is one that cannot be read, and is to be set aside (again).
    fn has_to_set_aside(&self, session: &dyn Session, now: Timestamp) -> Stored<bool> {
        for (id, _) in &self.odd {
            if !set_aside::CHANNELS.rests(session, id, now)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The channels that can be read, by name.
pub(super) fn all(session: &dyn Session) -> Stored<Vec<KeptChannel>> {
    Channels::of(session).map(|channels| channels.readable)
}

/// The channels that can hear something, by name. The others are set aside; as they miss what changes meanwhile, what
/// is open is looked through for them once they can be read.
pub(super) fn hearing(session: &dyn Session, now: Timestamp) -> Stored<Vec<KeptChannel>> {
    let channels = Channels::of(session)?;
    for (id, error) in &channels.odd {
        set_aside::CHANNELS.note(session, id, error, now)?;
        session.run("UPDATE alert_channels SET walked = '' WHERE id = ?1", params![id])?;
    }
    Ok(channels.readable)
}

/// Whether something is to be looked through for a channel, or one is to be set aside.
pub(super) fn has_to_walk(session: &dyn Session, now: Timestamp) -> Stored<bool> {
    let channels = Channels::of(session)?;
    Ok(channels.readable.iter().any(|channel| channel.is_walked) || channels.has_to_set_aside(session, now)?)
}

pub(super) fn one(session: &dyn Session, id: &ChannelId) -> Stored<Option<KeptChannel>> {
    session.row(channels!("AND id = ?1"), params![id.as_str()], read)
}

/// A channel, before it is changed: whoever changes it at the same moment waits.
fn locked(session: &dyn Session, id: &ChannelId) -> Stored<KeptChannel> {
    session.row(channels!("AND id = ?1 FOR UPDATE"), params![id.as_str()], read)?.ok_or(StoreError::Missing("channel"))
}

/// A channel that is still as somebody has read it, before it is changed. Its secrets were made of what he has read.
fn unchanged(session: &dyn Session, read: &KeptChannel) -> Stored<Channel> {
    let kept = locked(session, &read.channel.id)?;
    match kept.is_set_as(read) {
        true => Ok(kept.channel),
        false => Err(StoreError::Conflict("a newer change of this channel")),
    }
}

fn object(channel: &Channel) -> Object {
    Object::new("channel", &channel.id, channel.config.name.as_str())
}

pub(super) fn add(session: &dyn Session, channel: &Channel, sealed: Option<&str>) -> Stored<Changed<()>> {
    let others = Channels::of(session)?;
    if others.readable.len() + others.odd.len() >= MAX_CHANNELS {
        return Err(StoreError::Conflict("the greatest number of channels, 50: remove one first"));
    }
    let added = session.execute(
        "INSERT INTO alert_channels (id, name_key, created_at, config, sealed, walked) VALUES (?1, ?2, ?3, ?4, ?5, '')
         ON CONFLICT (name_key) DO NOTHING",
        params![
            channel.id.as_str(),
            &channel.config.name.key(),
            channel.created_at,
            &to_json(&channel.config)?,
            sealed
        ],
    )?;
    if added == 0 {
        return Err(NAME_TAKEN);
    }
    Ok(Changed::new((), Record::made("channel.add", object(channel), channel)))
}

pub(super) fn change(
    session: &dyn Session,
    read: &KeptChannel,
    config: &ChannelConfig,
    sealed: Option<&str>,
) -> Stored<Changed<()>> {
    let before = unchanged(session, read)?;
    let id = &before.id;
    if before.config == *config && sealed.is_none() {
        return Ok(Changed::nothing(()));
    }
    let key = config.name.key();
    let others = "SELECT id FROM alert_channels WHERE name_key = ?1 AND id <> ?2";
    if session.exists(others, params![&key, id.as_str()])? {
        return Err(NAME_TAKEN);
    }
    session.run(
        "UPDATE alert_channels SET name_key = ?2, config = ?3 WHERE id = ?1",
        params![id.as_str(), &key, &to_json(config)?],
    )?;
    if let Some(sealed) = sealed {
        session.run("UPDATE alert_channels SET sealed = ?2 WHERE id = ?1", params![id.as_str(), sealed])?;
    }
    if before.config.scope != config.scope {
        session.run("UPDATE alert_channels SET walked = '' WHERE id = ?1", params![id.as_str()])?;
    }
    let record = Record::changed("channel.change", object(&before), &before.config, config);
    Ok(Changed::new((), record))
}

pub(super) fn rotate(session: &dyn Session, read: &KeptChannel, sealed: &str) -> Stored<Changed<()>> {
    let channel = unchanged(session, read)?;
    session.run("UPDATE alert_channels SET sealed = ?2 WHERE id = ?1", params![channel.id.as_str(), sealed])?;
    Ok(Changed::new((), Record::done("channel.rotate", object(&channel))))
}

pub(super) fn remove(session: &dyn Session, id: &ChannelId, now: Timestamp) -> Stored<Changed<()>> {
    let channel = locked(session, id)?.channel;
    // Its name is free for another one from now on; what is kept of it goes in batches.
    session.run(
        "UPDATE alert_channels SET removed_at = ?2, name_key = id, sealed = NULL, walked = NULL WHERE id = ?1",
        params![id.as_str(), now],
    )?;
    Ok(Changed::new((), Record::removed("channel.remove", object(&channel), &channel)))
}
