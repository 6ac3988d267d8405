//! Messages of what is due: of one channel at a time, batch by batch, so that a message of a hundred thousand alerts
//! holds nobody up. What is told is noted in the commit that puts it into the message.

use jiff::Timestamp;

use super::channels::{self, Channels};
use super::follow;
use crate::domain::alerts::message::{Content, Item};
use crate::domain::alerts::telling::{Due, News};
use crate::domain::alerts::{MatterKey, is_event};
use crate::domain::ids::{ChannelId, MessageId};
use crate::domain::{Concern, Gravity};
use crate::store::alerts::KeptChannel;
use crate::store::sql::row::{Row, to_json};
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;
use crate::store::{StoreError, Stored};

/// The message that is made.
struct Open {
    id: MessageId,
    channel: ChannelId,
    made_at: Timestamp,
    content: Content,
}

/// Something that a channel is to hear.
struct Waiting {
    key: MatterKey,
    due: Due,
    heard: crate::domain::alerts::telling::Heard,
}

/// Whether there is a message that is made, or a channel that is to hear something now.
pub(super) fn has_to(session: &dyn Session, now: Timestamp) -> Stored<bool> {
    let channels = Channels::of(session)?;
    let open =
        session.rows("SELECT channel FROM alert_messages WHERE open IS NOT NULL ORDER BY made_at", &[], |row| {
            row.text("channel")
        })?;
    if open.iter().any(|channel| channels.odd(channel).is_none()) {
        return Ok(true);
    }
    Ok(next(session, &channels.readable, now)?.is_some())
}

/// Goes on with the message that is made, or begins one.
pub(super) fn step_of(session: &dyn Session, now: Timestamp, id: &MessageId, most: u32) -> Stored<bool> {
    let channels = Channels::of(session)?;
    let mut message = match open(session, &channels, now)? {
        Some(message) => message,
        None => match begin(session, &channels.readable, now, id)? {
            Some(message) => message,
            None => return Ok(false),
        },
    };
    let Some(channel) = channels::one(session, &message.channel)? else {
        // It was removed meanwhile.
        session.run("DELETE FROM alert_messages WHERE id = ?1", params![message.id.as_str()])?;
        return Ok(true);
    };
    // What becomes due while it is made is for the next one, so that it has an end.
    let least = least(&channel, message.made_at);
    let mut left = most;
    for gravity in Gravity::ALL.into_iter().rev().filter(|gravity| *gravity >= least) {
        let waiting = waiting(session, &message.channel, gravity, message.made_at, left)?;
        left -= u32::try_from(waiting.len()).unwrap_or(left).min(left);
        for (place, one) in waiting {
            let told = one.and_then(|one| tell(session, &mut message, &one));
            if set_aside::ALERTS.unless_read(session, &place[0], told, now)?.is_none() {
                let [application, code, subject] = &place;
                session.run(
                    "UPDATE alert_tellings SET due_at = NULL
                     WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
                    params![application, code, subject, message.channel.as_str()],
                )?;
            }
        }
        if left == 0 {
            break;
        }
    }
    session.run(
        "UPDATE alert_messages SET content = ?2 WHERE id = ?1",
        params![message.id.as_str(), &to_json(&message.content)?],
    )?;
    if left > 0 {
        close(session, &message, &channel, now)?;
    }
    Ok(true)
}

/// From which gravity on a channel is told at a time, whenever its last message was made.
fn least(channel: &KeptChannel, at: Timestamp) -> Gravity {
    channel.channel.config.may_hear(None, at).unwrap_or(Gravity::Problem)
}

/// The message that is made, if there is one. One that cannot be read is not made any further, and one to a channel
/// that cannot be read waits for it.
fn open(session: &dyn Session, channels: &Channels, now: Timestamp) -> Stored<Option<Open>> {
    let open = session.rows(
        "SELECT id, channel, made_at, content FROM alert_messages WHERE open IS NOT NULL ORDER BY made_at FOR UPDATE",
        &[],
        |row| Ok((row.text("id")?, row.text("channel")?, read_open(row))),
    )?;
    let found = open.into_iter().find(|(_, channel, _)| channels.odd(channel).is_none());
    let Some((id, _, open)) = found else { return Ok(None) };
    let open = set_aside::DELIVERY.unless_read(session, &id, open, now)?;
    if open.is_none() {
        session.run("UPDATE alert_messages SET open = NULL WHERE id = ?1", params![&id])?;
    }
    Ok(open)
}

fn read_open(row: &Row<'_>) -> Stored<Open> {
    Ok(Open {
        id: row.parsed("id")?,
        channel: row.parsed("channel")?,
        made_at: row.time("made_at")?,
        content: row.json("content")?,
    })
}

/// The channel that is to hear something now and has waited the longest.
fn next(session: &dyn Session, channels: &[KeptChannel], now: Timestamp) -> Stored<Option<ChannelId>> {
    let mut found: Option<(Option<Timestamp>, ChannelId)> = None;
    for kept in channels.iter().filter(|kept| !kept.is_walked) {
        let Some(least) = kept.channel.config.may_hear(kept.spoke_at, now) else { continue };
        let is_later = found.as_ref().is_some_and(|(spoke_at, _)| *spoke_at <= kept.spoke_at);
        if is_later {
            continue;
        }
        for gravity in Gravity::ALL.into_iter().filter(|gravity| *gravity >= least) {
            let due = "SELECT application FROM alert_tellings
                       WHERE channel = ?1 AND gravity = ?2 AND due_at <= ?3 AND due_at IS NOT NULL LIMIT 1";
            if session.exists(due, params![kept.channel.id.as_str(), gravity.rank(), now])? {
                found = Some((kept.spoke_at, kept.channel.id.clone()));
                break;
            }
        }
    }
    Ok(found.map(|(_, id)| id))
}

