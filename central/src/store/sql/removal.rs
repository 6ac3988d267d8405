//! Removing links and applications: one short commit, after which batches of what is left are deleted.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{KeyId, LinkId};

use super::applications::{self, object};
use super::fleet::{self, marks};
use super::links::locked;
use super::row::Row;
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::{Act, Application, ApplicationId, Changed, LinkState, Object, Record, RemovedLink, WouldGo};
use crate::store::Removals;

/// How many rows a batch deletes at the most: a write holds up all others.
const BATCH: u32 = 500;

/// What is kept of a link in rows that may be many: each statement deletes a batch of them.
const MANY: [&str; 3] = [
    "DELETE FROM reports WHERE link = ?1 AND sequence IN
        (SELECT sequence FROM reports WHERE link = ?1 ORDER BY sequence LIMIT ?2)",
    "DELETE FROM history_runs WHERE link = ?1 AND sequence IN
        (SELECT sequence FROM history_runs WHERE link = ?1 ORDER BY sequence LIMIT ?2)",
    "DELETE FROM history_spans WHERE link = ?1 AND begins_at IN
        (SELECT begins_at FROM history_spans WHERE link = ?1 ORDER BY begins_at LIMIT ?2)",
];

/// What is kept of a link in rows that are few.
const FEW: [&str; 9] = [
    "DELETE FROM refused_reports WHERE link = ?1",
    "DELETE FROM repeated WHERE link = ?1",
    "DELETE FROM statements WHERE link = ?1",
    "DELETE FROM gaps WHERE link = ?1",
    "DELETE FROM latest WHERE link = ?1",
    "DELETE FROM people WHERE link = ?1",
    "DELETE FROM answers WHERE link = ?1",
    "DELETE FROM set_aside WHERE subject = ?1",
    "DELETE FROM leftovers WHERE link = ?1",
];

#[async_trait]
impl Removals for SqlStore {
    async fn goes_with_application(&self, id: &ApplicationId) -> Stored<WouldGo> {
        let id = id.clone();
        self.read(move |session| {
            let sums = "SELECT CAST(COUNT(id) AS BIGINT) AS links, CAST(COALESCE(SUM(stored), 0) AS BIGINT) AS reports
                        FROM links JOIN chains ON chains.link = links.id WHERE application = ?1";
            let gone = session.row(sums, params![id.as_str()], |row| {
                Ok(WouldGo { links: row.number("links")?, reports: row.number("reports")? })
            })?;
            Ok(gone.unwrap_or_default())
        })
        .await
    }

    async fn remove_link(&self, act: &Act, link: &LinkId) -> Stored<()> {
        let (id, now) = (link.clone(), act.at);
        self.change_locking(act, [link.as_str()], move |session| {
            let link = locked(session, &id)?;
            remove(session, &id, now)?;
            // No other application can show it.
            if let Some(application) = &link.application {
                session.run(
                    "UPDATE applications SET link = NULL WHERE id = ?1 AND link = ?2",
                    params![application.as_str(), id.as_str()],
                )?;
                marks::application(session, application)?;
            }
            Ok(Changed::new((), Record::removed("link.remove", Object::new("link", &id, &link.product.name), &link)))
        })
        .await
    }

    async fn refuse_link(&self, act: &Act, link: &LinkId) -> Stored<()> {
        let (id, now) = (link.clone(), act.at);
        self.change_locking(act, [link.as_str()], move |session| {
            let link = locked(session, &id)?;
            if link.state != LinkState::Pending {
                return Err(StoreError::Conflict("a decision on this link: it was approved"));
            }
            remove(session, &id, now)?;
            Ok(Changed::new((), Record::removed("link.refuse", Object::new("link", &id, &link.product.name), &link)))
        })
        .await
    }

    async fn remove_application(&self, act: &Act, id: &ApplicationId) -> Stored<()> {
        loop {
            let (id, now) = (id.clone(), act.at);
            let asked = id.clone();
            let links = self.read(move |session| links_of(session, &asked)).await?;
            let locked: Vec<String> = links.iter().map(LinkId::to_string).collect();
            let removed = self.change_locking(act, locked, move |session| {
                let application = applications::locked(session, &id)?;
                if links_of(session, &id)? != links {
                    return Ok(Changed::nothing(false));
                }
                links.iter().try_for_each(|link| remove(session, link, now))?;
                session.run("DELETE FROM invites WHERE application = ?1 AND link IS NULL", params![id.as_str()])?;
                fleet::forget(session, &id, now)?;
                session.run("DELETE FROM applications WHERE id = ?1", params![id.as_str()])?;
                Ok(Changed::new(true, Record::removed("application.remove", object(&application), &application)))
            });
            // Where a link came or went since they were read, others are to be locked.
            if removed.await? {
                return Ok(());
            }
        }
    }

