//! Statements of continuity.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::RefusalCode;

use super::chain::in_force;
use super::fleet::marks;
use super::row::{Row, to_json};
use super::session::{Session, params};
use super::{SqlStore, Stored};
use crate::domain::{LinkSettings, Stated, Statement};
use crate::store::Statements;

#[async_trait]
impl Statements for SqlStore {
    async fn note(
        &self,
        link: &LinkId,
        stated: Vec<Stated>,
        now: Timestamp,
    ) -> Stored<Result<LinkSettings, RefusalCode>> {
        let id = link.clone();
        self.write_to_link(link, move |session| {
            let link = &id;
            let settings = match in_force(session, link)? {
                Ok((in_force, _)) => in_force.settings,
                Err(code) => return Ok(Err(code)),
            };
            let mut kept = 0;
            for stated in &stated {
                kept += keep(session, link, stated, now)?;
            }
            if kept > 0 {
                forget(session, link)?;
                marks::link(session, link)?;
            }
            Ok(Ok(settings))
        })
        .await
    }

    async fn statements(&self, link: &LinkId) -> Stored<Vec<Statement>> {
        let link = link.clone();
        self.read(move |session| of(session, &link)).await
    }
}

/// The statements of a link, the newest first.
pub(super) fn of(session: &dyn Session, link: &LinkId) -> Stored<Vec<Statement>> {
    session.rows(
        "SELECT digest, received_at, content FROM statements WHERE link = ?1
         ORDER BY received_at DESC, changed_at DESC, digest LIMIT ?2",
        params![link.as_str(), MAX_STATEMENTS],
        statement,
    )
}

/// Keeps a statement, and says how many are new: one that is repeated stays as it came first.
fn keep(session: &dyn Session, link: &LinkId, stated: &Stated, now: Timestamp) -> Stored<u64> {
    session.execute(
        "INSERT INTO statements (link, digest, changed_at, received_at, content, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (link, digest) DO NOTHING",
        params![
            link.as_str(),
            stated.digest.as_str(),
            stated.statement.changed_at,
            now,
            &to_json(&stated.statement)?,
            &stated.sealed,
        ],
    )
}

/// Lets the oldest go where there are too many.
fn forget(session: &dyn Session, link: &LinkId) -> Stored<()> {
    session.run(
        "DELETE FROM statements WHERE link = ?1 AND digest NOT IN
            (SELECT digest FROM statements WHERE link = ?1
             ORDER BY received_at DESC, changed_at DESC, digest LIMIT ?2)",
        params![link.as_str(), MAX_STATEMENTS],
    )
}

pub(super) fn statement(row: &Row<'_>) -> Stored<Statement> {
    Ok(Statement {
        digest: row.parsed("digest")?,
        received_at: row.time("received_at")?,
        content: row.json("content")?,
    })
}
