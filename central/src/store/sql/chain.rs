//! The chain of a link: what stands around a place, and which stretches are missing.

use jiff::Timestamp;
use seatline_protocol::chain::Neighbours;
use seatline_protocol::{Digest, LinkId, Sequence};

use super::latest::Standing;
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::domain::Gap;
use crate::domain::licenses::PATIENCE_INTERVALS;
use crate::domain::link::MAX_GAPS_SHOWN;
use crate::domain::quota::Brought;

/// What is stored around the place `at` of a link whose newest report is `standing`.
pub(super) fn neighbours(
    session: &dyn Session,
    link: &LinkId,
    standing: Option<&Standing>,
    at: Sequence,
) -> Stored<Neighbours> {
    let mut found = Neighbours::default();
    match standing {
        None => return Ok(found),
        Some(standing) if at.get() == standing.head() + 1 => {
            found.before = Some(standing.digest().clone());
            return Ok(found);
        }
        Some(_) => {}
    }
    session.each(
        "SELECT sequence, digest, previous FROM reports WHERE link = ?1 AND sequence BETWEEN ?2 - 1 AND ?2 + 1",
        params![link.as_str(), at.get()],
        &mut |row| {
            let digest: Digest = row.digest("digest")?;
            match row.sequence("sequence")?.cmp(&at) {
                std::cmp::Ordering::Less => found.before = Some(digest),
                std::cmp::Ordering::Equal => found.same = Some(digest),
                std::cmp::Ordering::Greater => found.claimed_by_next = row.digest_option("previous")?,
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// What a new report says, as far as the review is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct News<'n> {
    /// The digest of its content; none where the chain has changed, too.
    pub content: Option<&'n str>,
    /// What the link has brought with it.
    pub brought: Brought,
    /// When it came.
    pub now: Timestamp,
}

/// Counts a new report at the place `at`: the head, the number of reports, and the gaps. Where it says what the one
/// before said, and that was reviewed, the next review is when a report is missed; else it is at once.
pub(super) fn extend(
    session: &dyn Session,
    link: &LinkId,
    standing: Option<&Standing>,
    at: Sequence,
    news: News<'_>,
) -> Stored<()> {
    let (at, head) = (at.get(), standing.map_or(0, Standing::head));
    if at > head + 1 {
        add_gap(session, link, head + 1, at - 1)?;
    } else if at <= head {
        split_gap(session, link, at)?;
    }
    session.run(
        "UPDATE links SET head = ?2, stored = stored + 1, brought = ?6, brought_at = ?7,
            marks = CASE WHEN settled = ?3 THEN marks ELSE marks + 1 END,
            review_at = CASE
                WHEN settled = ?3 AND review_at <= ?4 THEN review_at
                WHEN settled = ?3 AND turns_at <= ?4 + ?5 * sync_interval THEN turns_at
                WHEN settled = ?3 THEN ?4 + ?5 * sync_interval + 1
                ELSE 0 END
         WHERE id = ?1",
        params![
            link.as_str(),
            at.max(head),
            news.content,
            news.now,
            PATIENCE_INTERVALS * 1000,
            news.brought.bytes,
            news.brought.at,
        ],
    )
}

/// Whether the place `at` below the head of a link is empty since ever. Else a report was there, and may be forgotten.
pub(super) fn is_gap(session: &dyn Session, link: &LinkId, at: Sequence) -> Stored<bool> {
    Ok(gap_around(session, link, at.get())?.is_some())
}

/// Takes the place `at` out of the gap that holds it.
fn split_gap(session: &dyn Session, link: &LinkId, at: u64) -> Stored<()> {
    let (first, last) = gap_around(session, link, at)?.ok_or_else(|| StoreError::Corrupt {
        what: "a chain",
        reason: format!("no gap holds report {at} of {link}"),
    })?;
    session.run("DELETE FROM gaps WHERE link = ?1 AND first_missing = ?2", params![link.as_str(), first])?;
    if first < at {
        add_gap(session, link, first, at - 1)?;
    }
    if at < last {
        add_gap(session, link, at + 1, last)?;
    }
    Ok(())
}

/// The first and the last place of the gap that holds the place `at`.
fn gap_around(session: &dyn Session, link: &LinkId, at: u64) -> Stored<Option<(u64, u64)>> {
    let gap = session.row(
        "SELECT first_missing, last_missing FROM gaps
         WHERE link = ?1 AND first_missing <= ?2 ORDER BY first_missing DESC LIMIT 1",
        params![link.as_str(), at],
        |row| Ok((row.number::<u64>("first_missing")?, row.number::<u64>("last_missing")?)),
    )?;
    Ok(gap.filter(|(_, last)| at <= *last))
}

fn add_gap(session: &dyn Session, link: &LinkId, first: u64, last: u64) -> Stored<()> {
    session.run(
        "INSERT INTO gaps (link, first_missing, last_missing) VALUES (?1, ?2, ?3)",
        params![link.as_str(), first, last],
    )
}

/// The newest gaps of a chain, the newest first.
pub(super) fn gaps(session: &dyn Session, link: &LinkId) -> Stored<Vec<Gap>> {
    session.rows(
        "SELECT first_missing, last_missing FROM gaps WHERE link = ?1 ORDER BY first_missing DESC LIMIT ?2",
        params![link.as_str(), MAX_GAPS_SHOWN],
        |row| Ok(Gap { from: row.sequence("first_missing")?, to: row.sequence("last_missing")? }),
    )
}
