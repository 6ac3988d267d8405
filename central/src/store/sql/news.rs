//! News of links, for the products that wait.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;

use super::row::Row;
use super::session::params;
use super::{SqlStore, Stored};
use crate::store::{LinkNews, News};

#[async_trait]
impl LinkNews for SqlStore {
    async fn standing(&self, link: &LinkId) -> Stored<Option<News>> {
        let link = link.clone();
        self.read(move |session| {
            let query = "SELECT id, settings_revision, state FROM links WHERE id = ?1";
            session.row(query, params![link.as_str()], news)
        })
        .await
    }

    async fn news_since(&self, at: Timestamp, most: u32) -> Stored<Vec<News>> {
        self.read(move |session| {
            let mut found = session.rows(
                "SELECT id, settings_revision, state FROM links WHERE news_at >= ?1 ORDER BY news_at LIMIT ?2",
                params![at, most],
                news,
            )?;
            found.extend(session.rows(
                "SELECT link FROM removed_links WHERE removed_at >= ?1 ORDER BY removed_at LIMIT ?2",
                params![at, most],
                |row| Ok(News { link: row.parsed("link")?, revision: None, state: None }),
            )?);
            Ok(found)
        })
        .await
    }
}

fn news(row: &Row<'_>) -> Stored<News> {
    let (revision, state) = (row.number("settings_revision")?, row.named("state")?);
    Ok(News { link: row.parsed("id")?, revision: Some(revision), state: Some(state) })
}
