//! Links and invites on SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use seatline_protocol::{KeyId, LinkId};

use super::applications::choose;
use super::chain::gaps;
use super::row::{json, name_of, named, parsed, parsed_option, sequence_option, time, time_option, to_json};
use super::{SqliteStore, StoreError, Stored};
use crate::domain::{ApplicationId, Chain, InviteRecord, Link, LinkSettings, LinkState, Redeemed, Redemption};
use crate::store::{Cursor, Links, Page, PageSize};

#[async_trait]
impl Links for SqliteStore {
    async fn add_invite(&self, invite: &InviteRecord) -> Stored<()> {
        let invite = invite.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO invites (secret, id, application, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    invite.secret.hex(),
                    invite.id.as_str(),
                    invite.application.as_ref().map(ApplicationId::as_str),
                    invite.created_at.as_millisecond(),
                    invite.expires_at.as_millisecond(),
                ])?;
            Ok(())
        })
        .await
    }

    async fn redeem(&self, redemption: &Redemption) -> Stored<Redeemed> {
        let (asked, redemption) = (redemption.clone(), redemption.clone());
        // Anybody may ask, and a product that waits asks again and again: only a new link is a write.
        match self.read(move |connection| find(connection, &asked)).await? {
            Found::Answer(answer) => Ok(answer),
            Found::Unused(_) => self.write(move |connection| redeem(connection, &redemption)).await,
        }
    }

    async fn link(&self, id: &LinkId) -> Stored<Option<Link>> {
        let id = id.clone();
        self.read(move |connection| by_id(connection, &id)).await
    }

    async fn link_of_key(&self, key: &KeyId) -> Stored<Option<Link>> {
        let key = key.to_string();
        self.read(move |connection| by_key(connection, &key)).await
    }

    async fn links(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Link>> {
        let (before, id) = match after {
            Some(cursor) => cursor
                .place()
                .and_then(|place| place.split_once(' '))
                .and_then(|(millis, id)| Some((millis.parse::<i64>().ok()?, id.to_owned())))
                .ok_or(StoreError::Cursor)?,
            None => (i64::MAX, String::new()),
        };
        self.read(move |connection| {
            let query = "SELECT * FROM links WHERE created_at < ?1 OR (created_at = ?1 AND id < ?2)
                         ORDER BY created_at DESC, id DESC LIMIT ?3";
            let links = select(connection, query, params![before, id, size.rows_and_one()])?;
            Ok(Page::cut(links, size, |link| format!("{} {}", link.created_at.as_millisecond(), link.id)))
        })
        .await
    }

    async fn links_of(&self, application: &ApplicationId) -> Stored<Vec<Link>> {
        let application = application.clone();
        self.read(move |connection| {
            let query = "SELECT * FROM links WHERE application = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2";
            select(connection, query, params![application.as_str(), PageSize::MAX])
        })
        .await
    }

    async fn approve_link(&self, link: &LinkId, application: &ApplicationId, now: Timestamp) -> Stored<()> {
        let (id, application) = (link.clone(), application.clone());
        self.write(move |connection| {
            let link = by_id(connection, &id)?.ok_or(StoreError::Missing("link"))?;
            if link.application.is_some_and(|other| other != application) {
                return Err(StoreError::Conflict("another application that this link belongs to"));
            }
            connection
                .prepare_cached(
                    "UPDATE links SET state = ?2, application = ?3, approved_at = COALESCE(approved_at, ?4)
                     WHERE id = ?1",
                )?
                .execute(params![
                    id.as_str(),
                    LinkState::Approved.name(),
                    application.as_str(),
                    now.as_millisecond()
                ])?;
            choose(connection, &application, Some(&id))
        })
        .await
    }

    async fn set_link_state(&self, link: &LinkId, state: LinkState) -> Stored<()> {
        let id = link.clone();
        self.write(move |connection| {
            let link = by_id(connection, &id)?.ok_or(StoreError::Missing("link"))?;
            if link.approved_at.is_none() {
                return Err(StoreError::Conflict("a decision to be made: the link was never approved"));
            }
            connection
                .prepare_cached("UPDATE links SET state = ?2 WHERE id = ?1")?
                .execute([id.as_str(), state.name()])?;
            Ok(())
        })
        .await
    }

    async fn set_link_settings(&self, link: &LinkId, settings: &LinkSettings) -> Stored<()> {
        let (id, settings) = (link.clone(), settings.clone());
        self.write(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE links SET settings_revision = ?2, settings_changed_at = ?3, sync_interval = ?4,
                            dormancy_days = ?5, counting = ?6
                     WHERE id = ?1 AND settings_revision = ?2 - 1",
                )?
                .execute(params![
                    id.as_str(),
                    settings.revision,
                    settings.changed_at.as_millisecond(),
                    settings.interval,
                    settings.dormancy_days,
                    name_of(&settings.counting)?,
                ])?;
            match (changed, by_id(connection, &id)?) {
                (0, None) => Err(StoreError::Missing("link")),
                (0, Some(_)) => Err(StoreError::Conflict("a newer change of these settings")),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// What an invite is good for at the moment.
enum Found {
    /// Nothing new: it was used, or cannot be.
    Answer(Redeemed),
    /// A link, for the application that it was made for, if for one.
    Unused(Option<ApplicationId>),
}

fn find(connection: &Connection, redemption: &Redemption) -> Stored<Found> {
    let mut query = connection.prepare_cached("SELECT application, expires_at, link FROM invites WHERE secret = ?1")?;
    let invite = query.query_row([redemption.secret.hex()], |row| {
        let application: Option<ApplicationId> = parsed_option(row, "application")?;
        Ok((application, time(row, "expires_at")?, parsed_option::<LinkId>(row, "link")?))
    });
    let Some((application, expires_at, used_by)) = invite.optional()? else {
        return Ok(Found::Answer(Redeemed::Unknown));
    };
    if let Some(id) = used_by {
        let link = by_id(connection, &id)?.filter(|link| link.key == redemption.key);
        return Ok(Found::Answer(link.map_or(Redeemed::Unknown, |link| Redeemed::Link(Box::new(link)))));
    }
    if expires_at <= redemption.now {
        return Ok(Found::Answer(Redeemed::Expired));
    }
    if by_key(connection, &redemption.key.id().to_string())?.is_some() {
        return Ok(Found::Answer(Redeemed::KeyInUse));
    }
    Ok(Found::Unused(application))
}

fn redeem(connection: &Connection, redemption: &Redemption) -> Stored<Redeemed> {
    let application = match find(connection, redemption)? {
        Found::Answer(answer) => return Ok(answer),
        Found::Unused(application) => application,
    };
    let link = new_link(redemption, application);
    insert(connection, &link)?;
    if let Some(application) = &link.application {
        choose(connection, application, Some(&link.id))?;
    }
    connection
        .prepare_cached("UPDATE invites SET link = ?2 WHERE secret = ?1")?
        .execute([redemption.secret.hex().as_str(), link.id.as_str()])?;
    Ok(Redeemed::Link(Box::new(link)))
}

fn new_link(redemption: &Redemption, application: Option<ApplicationId>) -> Link {
    let approved = application.is_some();
    Link {
        id: redemption.link.clone(),
        application,
        key: redemption.key.clone(),
        state: if approved { LinkState::Approved } else { LinkState::Pending },
        product: redemption.product.clone(),
        created_at: redemption.now,
        approved_at: approved.then_some(redemption.now),
        settings: LinkSettings::initial(redemption.now),
        chain: Chain::default(),
    }
}

fn insert(connection: &Connection, link: &Link) -> Stored<()> {
    connection
        .prepare_cached(
            "INSERT INTO links (id, application, public_key, key_id, state, product, created_at, approved_at,
                                settings_revision, settings_changed_at, sync_interval, dormancy_days, counting,
                                stored, forks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0)",
        )?
        .execute(params![
            link.id.as_str(),
            link.application.as_ref().map(ApplicationId::as_str),
            link.key.to_string(),
            link.key.id().to_string(),
            link.state.name(),
            to_json(&link.product)?,
            link.created_at.as_millisecond(),
            link.approved_at.map(Timestamp::as_millisecond),
            link.settings.revision,
            link.settings.changed_at.as_millisecond(),
            link.settings.interval,
            link.settings.dormancy_days,
            name_of(&link.settings.counting)?,
        ])?;
    Ok(())
}

pub(super) fn by_id(connection: &Connection, id: &LinkId) -> Stored<Option<Link>> {
    Ok(select(connection, "SELECT * FROM links WHERE id = ?1", [id.as_str()])?.pop())
}

fn by_key(connection: &Connection, key_id: &str) -> Stored<Option<Link>> {
    Ok(select(connection, "SELECT * FROM links WHERE key_id = ?1", [key_id])?.pop())
}

/// The links that a query gives, each with its gaps.
fn select(connection: &Connection, query: &str, params: impl Params) -> Stored<Vec<Link>> {
    let mut query = connection.prepare_cached(query)?;
    let mut links = query.query_map(params, link)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for link in links.iter_mut().filter(|link| link.chain.missing() > 0) {
        link.chain.gaps = gaps(connection, &link.id)?;
    }
    Ok(links)
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        id: parsed(row, "id")?,
        application: parsed_option(row, "application")?,
        key: parsed(row, "public_key")?,
        state: named(row, "state")?,
        product: json(row, "product")?,
        created_at: time(row, "created_at")?,
        approved_at: time_option(row, "approved_at")?,
        settings: settings(row)?,
        chain: Chain {
            head: sequence_option(row, "head")?,
            stored: row.get("stored")?,
            gaps: Vec::new(),
            forks: row.get("forks")?,
            forked_at: time_option(row, "forked_at")?,
        },
    })
}

/// The settings of a link, in a row that has their columns.
pub(super) fn settings(row: &Row<'_>) -> rusqlite::Result<LinkSettings> {
    Ok(LinkSettings {
        revision: row.get("settings_revision")?,
        changed_at: time(row, "settings_changed_at")?,
        interval: row.get("sync_interval")?,
        dormancy_days: row.get("dormancy_days")?,
        counting: named(row, "counting")?,
    })
}
