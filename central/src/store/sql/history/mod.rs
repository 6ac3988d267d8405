//! The history of use: what the domain makes of reports, in two tables.

mod fold;
mod trace;

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{LinkId, Sequence};
use serde::de::DeserializeOwned;

use super::row::odd;
use super::session::{Session, params};
use super::{SqlStore, Stored};
use crate::domain::history::{Side, Span, SpanLength};
use crate::store::{Histories, MAX_SPANS};
pub(super) use trace::{Newest, note};

#[async_trait]
impl Histories for SqlStore {
    async fn spans(&self, link: &LinkId, length: SpanLength, from: Timestamp) -> Stored<Vec<(Timestamp, Span)>> {
        let link = link.clone();
        self.read(move |session| {
            let from = length.begin(from);
            let mut spans = kept(session, &link, length, from)?;
            for part in fold::unfolded(session, &link, length)?.iter().filter(|part| part.begin >= from) {
                let whole = part.added_to(spans.remove(&part.begin).unwrap_or_default());
                spans.insert(part.begin, whole);
            }
            Ok(spans.into_iter().collect())
        })
        .await
    }

    async fn fold_history(&self, most: u16, now: Timestamp) -> Stored<u32> {
        let links = self.read(move |session| fold::links(session, most, now)).await?;
        if links.is_empty() {
            return Ok(0);
        }
        self.write_locking(links.clone(), move |session| fold::fold(session, &links, most, now)).await
    }

    async fn report_side(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<Side>> {
        let link = link.clone();
        self.read(move |session| side(session, &link, sequence)).await
    }
}

/// The spans that are kept, from the one in force at `from` on.
fn kept(
    session: &dyn Session,
    link: &LinkId,
    length: SpanLength,
    from: Timestamp,
) -> Stored<std::collections::BTreeMap<Timestamp, Span>> {
    let before = session.row(
        "SELECT begins_at FROM history_spans WHERE link = ?1 AND span = ?2 AND begins_at <= ?3
         ORDER BY begins_at DESC LIMIT 1",
        params![link.as_str(), length.name(), from],
        |row| row.time("begins_at"),
    )?;
    let spans = session.rows(
        "SELECT begins_at, content FROM history_spans WHERE link = ?1 AND span = ?2 AND begins_at >= ?3
         ORDER BY begins_at LIMIT ?4",
        params![link.as_str(), length.name(), before.unwrap_or(from), MAX_SPANS],
        |row| Ok((row.time("begins_at")?, row.json("content")?)),
    )?;
    Ok(spans.into_iter().collect())
}

/// What the history knows of a stored report: the runs that it is part of.
fn side(session: &dyn Session, link: &LinkId, sequence: Sequence) -> Stored<Option<Side>> {
    let observed_at = session.row(
        "SELECT observed_at FROM reports WHERE link = ?1 AND sequence = ?2",
        params![link.as_str(), sequence.get()],
        |row| row.time("observed_at"),
    )?;
    let Some(observed_at) = observed_at else { return Ok(None) };
    let (facts, licenses) =
        (said(session, link, trace::COUNTS, sequence)?, said(session, link, trace::LICENSES, sequence)?);
    Ok(Some(Side { sequence, observed_at, facts, licenses }))
}

/// What the report at a place says, of one track.
fn said<T: DeserializeOwned>(
    session: &dyn Session,
    link: &LinkId,
    track: &'static str,
    sequence: Sequence,
) -> Stored<Option<T>> {
    let content = trace::run_at(session, link, track, sequence.get())?.and_then(|run| run.content);
    content.map(|text| serde_json::from_str(&text).map_err(|error| odd("content", error))).transpose()
}
