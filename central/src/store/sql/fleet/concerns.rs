//! When concerns begin, come to another step, and end: what alerts are made of.

use jiff::Timestamp;

use crate::domain::fleet::FleetRow;
use crate::domain::{ApplicationId, Concern, Gravity};
use crate::store::fleet::{ChangedConcern, Spell};
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};
use crate::store::{Cursor, Page, PageSize, StoreError, Stored};

/// A concern that lasts.
#[derive(Debug, Clone)]
pub(super) struct Open {
    code: String,
    subject: String,
    step: String,
    gravity: i64,
}

/// Ends what calls for attention of an application.
pub(super) fn end_all(session: &dyn Session, id: &ApplicationId, now: Timestamp) -> Stored<()> {
    let open = open(session, id)?;
    count(session, &open, &[])?;
    session.run(
        "UPDATE concerns SET ended_at = ?2, changed_at = ?2, to_follow = 1 WHERE application = ?1 AND ended_at IS NULL",
        params![id.as_str(), now],
    )
}

/// Has the channels look again at what is open of an application: it is sorted otherwise than before.
pub(super) fn follow_again(session: &dyn Session, id: &ApplicationId) -> Stored<()> {
    session.run("UPDATE concerns SET to_follow = 1 WHERE application = ?1 AND ended_at IS NULL", params![id.as_str()])
}

/// What calls for attention of an application, as it was noted last.
pub(super) fn open(session: &dyn Session, application: &ApplicationId) -> Stored<Vec<Open>> {
    session.rows(
        "SELECT code, subject, step, gravity FROM concerns WHERE application = ?1 AND ended_at IS NULL",
        params![application.as_str()],
        |row| {
            let (code, subject) = (row.text("code")?, row.text("subject")?);
            Ok(Open { code, subject, step: row.text("step")?, gravity: row.number("gravity")? })
        },
    )
}

/// Keeps how many concerns are open, by gravity.
fn count(session: &dyn Session, before: &[Open], after: &[Concern]) -> Stored<()> {
    for gravity in Gravity::ALL {
        let rank = gravity.rank();
        let old = before.iter().filter(|open| open.gravity == rank).count();
        let new = after.iter().filter(|concern| concern.gravity == gravity).count();
        if old != new {
            let change = i64::try_from(new).unwrap_or_default() - i64::try_from(old).unwrap_or_default();
            session.run(
                "INSERT INTO alert_totals (gravity, open) VALUES (?1, ?2)
                 ON CONFLICT (gravity) DO UPDATE SET open = alert_totals.open + excluded.open",
                params![rank, change],
            )?;
        }
    }
    Ok(())
}

/// Notes what has happened since the last review and does not last: it begins and ends at once.
pub(super) fn happened(session: &dyn Session, before: &FleetRow, row: &FleetRow, now: Timestamp) -> Stored<()> {
    let (Some(old), Some(new)) = (&before.assessment.seen, &row.assessment.seen) else { return Ok(()) };
    if before.link != row.link {
        return Ok(());
    }
    for event in new.news_since(old) {
        session.run(
            "INSERT INTO concerns (application, code, subject, began_at, ended_at, step, gravity, since, message,
                                   staging, changed_at, to_follow)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, NULL, ?7, ?8, ?4, 1)
             ON CONFLICT (application, code, subject, began_at) DO NOTHING",
            params![
                row.application.as_str(),
                &event.code,
                &event.subject,
                now,
                &String::from(event.step),
                event.gravity.rank(),
                &event.message,
                row.assessment.staging,
            ],
        )?;
    }
    Ok(())
}

