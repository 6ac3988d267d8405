//! What each channel is to hear of what has changed: the rule is the domain's ([`telling::due`]), here it meets the
//! rows.

use jiff::Timestamp;

use super::{channels, settings};
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::domain::alerts::telling::{self, Due, Heard, Open, Pace, Standing};
use crate::domain::alerts::{MatterKey, is_event};
use crate::domain::{Gravity, Labels};
use crate::store::Stored;
use crate::store::alerts::KeptChannel;
use crate::store::sql::fleet::labels_of;
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;

/// How a matter stands, with what else decides who wants to hear of it.
struct Matter {
    key: MatterKey,
    standing: Standing,
    gravity: Gravity,
    staging: bool,
}

/// Whether anything has changed that is not followed.
pub(super) fn is_behind(session: &dyn Session) -> Stored<bool> {
    session.exists("SELECT application FROM concerns WHERE to_follow IS NOT NULL LIMIT 1", &[])
}

/// Follows the next concerns that have changed.
pub(super) fn changed(session: &dyn Session, now: Timestamp, most: u32) -> Stored<bool> {
    let changed = session.rows(
        "SELECT application, code, subject, began_at FROM concerns WHERE to_follow IS NOT NULL
         ORDER BY application, code, subject, began_at LIMIT ?1 FOR UPDATE",
        params![most],
        |row| Ok((place_of(row)?, row.number::<i64>("began_at")?, key(row))),
    )?;
    let (channels, pace) = (channels::hearing(session, now)?, settings::current(session)?.settings.pace);
    let is_full = changed.len() >= most as usize;
    let mut last: Option<[String; 3]> = None;
    for (place, began_at, key) in changed {
        if last.as_ref() != Some(&place) {
            let told = key.and_then(|key| tell_of(session, &key, &channels, pace, now));
            set_aside::ALERTS.unless_read(session, &place[0], told, now)?;
        }
        let [application, code, subject] = &place;
        session.run(
            "UPDATE concerns SET to_follow = NULL
             WHERE application = ?1 AND code = ?2 AND subject = ?3 AND began_at = ?4",
            params![application, code, subject, began_at],
        )?;
        last = Some(place);
    }
    Ok(is_full)
}

/// Looks through the next concerns that are open, for the first channel that is new or changed.
pub(super) fn walk(session: &dyn Session, now: Timestamp, most: u32) -> Stored<bool> {
    let hearing = channels::hearing(session, now)?;
    let Some(channel) = hearing.into_iter().find(|channel| channel.is_walked) else { return Ok(false) };
    let id = channel.channel.id.clone();
    let walked = session.row(
        "SELECT walked FROM alert_channels WHERE id = ?1 AND walked IS NOT NULL FOR UPDATE",
        params![id.as_str()],
        |row| row.text("walked"),
    )?;
    let Some(walked) = walked else { return Ok(true) };
    let from = place(&walked);
    let open = session.rows(
        "SELECT application, code, subject, gravity, began_at FROM concerns
         WHERE ended_at IS NULL AND (gravity, began_at, application, code, subject) > (?1, ?2, ?3, ?4, ?5)
         ORDER BY gravity, began_at, application, code, subject LIMIT ?6",
        params![from.0, from.1, &from.2, &from.3, &from.4, most],
        |row| Ok((place_of(row)?, row.number::<i64>("gravity")?, row.number::<i64>("began_at")?, key(row))),
    )?;
    let (only, pace) = ([channel], settings::current(session)?.settings.pace);
    let is_full = open.len() >= most as usize;
    let mut last = None;
    for (place, gravity, began_at, key) in open {
        let told = key.and_then(|key| tell_of(session, &key, &only, pace, now));
        set_aside::ALERTS.unless_read(session, &place[0], told, now)?;
        last = Some(format!("{gravity} {began_at} {}", place.join(" ")));
    }
    let last = last.filter(|_| is_full);
    if last.is_none() {
        set_aside::CHANNELS.end(session, id.as_str())?;
    }
    session.run("UPDATE alert_channels SET walked = ?2 WHERE id = ?1", params![id.as_str(), last.as_deref()])?;
    Ok(true)
}

/// The place that a walk has come to.
fn place(text: &str) -> (i64, i64, String, String, String) {
    let mut parts = text.splitn(5, ' ');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or_default();
    let (gravity, began_at) = (number(), number());
    let mut part = || parts.next().unwrap_or_default().to_owned();
    (gravity, began_at, part(), part(), part())
}

/// Where a concern stands, as it is stored.
pub(super) fn place_of(row: &Row<'_>) -> Stored<[String; 3]> {
    Ok([row.text("application")?, row.text("code")?, row.text("subject")?])
}

/// Keeps for each of `channels` what it is to hear of a matter, as it stands now.
fn tell_of(session: &dyn Session, key: &MatterKey, channels: &[KeptChannel], pace: Pace, now: Timestamp) -> Stored<()> {
    newest(session, key)?.map_or(Ok(()), |matter| tell(session, &matter, channels, pace, now))
}

pub(super) fn key(row: &Row<'_>) -> Stored<MatterKey> {
    Ok(MatterKey { application: row.parsed("application")?, code: row.text("code")?, subject: row.text("subject")? })
}

