//! The audit log: written in the commit of the change that it tells of, and only ever added to.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::row::{Row, odd};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::{Act, Changed, Entry, EntryFilter, EntryId, Object, Record, TokenId};
use crate::store::{Audit, Cursor, Page, PageSize};

/// The columns of an entry.
macro_rules! entries {
    ($place:literal) => {
        concat!(
            "SELECT id, at, actor_kind, actor, token, address, action, object_kind, object_id, object_name, value_before, value_after
             FROM audit
             WHERE (at, id) < (?1, ?2) AND at >= ?3
               AND (?4 = '' OR actor = ?4) AND (?5 = '' OR object_kind = ?5) AND (?6 = '' OR object_id = ?6)
               AND ",
            $place,
            " ORDER BY at DESC, id DESC LIMIT ?7"
        )
    };
}

impl SqlStore {
    /// Runs a change that somebody makes: `work` gives its value and the record of what it did, which is committed with
    /// it.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        act: &Act,
        work: impl Fn(&dyn Session) -> Stored<Changed<T>> + Send + 'static,
    ) -> Stored<T> {
        self.change_locking::<&str, T>(act, [], work).await
    }

    /// As [`Self::change`], where `work` changes links, or what hangs on them.
    pub(super) async fn change_locking<L: Into<String>, T: Send + 'static>(
        &self,
        act: &Act,
        links: impl IntoIterator<Item = L>,
        work: impl Fn(&dyn Session) -> Stored<Changed<T>> + Send + 'static,
    ) -> Stored<T> {
        let act = act.clone();
        self.write_locking(links, move |session| {
            let Changed { value, record } = work(session)?;
            if let Some(record) = record {
                write(session, &act, &record)?;
            }
            Ok(value)
        })
        .await
    }
}

/// Writes the entry of an act: the only statement of the program that touches what the audit log holds.
pub(super) fn write(session: &dyn Session, act: &Act, record: &Record) -> Stored<()> {
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    session.run(
        "INSERT INTO audit (id, at, actor_kind, actor, token, address, action, object_kind, object_id, object_name,
                            value_before, value_after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            act.id.as_str(),
            act.at,
            act.actor.kind.name(),
            &act.actor.name,
            act.actor.token.as_ref().map(TokenId::as_str),
            &act.actor.address.map(|address| address.to_string()),
            record.action,
            &record.object.kind,
            &record.object.id,
            &record.object.name,
            &json(&record.before),
            &json(&record.after),
        ],
    )
}

#[async_trait]
impl Audit for SqlStore {
    async fn audit(&self, filter: &EntryFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Entry>> {
        let filter = filter.clone();
        let (before, below) = match after {
            Some(cursor) => place(cursor)?,
            None => (filter.until.unwrap_or(Timestamp::MAX), String::new()),
        };
        self.read(move |session| {
            // One of each set of entries that has an index of its own; what else is asked for is left out on the way.
            let (actor, object) = (filter.actor.as_deref().unwrap_or_default(), filter.object.as_deref());
            let kind = filter.kind.as_deref().unwrap_or_default();
            let sql = match (object, actor, kind) {
                (Some(_), ..) => entries!("object_id = ?6"),
                (None, "", "") => entries!("1 = 1"),
                (None, "", _) => entries!("object_kind = ?5"),
                (None, ..) => entries!("actor = ?4"),
            };
            let from = filter.from.unwrap_or(Timestamp::MIN);
            let values = params![before, &below, from, actor, kind, object.unwrap_or_default(), size.rows_and_one()];
            Ok(Page::cut(session.rows(sql, values, entry)?, size, |entry: &Entry| {
                format!("{}-{}", entry.at.as_millisecond(), entry.id)
            }))
        })
        .await
    }
}

/// The place that a cursor of this list names.
fn place(cursor: &Cursor) -> Stored<(Timestamp, String)> {
    let (at, id) = cursor.place().and_then(|place| place.split_once('-')).ok_or(StoreError::Cursor)?;
    let id: EntryId = id.parse().map_err(|_| StoreError::Cursor)?;
    let at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or(StoreError::Cursor)?;
    Ok((at, id.to_string()))
}

fn entry(row: &Row<'_>) -> Stored<Entry> {
    let json = |column: &str| {
        let text = row.text_option(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| odd(column, error))).transpose()
    };
    Ok(Entry {
        id: row.parsed("id")?,
        at: row.time("at")?,
        actor_kind: row.named("actor_kind")?,
        actor: row.text("actor")?,
        token: row.parsed_option("token")?,
        address: row.parsed_option("address")?,
        action: row.text("action")?,
        object: Object { kind: row.text("object_kind")?, id: row.text("object_id")?, name: row.text("object_name")? },
        before: json("value_before")?,
        after: json("value_after")?,
    })
}
