//! What is open, what is over, and what was sent: each page is a range of an index, and what belongs to its rows.

use jiff::Timestamp;

use super::follow;
use crate::domain::ids::{ChannelId, MessageId};
use crate::domain::{Concern, Gravity};
use crate::store::alerts::{Alert, AlertFigures, AlertFilter, Delivery, MOST_COUNTED, Message, OpenAlerts, Telling};
use crate::store::fleet::Spell;
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};
use crate::store::{Cursor, Page, PageSize, StoreError, Stored};

/// The columns of an alert.
macro_rules! alerts {
    ($which:literal) => {
        concat!(
            "SELECT c.application, c.code, c.subject, c.began_at, c.ended_at, c.step, c.gravity, c.since, c.message, c.staging,
                    applications.name
             FROM concerns c LEFT JOIN applications ON applications.id = c.application WHERE ",
            $which
        )
    };
}

/// The place of an alert: its gravity or 0, a time, its key, and when it began.
#[derive(Debug, Clone)]
pub(super) struct Place {
    gravity: i64,
    at: Timestamp,
    application: String,
    code: String,
    subject: String,
    began_at: Timestamp,
}

impl Place {
    /// Before all others.
    fn first() -> Self {
        let (application, code, subject) = ("~".to_owned(), String::new(), String::new());
        Self { gravity: 9, at: Timestamp::MAX, application, code, subject, began_at: Timestamp::MAX }
    }

    fn of(alert: &Alert) -> String {
        let Alert { application, spell, .. } = alert;
        let Concern { code, subject, gravity, .. } = &spell.concern;
        let at = spell.ended_at.unwrap_or(spell.began_at).as_millisecond();
        format!("{} {at} {} {application} {code} {subject}", gravity.rank(), spell.began_at.as_millisecond())
    }
}

/// The place of a cursor.
pub(super) fn place(after: Option<&Cursor>) -> Stored<Option<Place>> {
    let Some(after) = after else { return Ok(None) };
    let parsed = || {
        let mut parts = after.place()?.splitn(6, ' ');
        let gravity = parts.next()?.parse().ok()?;
        let mut time = || Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok();
        let (at, began_at) = (time()?, time()?);
        let mut part = || Some(parts.next()?.to_owned());
        Some(Place { gravity, at, began_at, application: part()?, code: part()?, subject: part()? })
    };
    parsed().map(Some).ok_or(StoreError::Cursor)
}

pub(super) fn open(
    session: &dyn Session,
    filter: &AlertFilter,
    after: Option<Place>,
    size: PageSize,
) -> Stored<Page<Alert>> {
    // A gravity is the begin of either index: a page begins with the wanted one, and ends before the next.
    let least = filter.gravity.map_or(0, Gravity::rank);
    let first = Place { gravity: filter.gravity.map_or(9, Gravity::rank), ..Place::first() };
    let after = after.filter(|after| after.gravity <= first.gravity);
    let Place { gravity, at, application, code, subject, .. } = after.unwrap_or(first);
    let rows = match &filter.code {
        None => session.rows(
            alerts!(
                "c.ended_at IS NULL AND c.gravity >= ?1
                 AND (c.gravity, c.began_at, c.application, c.code, c.subject) < (?2, ?3, ?4, ?5, ?6)
                 ORDER BY c.gravity DESC, c.began_at DESC, c.application DESC, c.code DESC, c.subject DESC LIMIT ?7"
            ),
            params![least, gravity, at, &application, &code, &subject, size.rows_and_one()],
            read,
        )?,
        Some(of) => session.rows(
            alerts!(
                "c.ended_at IS NULL AND c.code = ?1 AND c.gravity >= ?2
                 AND (c.gravity, c.began_at, c.application, c.subject) < (?3, ?4, ?5, ?6)
                 ORDER BY c.gravity DESC, c.began_at DESC, c.application DESC, c.subject DESC LIMIT ?7"
            ),
            params![of, least, gravity, at, &application, &subject, size.rows_and_one()],
            read,
        )?,
    };
    whole(session, Page::cut(rows, size, Place::of))
}

/// How many rows are looked at for a page of what is over, where a gravity leaves most of them out.
const LOOKED_AT: u32 = 1000;

pub(super) fn past(
    session: &dyn Session,
    filter: &AlertFilter,
    after: Option<Place>,
    size: PageSize,
) -> Stored<Page<Alert>> {
    let Place { at, application, code, subject, began_at, .. } = after.unwrap_or_else(Place::first);
    let looked_at = if filter.gravity.is_some() { LOOKED_AT } else { size.rows_and_one() };
    let rows = match &filter.code {
        None => session.rows(
            alerts!(
                "c.ended_at IS NOT NULL
                 AND (c.ended_at, c.application, c.code, c.subject, c.began_at) < (?1, ?2, ?3, ?4, ?5)
                 ORDER BY c.ended_at DESC, c.application DESC, c.code DESC, c.subject DESC, c.began_at DESC LIMIT ?6"
            ),
            params![at, &application, &code, &subject, began_at, looked_at],
            read,
        )?,
        Some(of) => session.rows(
            alerts!(
                "c.ended_at IS NOT NULL AND c.code = ?1
                 AND (c.ended_at, c.application, c.subject, c.began_at) < (?2, ?3, ?4, ?5)
                 ORDER BY c.ended_at DESC, c.application DESC, c.subject DESC, c.began_at DESC LIMIT ?6"
            ),
            params![of, at, &application, &subject, began_at, looked_at],
            read,
        )?,
    };
    let Some(only) = filter.gravity else { return whole(session, Page::cut(rows, size, Place::of)) };
    let last = rows.last().filter(|_| rows.len() >= looked_at as usize).map(Place::of);
    let wanted: Vec<Alert> = rows.into_iter().filter(|alert| alert.spell.concern.gravity == only).collect();
    let mut page = Page::cut(wanted, size, Place::of);
    // Where a page is cut, the next one begins there; else where the looking ended.
    page.next = page.next.or(last.map(Cursor::new));
    whole(session, page)
}