/// How a matter stands now: its spell that began last.
fn newest(session: &dyn Session, key: &MatterKey) -> Stored<Option<Matter>> {
    session.row(
        "SELECT began_at, ended_at, changed_at, step, gravity, staging FROM concerns
         WHERE application = ?1 AND code = ?2 AND subject = ?3 ORDER BY began_at DESC LIMIT 1",
        params![key.application.as_str(), &key.code, &key.subject],
        |row| {
            let gravity = row.gravity("gravity")?;
            let standing = match row.time_option("ended_at")? {
                Some(at) if is_event(&key.code) => Standing::Happened(gravity, at),
                Some(at) => Standing::Over(at),
                None => Standing::Open(Open {
                    began_at: row.time("began_at")?,
                    changed_at: row.time("changed_at")?,
                    step: row.step("step")?,
                    gravity,
                }),
            };
            Ok(Matter { key: key.clone(), standing, gravity, staging: row.flag("staging")? })
        },
    )
}

/// Keeps for each of `channels` what it is to hear of a matter.
fn tell(session: &dyn Session, matter: &Matter, channels: &[KeptChannel], pace: Pace, now: Timestamp) -> Stored<()> {
    let known = acknowledgement(session, &matter.key)?;
    let open = match &matter.standing {
        Standing::Open(open) => Some(open),
        _ => None,
    };
    let (known, stale) = match known {
        Some(known) if known.holds(open, now) => (Some(known), false),
        known => (None, known.is_some()),
    };
    if stale {
        forget_acknowledgement(session, &matter.key)?;
    }
    let mut labels: Option<Labels> = None;
    for KeptChannel { channel, .. } in channels {
        let scope = &channel.config.scope;
        let heard = heard(session, channel.id.as_str(), &matter.key)?;
        let is_sorted = !scope.groups.is_empty() || !scope.tags.is_empty();
        if is_sorted && labels.is_none() {
            labels = Some(labels_of(session, &matter.key.application)?.unwrap_or_default());
        }
        let none = Labels::default();
        let wants = scope.wants(&matter.key.code, matter.gravity, matter.staging, labels.as_ref().unwrap_or(&none));
        let state = heard.unwrap_or_default();
        // Who was told that something began is told how it goes on, whatever he wants by now.
        let due = match wants || state.told.is_some() {
            true => telling::due(&matter.standing, &state, known.as_ref(), pace),
            false => None,
        };
        keep(session, channel.id.as_str(), &matter.key, heard.as_ref(), due.as_ref())?;
    }
    Ok(())
}

/// What a channel has heard of a matter; none where there is no row.
pub(super) fn heard(session: &dyn Session, channel: &str, key: &MatterKey) -> Stored<Option<Heard>> {
    session.row(
        "SELECT told, told_gravity, told_at, swings FROM alert_tellings
         WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
        params![key.application.as_str(), &key.code, &key.subject, channel],
        read_heard,
    )
}

/// What a row of tellings says of what was heard.
pub(super) fn read_heard(row: &Row<'_>) -> Stored<Heard> {
    let told = row.step_option("told")?.zip(row.gravity_option("told_gravity")?);
    Ok(Heard { told, at: row.time_option("told_at")?, swings: row.number("swings")? })
}

fn keep(session: &dyn Session, channel: &str, key: &MatterKey, heard: Option<&Heard>, due: Option<&Due>) -> Stored<()> {
    let MatterKey { application, code, subject } = key;
    match (heard, due) {
        (None, None) => Ok(()),
        (Some(Heard { told: None, at: None, .. }), None) => session.run(
            "DELETE FROM alert_tellings WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
            params![application.as_str(), code, subject, channel],
        ),
        (Some(_), None) => session.run(
            "UPDATE alert_tellings SET news = NULL, step = NULL, gravity = NULL, due_at = NULL
             WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
            params![application.as_str(), code, subject, channel],
        ),
        (_, Some(due)) => session.run(
            "INSERT INTO alert_tellings (channel, application, code, subject, swings, news, step, gravity, due_at)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8)
             ON CONFLICT (application, code, subject, channel) DO UPDATE SET
                news = excluded.news, step = excluded.step, gravity = excluded.gravity, due_at = excluded.due_at",
            params![
                channel,
                application.as_str(),
                code,
                subject,
                due.news.name(),
                &String::from(due.step),
                due.gravity.rank(),
                due.at,
            ],
        ),
    }
}

/// The acknowledgement of a matter.
pub(super) fn acknowledgement(session: &dyn Session, key: &MatterKey) -> Stored<Option<Acknowledgement>> {
    session.row(
        "SELECT by_whom, at, why, until, step, gravity, began_at FROM alert_acknowledgements
         WHERE application = ?1 AND code = ?2 AND subject = ?3",
        params![key.application.as_str(), &key.code, &key.subject],
        |row| {
            Ok(Acknowledgement {
                matter: key.clone(),
                by: row.text("by_whom")?,
                at: row.time("at")?,
                why: row.text("why")?,
                until: row.time_option("until")?,
                step: row.step("step")?,
                gravity: row.gravity("gravity")?,
                began_at: row.time("began_at")?,
            })
        },
    )
}

/// Forgets the acknowledgement of a matter. Gives whether there was one.
pub(super) fn forget_acknowledgement(session: &dyn Session, key: &MatterKey) -> Stored<bool> {
    let gone = session.execute(
        "DELETE FROM alert_acknowledgements WHERE application = ?1 AND code = ?2 AND subject = ?3",
        params![key.application.as_str(), &key.code, &key.subject],
    )?;
    Ok(gone > 0)
}

/// Follows one matter, which somebody has acknowledged or not any more.
pub(super) fn again(session: &dyn Session, key: &MatterKey, now: Timestamp) -> Stored<()> {
    let pace = settings::current(session)?.settings.pace;
    tell_of(session, key, &channels::hearing(session, now)?, pace, now)
}