    async fn sweep(&self) -> Stored<bool> {
        self.write(|session| {
            let query = "SELECT link FROM leftovers ORDER BY link LIMIT 1 FOR UPDATE";
            let Some(link) = session.row(query, params![], |row| row.text("link"))? else { return Ok(false) };
            for batch in MANY {
                if session.execute(batch, params![&link, BATCH])? > 0 {
                    return Ok(true);
                }
            }
            FEW.iter().try_for_each(|rest| session.run(rest, params![&link]))?;
            Ok(true)
        })
        .await
    }

    async fn removed_by_key(&self, key: &KeyId) -> Stored<Option<RemovedLink>> {
        let key = key.clone();
        self.look(move |session| removed_by(session, &key)).await
    }

    async fn removed_link(&self, link: &LinkId) -> Stored<Option<RemovedLink>> {
        let link = link.clone();
        self.read(move |session| {
            let query = "SELECT link, removed_at FROM removed_links WHERE link = ?1 ORDER BY key_id LIMIT 1";
            session.row(query, params![link.as_str()], removed)
        })
        .await
    }

    async fn change_application(&self, act: &Act, before: &Application, after: &Application) -> Stored<()> {
        let (read, application) = (before.clone(), after.clone());
        self.change(act, move |session| {
            let before = applications::locked(session, &application.id)?;
            let said = |one: &Application| (one.name.clone(), one.product.clone(), one.url.clone());
            if said(&before) != said(&read) {
                return Err(StoreError::Conflict("a newer change of this application"));
            }
            let taken = "SELECT id FROM applications WHERE name_key = ?1 AND id <> ?2";
            if session.exists(taken, params![&application.name.key(), application.id.as_str()])? {
                return Err(StoreError::Conflict("an application with this name"));
            }
            session.run(
                "UPDATE applications SET name = ?2, name_key = ?3, product = ?4, url = ?5 WHERE id = ?1",
                params![
                    application.id.as_str(),
                    application.name.as_str(),
                    &application.name.key(),
                    application.product.as_str(),
                    &application.url,
                ],
            )?;
            marks::application(session, &application.id)?;
            Ok(Changed::new((), Record::changed("application.change", object(&before), &before, &application)))
        })
        .await
    }
}

fn links_of(session: &dyn Session, application: &ApplicationId) -> Stored<Vec<LinkId>> {
    let query = "SELECT id FROM links WHERE application = ?1 ORDER BY id";
    session.rows(query, params![application.as_str()], |row| row.parsed("id"))
}

/// Removes a link: its row goes, its keys are remembered, and the rest is left to [`Removals::sweep`].
fn remove(session: &dyn Session, link: &LinkId, now: Timestamp) -> Stored<()> {
    let id = link.as_str();
    session.run(
        "INSERT INTO removed_links (key_id, link, removed_at, product, application_name)
         SELECT key_id, id, ?2, product, (SELECT name FROM applications WHERE applications.id = links.application)
         FROM links WHERE id = ?1",
        params![id, now],
    )?;
    session.run(
        "INSERT INTO removed_links (key_id, link, removed_at, product, application_name)
         SELECT link_keys.key_id, link_keys.link, ?2, links.product,
                (SELECT name FROM applications WHERE applications.id = links.application)
         FROM link_keys JOIN links ON links.id = link_keys.link WHERE link_keys.link = ?1",
        params![id, now],
    )?;
    session.run("DELETE FROM link_keys WHERE link = ?1", params![id])?;
    session.run("DELETE FROM chains WHERE link = ?1", params![id])?;
    session.run("DELETE FROM links WHERE id = ?1", params![id])?;
    session.run("INSERT INTO leftovers (link) VALUES (?1) ON CONFLICT (link) DO NOTHING", params![id])
}

/// The removed link that a key belonged to.
pub(super) fn removed_by(session: &dyn Session, key: &KeyId) -> Stored<Option<RemovedLink>> {
    let query = "SELECT link, removed_at FROM removed_links WHERE key_id = ?1";
    session.row(query, params![&key.to_string()], removed)
}

/// Whether there was a link of this id that was removed.
pub(super) fn is_removed(session: &dyn Session, link: &LinkId) -> Stored<bool> {
    session.exists("SELECT link FROM removed_links WHERE link = ?1", params![link.as_str()])
}

fn removed(row: &Row<'_>) -> Stored<RemovedLink> {
    Ok(RemovedLink { link: row.parsed("link")?, removed_at: row.time("removed_at")? })
}
