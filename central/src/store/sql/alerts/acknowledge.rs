//! Who knows of what.

use jiff::Timestamp;

use super::{follow, object_of_matter};
use crate::domain::alerts::MatterKey;
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::domain::{Changed, Record};
use crate::store::sql::session::{Session, params};
use crate::store::{StoreError, Stored};

pub(super) fn acknowledge(
    session: &dyn Session,
    matter: &MatterKey,
    (by, why): (&str, &str),
    until: Option<Timestamp>,
    at: Timestamp,
) -> Stored<Changed<Acknowledgement>> {
    if !matter.can_be() {
        return Err(StoreError::Missing("open alert"));
    }
    let open = session.row(
        "SELECT step, gravity, began_at FROM concerns
         WHERE application = ?1 AND code = ?2 AND subject = ?3 AND ended_at IS NULL ORDER BY began_at DESC LIMIT 1
         FOR UPDATE",
        params![matter.application.as_str(), &matter.code, &matter.subject],
        |row| Ok((row.step("step")?, row.gravity("gravity")?, row.time("began_at")?)),
    )?;
    let (step, gravity, began_at) = open.ok_or(StoreError::Missing("open alert"))?;
    let acknowledgement = Acknowledgement {
        matter: matter.clone(),
        by: by.to_owned(),
        at,
        why: why.to_owned(),
        until,
        step,
        gravity,
        began_at,
    };
    let before = follow::acknowledgement(session, matter)?;
    session.run(
        "INSERT INTO alert_acknowledgements (application, code, subject, by_whom, at, why, until, step, gravity, began_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (application, code, subject) DO UPDATE SET by_whom = excluded.by_whom, at = excluded.at,
            why = excluded.why, until = excluded.until, step = excluded.step, gravity = excluded.gravity,
            began_at = excluded.began_at",
        params![
            matter.application.as_str(),
            &matter.code,
            &matter.subject,
            by,
            at,
            why,
            until,
            &String::from(step),
            gravity.rank(),
            began_at,
        ],
    )?;
    follow::again(session, matter, at)?;
    let object = object_of_matter(session, matter)?;
    let record = match before {
        None => Record::made("alert.acknowledge", object, &acknowledgement),
        Some(before) => Record::changed("alert.acknowledge", object, &before, &acknowledgement),
    };
    Ok(Changed::new(acknowledgement, record))
}

pub(super) fn withdraw(session: &dyn Session, matter: &MatterKey, at: Timestamp) -> Stored<Changed<()>> {
    let before = if matter.can_be() { follow::acknowledgement(session, matter)? } else { None };
    let before = before.ok_or(StoreError::Missing("acknowledgement"))?;
    follow::forget_acknowledgement(session, matter)?;
    follow::again(session, matter, at)?;
    Ok(Changed::new((), Record::removed("alert.withdraw", object_of_matter(session, matter)?, &before)))
}
