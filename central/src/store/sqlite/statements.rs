//! Statements of continuity on SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use seatline_protocol::LinkId;
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::RefusalCode;

use super::reports::in_force;
use super::row::{json, parsed, time, to_json};
use super::{SqliteStore, Stored};
use crate::domain::{LinkSettings, Stated, Statement};
use crate::store::Statements;

#[async_trait]
impl Statements for SqliteStore {
    async fn note(
        &self,
        link: &LinkId,
        stated: Vec<Stated>,
        now: Timestamp,
    ) -> Stored<Result<LinkSettings, RefusalCode>> {
        let link = link.clone();
        self.write(move |connection| {
            let settings = match in_force(connection, &link)? {
                Ok(settings) => settings,
                Err(code) => return Ok(Err(code)),
            };
            for stated in &stated {
                keep(connection, &link, stated, now)?;
            }
            connection
                .prepare_cached(
                    "DELETE FROM statements WHERE link = ?1 AND digest IN
                        (SELECT digest FROM statements WHERE link = ?1
                         ORDER BY received_at DESC, changed_at DESC, digest LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![link.as_str(), MAX_STATEMENTS])?;
            Ok(Ok(settings))
        })
        .await
    }

    async fn statements(&self, link: &LinkId) -> Stored<Vec<Statement>> {
        let link = link.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT digest, received_at, content FROM statements WHERE link = ?1
                 ORDER BY received_at DESC, changed_at DESC, digest LIMIT ?2",
            )?;
            Ok(query.query_map(params![link.as_str(), MAX_STATEMENTS], statement)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// Keeps a statement; one that is repeated stays as it came first.
fn keep(connection: &Connection, link: &LinkId, stated: &Stated, now: Timestamp) -> Stored<()> {
    connection
        .prepare_cached(
            "INSERT INTO statements (link, digest, changed_at, received_at, content, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (link, digest) DO NOTHING",
        )?
        .execute(params![
            link.as_str(),
            stated.digest.as_str(),
            stated.statement.changed_at.as_millisecond(),
            now.as_millisecond(),
            to_json(&stated.statement)?,
            stated.sealed,
        ])?;
    Ok(())
}

fn statement(row: &Row<'_>) -> rusqlite::Result<Statement> {
    Ok(Statement {
        digest: parsed(row, "digest")?,
        received_at: time(row, "received_at")?,
        content: json(row, "content")?,
    })
}
