//! What holds for all alerts.

use crate::domain::alerts::settings::AlertSettings;
use crate::domain::{Changed, Object, Record};
use crate::store::Stored;
use crate::store::alerts::KeptSettings;
use crate::store::sql::row::to_json;
use crate::store::sql::session::{Session, params};

pub(super) fn current(session: &dyn Session) -> Stored<KeptSettings> {
    let kept = session.row("SELECT settings, sealed FROM alert_settings WHERE singleton = 1", &[], |row| {
        Ok(KeptSettings { settings: row.json("settings")?, sealed: row.text_option("sealed")? })
    })?;
    Ok(kept.unwrap_or_default())
}

pub(super) fn set(session: &dyn Session, settings: &AlertSettings, sealed: Option<&str>) -> Stored<Changed<()>> {
    // Whoever sets them at the same moment waits at the row, which has to be there for that.
    session.execute(
        "INSERT INTO alert_settings (singleton, settings) VALUES (1, ?1) ON CONFLICT (singleton) DO NOTHING",
        params![&to_json(&AlertSettings::default())?],
    )?;
    let before =
        session.row("SELECT settings, sealed FROM alert_settings WHERE singleton = 1 FOR UPDATE", &[], |row| {
            Ok(KeptSettings { settings: row.json("settings")?, sealed: row.text_option("sealed")? })
        })?;
    let before = before.unwrap_or_default();
    let (is_same, has_other_password) = (before.settings == *settings, before.sealed.as_deref() != sealed);
    if is_same && !has_other_password {
        return Ok(Changed::nothing(()));
    }
    session.run(
        "UPDATE alert_settings SET settings = ?1, sealed = ?2 WHERE singleton = 1",
        params![&to_json(settings)?, sealed],
    )?;
    if before.settings.reminders != settings.reminders {
        session.run("UPDATE alert_settings SET marked = '' WHERE singleton = 1", &[])?;
    }
    let object = Object::new("alert-settings", "", "Alerts");
    let record = match is_same {
        true => Record::done("alert-settings.password", object),
        false => Record::changed("alert-settings.set", object, &before.settings, settings),
    };
    Ok(Changed::new((), record))
}

/// Whether the fleet is still to be marked.
pub(super) fn is_marking(session: &dyn Session) -> Stored<bool> {
    session.exists("SELECT singleton FROM alert_settings WHERE marked IS NOT NULL", &[])
}

/// Marks the next applications to be reviewed.
pub(super) fn mark(session: &dyn Session, most: u32) -> Stored<bool> {
    let marked = session.row(
        "SELECT marked FROM alert_settings WHERE singleton = 1 AND marked IS NOT NULL FOR UPDATE",
        &[],
        |row| row.text("marked"),
    )?;
    let Some(marked) = marked else { return Ok(false) };
    let next = session.rows(
        "SELECT id FROM applications WHERE id > ?1 ORDER BY id LIMIT ?2",
        params![&marked, most],
        |row| row.text("id"),
    )?;
    for id in &next {
        session.run("UPDATE applications SET review_at = 0, marks = marks + 1 WHERE id = ?1", params![id])?;
    }
    let last = next.last().filter(|_| next.len() >= most as usize);
    session.run("UPDATE alert_settings SET marked = ?1 WHERE singleton = 1", params![last.map(String::as_str)])?;
    Ok(last.is_some())
}
