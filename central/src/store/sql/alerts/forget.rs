//! What goes: what is too old, and what belonged to removed channels.

use jiff::{SignedDuration, Timestamp};

use crate::store::Stored;
use crate::store::sql::session::{Session, params};

/// For how long messages are kept, with what became of them.
const MESSAGES: SignedDuration = SignedDuration::from_hours(24 * 90);
/// For how long it is kept that something is over, or has happened.
const CONCERNS: SignedDuration = SignedDuration::from_hours(24 * 400);
/// For how long it is kept who was told of a matter that is over.
const TELLINGS: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Forgets a batch of each. Gives whether there may be more.
pub(super) fn batch(session: &dyn Session, now: Timestamp, most: u32) -> Stored<bool> {
    let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
    let messages = session.execute(
        "DELETE FROM alert_deliveries WHERE message IN
            (SELECT id FROM alert_messages WHERE made_at < ?1 AND open IS NULL ORDER BY made_at, id LIMIT ?2)",
        params![before(MESSAGES), most],
    )?;
    let gone = session.execute(
        "DELETE FROM alert_messages WHERE id IN
            (SELECT id FROM alert_messages WHERE made_at < ?1 AND open IS NULL ORDER BY made_at, id LIMIT ?2)",
        params![before(MESSAGES), most],
    )?;
    let concerns = over(session, before(CONCERNS), most)?;
    let tellings = session.rows(
        "SELECT application, code, subject, channel FROM alert_tellings
         WHERE told_at < ?1 AND told IS NULL AND due_at IS NULL ORDER BY told_at LIMIT ?2",
        params![before(TELLINGS), most],
        |row| Ok([row.text("application")?, row.text("code")?, row.text("subject")?, row.text("channel")?]),
    )?;
    for key in &tellings {
        forget_telling(session, key)?;
    }
    let of_channel = removed(session, most)?;
    let full = |count: usize| count >= most as usize;
    Ok(full(messages as usize) || full(gone as usize) || full(concerns) || full(tellings.len()) || of_channel)
}

/// Forgets concerns that ended before a time.
fn over(session: &dyn Session, before: Timestamp, most: u32) -> Stored<usize> {
    let old = session.rows(
        "SELECT application, code, subject, began_at FROM concerns
         WHERE ended_at < ?1 AND ended_at IS NOT NULL AND to_follow IS NULL
         ORDER BY ended_at, application, code, subject, began_at LIMIT ?2",
        params![before, most],
        |row| Ok((row.text("application")?, row.text("code")?, row.text("subject")?, row.time("began_at")?)),
    )?;
    for (application, code, subject, began_at) in &old {
        session.run(
            "DELETE FROM concerns WHERE application = ?1 AND code = ?2 AND subject = ?3 AND began_at = ?4",
            params![application, code, subject, *began_at],
        )?;
    }
    Ok(old.len())
}

fn forget_telling(session: &dyn Session, [application, code, subject, channel]: &[String; 4]) -> Stored<()> {
    session.run(
        "DELETE FROM alert_tellings WHERE application = ?1 AND code = ?2 AND subject = ?3 AND channel = ?4",
        params![application, code, subject, channel],
    )
}

/// Forgets a batch of what is kept of a removed channel, and the channel at last.
fn removed(session: &dyn Session, most: u32) -> Stored<bool> {
    let removed =
        session.row("SELECT id FROM alert_channels WHERE removed_at IS NOT NULL LIMIT 1", &[], |row| row.text("id"))?;
    let Some(id) = removed else { return Ok(false) };
    let told = session.rows(
        "SELECT application, code, subject FROM alert_tellings WHERE channel = ?1
         ORDER BY application, code, subject LIMIT ?2",
        params![&id, most],
        |row| Ok([row.text("application")?, row.text("code")?, row.text("subject")?, id.clone()]),
    )?;
    for key in &told {
        forget_telling(session, key)?;
    }
    if told.len() >= most as usize {
        return Ok(true);
    }
    let messages = session.rows(
        "SELECT id FROM alert_messages WHERE channel = ?1 ORDER BY made_at, id LIMIT ?2",
        params![&id, most],
        |row| row.text("id"),
    )?;
    for message in &messages {
        session.run("DELETE FROM alert_deliveries WHERE message = ?1", params![message])?;
        session.run("DELETE FROM alert_messages WHERE id = ?1", params![message])?;
    }
    if messages.is_empty() {
        session.run("DELETE FROM alert_channels WHERE id = ?1", params![&id])?;
    }
    Ok(true)
}
