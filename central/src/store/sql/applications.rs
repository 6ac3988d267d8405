//! Applications.

use async_trait::async_trait;
use seatline_protocol::LinkId;

use super::fleet::marks;
use super::row::Row;
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::{
    Act, Application, ApplicationId, ApplicationName, ApplicationRow, Changed, LatestSummary, Object, Record,
};
use crate::store::{Applications, Cursor, Page, PageSize};

#[async_trait]
impl Applications for SqlStore {
    async fn add_application(&self, act: &Act, application: &Application) -> Stored<()> {
        let application = application.clone();
        self.change(act, move |session| Ok(Changed::new((), add(session, &application)?))).await
    }

    async fn application(&self, id: &ApplicationId) -> Stored<Option<Application>> {
        let id = id.clone();
        self.read(move |session| by_id(session, &id)).await
    }

    async fn application_named(&self, name: &ApplicationName) -> Stored<Option<Application>> {
        let key = name.key();
        self.read(move |session| {
            session.row(
                "SELECT id, name, product, url, created_at, link FROM applications WHERE name_key = ?1",
                params![&key],
                application,
            )
        })
        .await
    }

    async fn applications(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ApplicationRow>> {
        let after = after.map(|cursor| cursor.place().ok_or(StoreError::Cursor)).transpose()?;
        let after = after.unwrap_or_default().to_owned();
        self.read(move |session| {
            let rows = session.rows(
                "SELECT applications.id, applications.name, applications.product, applications.url,
                        applications.created_at, applications.link, links.state AS link_state,
                        chains.observed_at, chains.received_at, latest.failure, latest.verdict, latest.users,
                        latest.users_max
                 FROM applications
                 LEFT JOIN links ON links.id = applications.link
                 LEFT JOIN chains ON chains.link = applications.link
                 LEFT JOIN latest ON latest.link = applications.link
                 WHERE name_key > ?1 ORDER BY name_key LIMIT ?2",
                params![&after, size.rows_and_one()],
                application_row,
            )?;
            Ok(Page::cut(rows, size, |row| row.application.name.key()))
        })
        .await
    }

    async fn choose_link(&self, act: &Act, id: &ApplicationId, link: Option<&LinkId>) -> Stored<()> {
        let (id, link) = (id.clone(), link.cloned());
        self.change_locking(act, link.clone().map(|link| link.to_string()), move |session| {
            if let Some(link) = &link {
                let belongs = "SELECT id FROM links WHERE id = ?1 AND application = ?2 FOR UPDATE";
                if !session.exists(belongs, params![link.as_str(), id.as_str()])? {
                    return Err(StoreError::Missing("link of this application"));
                }
            }
            let before = locked(session, &id)?;
            if before.link == link {
                return Ok(Changed::nothing(()));
            }
            choose(session, &id, link.as_ref())?;
            let after = Application { link: link.clone(), ..before.clone() };
            Ok(Changed::new((), Record::changed("application.choose-link", object(&after), &before, &after)))
        })
        .await
    }
}

/// Adds an application; gives the record of it.
pub(super) fn add(session: &dyn Session, application: &Application) -> Stored<Record> {
    let added = session.execute(
        "INSERT INTO applications (id, name, name_key, product, url, created_at, link)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name_key) DO NOTHING",
        params![
            application.id.as_str(),
            application.name.as_str(),
            &application.name.key(),
            application.product.as_str(),
            &application.url,
            application.created_at,
            application.link.as_ref().map(LinkId::as_str),
        ],
    )?;
    if added == 0 {
        return Err(StoreError::Conflict("an application with this name"));
    }
    Ok(Record::made("application.add", object(application), application))
}

/// An application, as entries of the audit log name it.
pub(super) fn object(application: &Application) -> Object {
    Object::new("application", &application.id, &application.name)
}

/// The application of an id, which nobody else changes until the commit.
pub(super) fn locked(session: &dyn Session, id: &ApplicationId) -> Stored<Application> {
    let found = session.row(
        "SELECT id, name, product, url, created_at, link FROM applications WHERE id = ?1 FOR UPDATE",
        params![id.as_str()],
        application,
    )?;
    found.ok_or(StoreError::Missing("application"))
}

/// Sets the link that an application shows.
pub(super) fn choose(session: &dyn Session, id: &ApplicationId, link: Option<&LinkId>) -> Stored<()> {
    let chosen = session
        .execute("UPDATE applications SET link = ?2 WHERE id = ?1", params![id.as_str(), link.map(LinkId::as_str)])?;
    if chosen == 0 { Err(StoreError::Missing("application")) } else { marks::application(session, id) }
}

pub(super) fn by_id(session: &dyn Session, id: &ApplicationId) -> Stored<Option<Application>> {
    session.row(
        "SELECT id, name, product, url, created_at, link FROM applications WHERE id = ?1",
        params![id.as_str()],
        application,
    )
}

pub(super) fn application(row: &Row<'_>) -> Stored<Application> {
    Ok(Application {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        product: row.parsed("product")?,
        url: row.text_option("url")?,
        created_at: row.time("created_at")?,
        link: row.parsed_option("link")?,
    })
}

fn application_row(row: &Row<'_>) -> Stored<ApplicationRow> {
    let latest = match row.time_option("received_at")? {
        Some(received_at) => Some(LatestSummary {
            observed_at: row.time("observed_at")?,
            received_at,
            failure: row.text_option("failure")?,
            verdict: row.named_option("verdict")?,
            users: row.number_option("users")?,
            users_max: row.number_option("users_max")?,
        }),
        None => None,
    };
    Ok(ApplicationRow { application: application(row)?, link_state: row.named_option("link_state")?, latest })
}