fn begin(session: &dyn Session, channels: &[KeptChannel], now: Timestamp, id: &MessageId) -> Stored<Option<Open>> {
    let Some(channel) = next(session, channels, now)? else { return Ok(None) };
    // Of two servers that begin at once, one waits here, and finds that the channel has just spoken.
    let spoke_at = session.row(
        "SELECT spoke_at FROM alert_channels WHERE id = ?1 FOR UPDATE",
        params![channel.as_str()],
        |row| row.time_option("spoke_at"),
    )?;
    let may_hear = channels::one(session, &channel)?
        .is_some_and(|kept| kept.channel.config.may_hear(spoke_at.flatten(), now).is_some());
    if !may_hear {
        return Ok(None);
    }
    let content = Content::default();
    session.run(
        "INSERT INTO alert_messages (id, channel, made_at, open, content) VALUES (?1, ?2, ?3, 1, ?4)",
        params![id.as_str(), channel.as_str(), now, &to_json(&content)?],
    )?;
    session.run("UPDATE alert_channels SET spoke_at = ?2 WHERE id = ?1", params![channel.as_str(), now])?;
    Ok(Some(Open { id: id.clone(), channel, made_at: now, content }))
}

fn waiting(
    session: &dyn Session,
    channel: &ChannelId,
    of: Gravity,
    until: Timestamp,
    most: u32,
) -> Stored<Vec<([String; 3], Stored<Waiting>)>> {
    session.rows(
        "SELECT application, code, subject, told, told_gravity, told_at, swings, news, step, gravity, due_at
         FROM alert_tellings WHERE channel = ?1 AND gravity = ?2 AND due_at <= ?3 AND due_at IS NOT NULL
         ORDER BY due_at LIMIT ?4",
        params![channel.as_str(), of.rank(), until, most],
        |row| Ok((follow::place_of(row)?, read_waiting(row))),
    )
}

fn read_waiting(row: &Row<'_>) -> Stored<Waiting> {
    let news: News = row.named("news")?;
    let due = Due { news, at: row.time("due_at")?, step: row.step("step")?, gravity: row.gravity("gravity")? };
    Ok(Waiting { key: follow::key(row)?, due, heard: follow::read_heard(row)? })
}

/// Puts something into a message, and notes that it is told.
fn tell(session: &dyn Session, message: &mut Open, Waiting { key, due, heard }: &Waiting) -> Stored<()> {
    message.content.count(due.news, due.gravity, &key.code);
    if message.content.has_room()
        && let Some(item) = item(session, key, due)?
    {
        message.content.listed.push(item);
    }
    let heard = heard.after(due, message.made_at);
    let (told, told_gravity) = heard.told.unzip();
    session.run(
        "UPDATE alert_tellings SET told = ?5, told_gravity = ?6, told_at = ?7, swings = ?8, message = ?9,
                                   news = NULL, step = NULL, gravity = NULL, due_at = NULL
         WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
        params![
            key.application.as_str(),
            &key.code,
            &key.subject,
            message.channel.as_str(),
            told.map(String::from).as_deref(),
            told_gravity.map(Gravity::rank),
            heard.at,
            heard.swings,
            message.id.as_str(),
        ],
    )
}

/// A matter in words: as its newest spell says it, at the step that is told.
fn item(session: &dyn Session, key: &MatterKey, due: &Due) -> Stored<Option<Item>> {
    session.row(
        "SELECT concerns.began_at, concerns.ended_at, concerns.message, concerns.staging, applications.name
         FROM concerns LEFT JOIN applications ON applications.id = concerns.application
         WHERE concerns.application = ?1 AND concerns.code = ?2 AND concerns.subject = ?3
         ORDER BY concerns.began_at DESC LIMIT 1",
        params![key.application.as_str(), &key.code, &key.subject],
        |row| {
            let message = row.text("message")?;
            let concern = Concern {
                code: key.code.clone(),
                subject: key.subject.clone(),
                step: due.step,
                gravity: due.gravity,
                since: None,
                message: message.clone(),
            };
            Ok(Item {
                news: due.news,
                matter: key.clone(),
                name: row.text_option("name")?.unwrap_or_else(|| "An application that was removed".to_owned()),
                step: due.step,
                gravity: due.gravity,
                title: Item::title_of(&concern),
                message,
                began_at: row.time("began_at")?,
                ended_at: row.time_option("ended_at")?.filter(|_| !is_event(&key.code)),
                staging: row.flag("staging")?,
            })
        },
    )
}

/// Ends a message, and gives it to each place of its channel.
fn close(session: &dyn Session, message: &Open, channel: &KeptChannel, now: Timestamp) -> Stored<()> {
    if message.content.counts.is_empty() {
        // What was due is over, or somebody has acknowledged it: there is nothing to tell.
        return session.run("DELETE FROM alert_messages WHERE id = ?1", params![message.id.as_str()]);
    }
    let closed = session.execute(
        "UPDATE alert_messages SET open = NULL WHERE id = ?1 AND open IS NOT NULL",
        params![message.id.as_str()],
    )?;
    if closed == 0 {
        return Err(StoreError::Missing("message that is made"));
    }
    for place in channel.channel.config.to.places() {
        session.run(
            "INSERT INTO alert_deliveries (message, place, channel, made_at, failures, next_at)
             VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (message, place) DO NOTHING",
            params![message.id.as_str(), &place, message.channel.as_str(), message.made_at, now],
        )?;
    }
    Ok(())
}