/// Notes what has changed since the last review, when `open` was noted.
pub(super) fn keep(session: &dyn Session, row: &FleetRow, open: &[Open], now: Timestamp) -> Stored<()> {
    let application = &row.application;
    count(session, open, &row.assessment.concerns)?;
    let same = |one: &Open, other: &Concern| one.code == other.code && one.subject == other.subject;
    let concerns = &row.assessment.concerns;
    for over in open.iter().filter(|open| !concerns.iter().any(|concern| same(open, concern))) {
        session.run(
            "UPDATE concerns SET ended_at = ?4, changed_at = ?4, to_follow = 1
             WHERE application = ?1 AND code = ?2 AND subject = ?3 AND ended_at IS NULL",
            params![application.as_str(), &over.code, &over.subject, now],
        )?;
    }
    for concern in concerns {
        let step = String::from(concern.step);
        match open.iter().find(|open| same(open, concern)) {
            Some(open) if open.step == step && open.gravity == concern.gravity.rank() => {}
            Some(_) => session.run(
                "UPDATE concerns SET step = ?4, gravity = ?5, since = ?6, message = ?7, staging = ?8, changed_at = ?9,
                                     to_follow = 1
                 WHERE application = ?1 AND code = ?2 AND subject = ?3 AND ended_at IS NULL",
                params![
                    application.as_str(),
                    &concern.code,
                    &concern.subject,
                    &step,
                    concern.gravity.rank(),
                    concern.since,
                    &concern.message,
                    row.assessment.staging,
                    now,
                ],
            )?,
            None => session.run(
                "INSERT INTO concerns (application, code, subject, began_at, ended_at, step, gravity, since, message,
                                       staging, changed_at, to_follow)
                 VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6, ?7, ?8, ?9, ?4, 1)
                 ON CONFLICT (application, code, subject, began_at) DO UPDATE SET
                    to_follow = 1, ended_at = NULL, step = excluded.step, gravity = excluded.gravity, message = excluded.message",
                params![
                    application.as_str(),
                    &concern.code,
                    &concern.subject,
                    now,
                    &step,
                    concern.gravity.rank(),
                    concern.since,
                    &concern.message,
                    row.assessment.staging,
                ],
            )?,
        }
    }
    Ok(())
}

/// The place after which a page begins: a time, and the key of a row that changed or began then.
#[derive(Debug, Clone)]
pub(super) struct Place(Timestamp, String, String, String, Timestamp);

/// The place of a cursor.
pub(super) fn place(after: Option<&Cursor>) -> Stored<Option<Place>> {
    let Some(after) = after else { return Ok(None) };
    let parsed = || {
        let mut parts = after.place()?.splitn(5, ' ');
        let (at, began) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (application, code, subject) = (parts.next()?, parts.next()?, parts.next()?);
        let time = |millis| Timestamp::from_millisecond(millis).ok();
        Some(Place(time(at)?, application.to_owned(), code.to_owned(), subject.to_owned(), time(began)?))
    };
    parsed().map(Some).ok_or(StoreError::Cursor)
}

/// The concerns of an application, the one that began last first.
pub(super) fn of(
    session: &dyn Session,
    id: &ApplicationId,
    after: Option<Place>,
    size: PageSize,
) -> Stored<Page<Spell>> {
    let Place(before, _, code, subject, _) =
        after.unwrap_or_else(|| Place(Timestamp::MAX, String::new(), String::new(), String::new(), Timestamp::MAX));
    let spells = session.rows(
        "SELECT code, subject, began_at, ended_at, step, gravity, since, message FROM concerns
         WHERE application = ?1 AND (began_at < ?2 OR (began_at = ?2 AND (code > ?3 OR (code = ?3 AND subject > ?4))))
         ORDER BY began_at DESC, code, subject LIMIT ?5",
        params![id.as_str(), before, &code, &subject, size.rows_and_one()],
        spell,
    )?;
    Ok(Page::cut(spells, size, |spell| {
        let (at, concern) = (spell.began_at.as_millisecond(), &spell.concern);
        format!("{at} {at} {id} {} {}", concern.code, concern.subject)
    }))
}

/// The concerns that changed after a place, the earliest first.
pub(super) fn changed(session: &dyn Session, after: Option<Place>, size: PageSize) -> Stored<Page<ChangedConcern>> {
    let Place(at, application, code, subject, began) = after.unwrap_or_else(|| {
        Place(Timestamp::UNIX_EPOCH, String::new(), String::new(), String::new(), Timestamp::UNIX_EPOCH)
    });
    let changed = session.rows(
        "SELECT application, code, subject, began_at, ended_at, step, gravity, since, message, staging, changed_at
         FROM concerns WHERE (changed_at, application, code, subject, began_at) > (?1, ?2, ?3, ?4, ?5)
         ORDER BY changed_at, application, code, subject, began_at LIMIT ?6",
        params![at, &application, &code, &subject, began, size.rows_and_one()],
        |row| {
            Ok(ChangedConcern {
                application: row.parsed("application")?,
                staging: row.flag("staging")?,
                changed_at: row.time("changed_at")?,
                spell: spell(row)?,
            })
        },
    )?;
    Ok(Page::cut(changed, size, ChangedConcern::place))
}

fn spell(row: &Row<'_>) -> Stored<Spell> {
    Ok(Spell {
        concern: Concern {
            code: row.text("code")?,
            subject: row.text("subject")?,
            step: row.step("step")?,
            gravity: row.gravity("gravity")?,
            since: row.time_option("since")?,
            message: row.text("message")?,
        },
        began_at: row.time("began_at")?,
        ended_at: row.time_option("ended_at")?,
    })
}
