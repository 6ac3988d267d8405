//! The chain of a link on SQLite: what stands around a place, and which stretches are missing.

use rusqlite::{Connection, OptionalExtension as _, params};
use seatline_protocol::chain::Neighbours;
use seatline_protocol::{Digest, LinkId, Sequence};

use super::row::{parsed, parsed_option, sequence};
use super::{StoreError, Stored};
use crate::domain::Gap;
use crate::domain::link::MAX_GAPS_SHOWN;

/// What is stored around the place `at`.
pub(super) fn neighbours(connection: &Connection, link: &LinkId, at: Sequence) -> Stored<Neighbours> {
    let mut found = Neighbours::default();
    let mut query = connection.prepare_cached(
        "SELECT sequence, digest, previous FROM reports WHERE link = ?1 AND sequence BETWEEN ?2 - 1 AND ?2 + 1",
    )?;
    let mut rows = query.query(params![link.as_str(), at.get()])?;
    while let Some(row) = rows.next()? {
        let digest: Digest = parsed(row, "digest")?;
        match sequence(row, "sequence")?.cmp(&at) {
            std::cmp::Ordering::Less => found.before = Some(digest),
            std::cmp::Ordering::Equal => found.same = Some(digest),
            std::cmp::Ordering::Greater => found.claimed_by_next = parsed_option(row, "previous")?,
        }
    }
    Ok(found)
}

/// Counts a new report at the place `at`: the head, the number of reports, and the gaps.
pub(super) fn extend(connection: &Connection, link: &LinkId, at: Sequence) -> Stored<()> {
    let mut query = connection.prepare_cached("SELECT head FROM links WHERE id = ?1")?;
    let head: Option<u64> = query.query_row([link.as_str()], |row| row.get(0))?;
    let (at, head) = (at.get(), head.unwrap_or(0));
    if at > head + 1 {
        add_gap(connection, link, head + 1, at - 1)?;
    } else if at <= head {
        split_gap(connection, link, at)?;
    }
    connection
        .prepare_cached("UPDATE links SET head = ?2, stored = stored + 1 WHERE id = ?1")?
        .execute(params![link.as_str(), at.max(head)])?;
    Ok(())
}

/// Takes the place `at` out of the gap that holds it.
fn split_gap(connection: &Connection, link: &LinkId, at: u64) -> Stored<()> {
    let mut query = connection.prepare_cached(
        "SELECT first_missing, last_missing FROM gaps
         WHERE link = ?1 AND first_missing <= ?2 ORDER BY first_missing DESC LIMIT 1",
    )?;
    let gap: Option<(u64, u64)> =
        query.query_row(params![link.as_str(), at], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (first, last) = gap.filter(|(_, last)| at <= *last).ok_or_else(|| StoreError::Corrupt {
        what: "a chain",
        reason: format!("no gap holds report {at} of {link}"),
    })?;
    connection
        .prepare_cached("DELETE FROM gaps WHERE link = ?1 AND first_missing = ?2")?
        .execute(params![link.as_str(), first])?;
    if first < at {
        add_gap(connection, link, first, at - 1)?;
    }
    if at < last {
        add_gap(connection, link, at + 1, last)?;
    }
    Ok(())
}

fn add_gap(connection: &Connection, link: &LinkId, first: u64, last: u64) -> Stored<()> {
    connection
        .prepare_cached("INSERT INTO gaps (link, first_missing, last_missing) VALUES (?1, ?2, ?3)")?
        .execute(params![link.as_str(), first, last])?;
    Ok(())
}

/// The newest gaps of a chain, the newest first.
pub(super) fn gaps(connection: &Connection, link: &LinkId) -> Stored<Vec<Gap>> {
    let mut query = connection.prepare_cached(
        "SELECT first_missing, last_missing FROM gaps WHERE link = ?1 ORDER BY first_missing DESC LIMIT ?2",
    )?;
    let gaps = query.query_map(params![link.as_str(), MAX_GAPS_SHOWN], |row| {
        Ok(Gap { from: sequence(row, "first_missing")?, to: sequence(row, "last_missing")? })
    })?;
    Ok(gaps.collect::<rusqlite::Result<_>>()?)
}
