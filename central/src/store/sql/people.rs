//! The latest sketch of people of each link.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{LinkId, PseudonymKeyId};

use super::row::{Row, odd};
use super::session::{Session, params};
use super::{SqlStore, Stored, pseudonyms};
use crate::domain::people::KeptSketch;
use crate::store::Sketches;

#[async_trait]
impl Sketches for SqlStore {
    async fn sketches(&self, links: &[LinkId]) -> Stored<Vec<Option<KeptSketch>>> {
        let links = links.to_vec();
        self.read(move |session| links.iter().map(|link| kept(session, link)).collect()).await
    }
}

/// A sketch as it came with a report, and how many accounts were counted with it.
pub(super) struct Brought {
    pub(super) sketch: Vec<u8>,
    /// The key that its pseudonyms were made with.
    pub(super) key: Option<PseudonymKeyId>,
    pub(super) counted: u64,
}

/// Keeps the sketch of the newest report with counts, or forgets the one before where it has none.
pub(super) fn keep(
    session: &dyn Session,
    link: &LinkId,
    observed_at: Timestamp,
    brought: Option<&Brought>,
) -> Stored<()> {
    let Some(Brought { sketch, key, counted }) = brought else {
        return session.run("DELETE FROM people WHERE link = ?1", params![link.as_str()]);
    };
    let key = key.as_ref().map_or("", PseudonymKeyId::as_str);
    // A row never changes its key: SQLite writes an index anew wherever its column is set, even to the same.
    session.run("DELETE FROM people WHERE link = ?1 AND key_id <> ?2", params![link.as_str(), key])?;
    session.run(
        "INSERT INTO people (link, observed_at, counted, sketch, key_id) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (link) DO UPDATE SET
            observed_at = excluded.observed_at, counted = excluded.counted, sketch = excluded.sketch",
        params![link.as_str(), observed_at, *counted, sketch.as_slice(), key],
    )
}

fn kept(session: &dyn Session, link: &LinkId) -> Stored<Option<KeptSketch>> {
    let query = "SELECT people.observed_at, people.counted, people.sketch, people.key_id, links.created_at AS linked_at
                 FROM people JOIN links ON links.id = people.link WHERE people.link = ?1";
    session.row(query, params![link.as_str()], read_kept)
}

/// The sketch of a row.
pub(super) fn read_kept(row: &Row<'_>) -> Stored<KeptSketch> {
    Ok(KeptSketch {
        key: pseudonyms::named(row)?,
        linked_at: row.time("linked_at")?,
        observed_at: row.time("observed_at")?,
        counted: row.number("counted")?,
        bytes: row.bytes_option("sketch")?.ok_or_else(|| odd("sketch", "it is empty"))?,
    })
}