/// The alerts of a page with who knows of them, and who was told.
fn whole(session: &dyn Session, mut page: Page<Alert>) -> Stored<Page<Alert>> {
    for alert in &mut page.items {
        let matter = alert.matter();
        if alert.spell.ended_at.is_none() {
            alert.acknowledged = follow::acknowledgement(session, &matter)?;
        }
        alert.told = session.rows(
            "SELECT channel, told_at, message, news, due_at FROM alert_tellings
             WHERE application = ?1 AND code = ?2 AND subject = ?3 ORDER BY channel",
            params![matter.application.as_str(), &matter.code, &matter.subject],
            |row| {
                Ok(Telling {
                    channel: row.parsed("channel")?,
                    told_at: row.time_option("told_at")?,
                    message: row.parsed_option("message")?,
                    news: row.named_option("news")?,
                    due_at: row.time_option("due_at")?,
                })
            },
        )?;
    }
    Ok(page)
}

fn read(row: &Row<'_>) -> Stored<Alert> {
    let concern = Concern {
        code: row.text("code")?,
        subject: row.text("subject")?,
        step: row.step("step")?,
        gravity: row.gravity("gravity")?,
        since: row.time_option("since")?,
        message: row.text("message")?,
    };
    Ok(Alert {
        application: row.parsed("application")?,
        name: row.text_option("name")?,
        staging: row.flag("staging")?,
        spell: Spell { concern, began_at: row.time("began_at")?, ended_at: row.time_option("ended_at")? },
        acknowledged: None,
        told: Vec::new(),
    })
}

/// The place of a message: when it was made, and its id.
pub(super) fn place_of_message(after: Option<&Cursor>) -> Stored<Option<(Timestamp, String)>> {
    let Some(after) = after else { return Ok(None) };
    let parsed = || {
        let (at, id) = after.place()?.split_once(' ')?;
        Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, id.to_owned()))
    };
    parsed().map(Some).ok_or(StoreError::Cursor)
}

pub(super) fn messages(
    session: &dyn Session,
    channel: Option<&ChannelId>,
    after: Option<(Timestamp, String)>,
    size: PageSize,
) -> Stored<Page<Message>> {
    let (before, id) = after.unwrap_or((Timestamp::MAX, String::new()));
    let read = |row: &Row<'_>| {
        Ok(Message {
            id: row.parsed("id")?,
            channel: row.parsed("channel")?,
            made_at: row.time("made_at")?,
            open: row.number_option::<i64>("open")?.is_some(),
            content: row.json("content")?,
            deliveries: Vec::new(),
        })
    };
    let rows = match channel {
        None => session.rows(
            "SELECT id, channel, made_at, open, content FROM alert_messages WHERE (made_at, id) < (?1, ?2)
             ORDER BY made_at DESC, id DESC LIMIT ?3",
            params![before, &id, size.rows_and_one()],
            read,
        )?,
        Some(channel) => session.rows(
            "SELECT id, channel, made_at, open, content FROM alert_messages
             WHERE channel = ?4 AND (made_at, id) < (?1, ?2) ORDER BY made_at DESC, id DESC LIMIT ?3",
            params![before, &id, size.rows_and_one(), channel.as_str()],
            read,
        )?,
    };
    let mut page = Page::cut(rows, size, |message| format!("{} {}", message.made_at.as_millisecond(), message.id));
    for message in &mut page.items {
        message.deliveries = deliveries(session, &message.id)?;
    }
    Ok(page)
}

fn deliveries(session: &dyn Session, message: &MessageId) -> Stored<Vec<Delivery>> {
    session.rows(
        "SELECT place, failures, next_at, code, problem, failed_at, taken_at, given_up_at FROM alert_deliveries
         WHERE message = ?1 ORDER BY place",
        params![message.as_str()],
        |row| {
            Ok(Delivery {
                place: row.text("place")?,
                failures: row.number("failures")?,
                next_at: row.time_option("next_at")?,
                code: row.text_option("code")?,
                problem: row.text_option("problem")?,
                failed_at: row.time_option("failed_at")?,
                taken_at: row.time_option("taken_at")?,
                given_up_at: row.time_option("given_up_at")?,
            })
        },
    )
}

pub(super) fn figures(session: &dyn Session) -> Stored<AlertFigures> {
    let totals = session.rows("SELECT gravity, open FROM alert_totals", &[], |row| {
        Ok((row.gravity("gravity")?, row.number::<u64>("open")?))
    })?;
    let of = |gravity: Gravity| totals.iter().find(|(known, _)| *known == gravity).map_or(0, |(_, open)| *open);
    let waiting = session.rows(
        "SELECT failures FROM alert_deliveries WHERE next_at IS NOT NULL ORDER BY made_at LIMIT ?1",
        params![MOST_COUNTED],
        |row| row.number::<u32>("failures"),
    )?;
    let oldest = session.row(
        "SELECT made_at FROM alert_deliveries WHERE next_at IS NOT NULL ORDER BY made_at LIMIT 1",
        &[],
        |row| row.time("made_at"),
    )?;
    Ok(AlertFigures {
        open: Gravity::ALL.into_iter().rev().map(|gravity| OpenAlerts { gravity, number: of(gravity) }).collect(),
        waiting: waiting.len() as u64,
        failing: waiting.iter().filter(|failures| **failures > 0).count() as u64,
        oldest,
    })
}
