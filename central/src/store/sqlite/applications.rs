//! Applications on SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use seatline_protocol::LinkId;

use super::row::{named_option, parsed, parsed_option, time, time_option};
use super::{SqliteStore, StoreError, Stored};
use crate::domain::{Application, ApplicationId, ApplicationRow, LatestSummary};
use crate::store::{Applications, Cursor, Page, PageSize};

#[async_trait]
impl Applications for SqliteStore {
    async fn add_application(&self, application: &Application) -> Stored<()> {
        let application = application.clone();
        self.write(move |connection| {
            let added = connection
                .prepare_cached(
                    "INSERT INTO applications (id, name, name_key, product, url, created_at, link)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name_key) DO NOTHING",
                )?
                .execute(params![
                    application.id.as_str(),
                    application.name.as_str(),
                    application.name.key(),
                    application.product.as_str(),
                    application.url,
                    application.created_at.as_millisecond(),
                    application.link.as_ref().map(LinkId::as_str),
                ])?;
            if added == 0 { Err(StoreError::Conflict("an application with this name")) } else { Ok(()) }
        })
        .await
    }

    async fn application(&self, id: &ApplicationId) -> Stored<Option<Application>> {
        let id = id.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM applications WHERE id = ?1")?;
            Ok(query.query_row([id.as_str()], application).optional()?)
        })
        .await
    }

    async fn application_named(&self, name: &str) -> Stored<Option<Application>> {
        let key = name.trim().to_lowercase();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM applications WHERE name_key = ?1")?;
            Ok(query.query_row([key], application).optional()?)
        })
        .await
    }

    async fn applications(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ApplicationRow>> {
        let after = after.map(|cursor| cursor.place().ok_or(StoreError::Cursor)).transpose()?.map(str::to_owned);
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT applications.*, links.state AS link_state, latest.observed_at, latest.received_at,
                        latest.failure, latest.verdict, latest.users, latest.users_max
                 FROM applications
                 LEFT JOIN links ON links.id = applications.link
                 LEFT JOIN latest ON latest.link = applications.link
                 WHERE name_key > ?1 ORDER BY name_key LIMIT ?2",
            )?;
            let rows = query
                .query_map(params![after.unwrap_or_default(), size.rows_and_one()], application_row)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(Page::cut(rows, size, |row| row.application.name.key()))
        })
        .await
    }

    async fn choose_link(&self, id: &ApplicationId, link: Option<&LinkId>) -> Stored<()> {
        let (id, link) = (id.clone(), link.cloned());
        self.write(move |connection| {
            if let Some(link) = &link {
                let mut query = connection.prepare_cached("SELECT 1 FROM links WHERE id = ?1 AND application = ?2")?;
                if !query.exists([link.as_str(), id.as_str()])? {
                    return Err(StoreError::Missing("link of this application"));
                }
            }
            choose(connection, &id, link.as_ref())
        })
        .await
    }
}

/// Sets the link that an application shows.
pub(super) fn choose(connection: &Connection, id: &ApplicationId, link: Option<&LinkId>) -> Stored<()> {
    let chosen = connection
        .prepare_cached("UPDATE applications SET link = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), link.map(LinkId::as_str)])?;
    if chosen == 0 { Err(StoreError::Missing("application")) } else { Ok(()) }
}

fn application(row: &Row<'_>) -> rusqlite::Result<Application> {
    Ok(Application {
        id: parsed(row, "id")?,
        name: parsed(row, "name")?,
        product: parsed(row, "product")?,
        url: row.get("url")?,
        created_at: time(row, "created_at")?,
        link: parsed_option(row, "link")?,
    })
}

fn application_row(row: &Row<'_>) -> rusqlite::Result<ApplicationRow> {
    let latest = match time_option(row, "received_at")? {
        Some(received_at) => Some(LatestSummary {
            observed_at: time(row, "observed_at")?,
            received_at,
            failure: row.get("failure")?,
            verdict: named_option(row, "verdict")?,
            users: row.get("users")?,
            users_max: row.get("users_max")?,
        }),
        None => None,
    };
    Ok(ApplicationRow { application: application(row)?, link_state: named_option(row, "link_state")?, latest })
}
