//! The newest report of a link, in one row that changes in the commit of a report.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use seatline_protocol::LinkId;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;

use super::Stored;
use super::row::{json, name_of, parsed, time, to_json};
use crate::domain::report::{Figures, without_counts};
use crate::domain::{Incoming, Latest, ReportAt};

/// An incoming report, made ready for the writer.
pub(super) struct Prepared {
    pub(super) incoming: Incoming,
    /// The report as JSON, without its sketch of people: that is in the sealed bytes, and no page shows it.
    json: String,
    /// Why it has no counts.
    failure: Option<String>,
    verdict: Option<String>,
    users: Option<u64>,
    users_max: Option<u64>,
}

impl Prepared {
    pub(super) fn new(mut incoming: Incoming) -> Stored<Self> {
        let mut figures = Figures::default();
        if let Outcome::Collected(collected) = &mut incoming.report.outcome {
            collected.people = None;
            figures = Figures::of(collected);
        }
        let json = to_json(&incoming.report)?;
        let verdict = figures.verdict.as_ref().map(name_of::<Verdict>).transpose()?;
        let failure = without_counts(&incoming.report.outcome).map(|failure| failure.message);
        // A product may claim any count; the column holds the ones that an integer of SQL can have.
        let bounded = |count: u64| count.min(i64::MAX.unsigned_abs());
        let (users, users_max) = (figures.users.map(bounded), figures.users_max.map(bounded));
        Ok(Self { incoming, json, failure, verdict, users, users_max })
    }
}

/// Puts a report that was just stored into the row, where it is newer than what stands there.
pub(super) fn update(connection: &Connection, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    let sequence = report.incoming.report.sequence.get();
    let mut query =
        connection.prepare_cached("SELECT sequence, failure IS NULL, counted_sequence FROM latest WHERE link = ?1")?;
    let row = |row: &Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, bool>(1)?, row.get::<_, Option<u64>>(2)?));
    let standing = query.query_row([link.as_str()], row).optional()?;
    let (newest, newest_counted, counted) = standing.unwrap_or((0, false, None));
    match (&report.failure, sequence > newest) {
        (None, true) => replace_all(connection, link, report, now),
        (Some(failure), true) => {
            if newest_counted {
                keep_counted(connection, link)?;
            }
            replace_newest(connection, link, report, failure, now)
        }
        (None, false) if !newest_counted && counted.is_none_or(|counted| sequence > counted) => {
            fill_counted(connection, link, report, now)
        }
        _ => Ok(()),
    }
}

/// The newest report takes the row; with counts of its own, it needs no other beside it.
fn replace_all(connection: &Connection, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    connection
        .prepare_cached(
            "INSERT INTO latest (link, sequence, digest, observed_at, received_at, report, verdict, users, users_max)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (link) DO UPDATE SET
                sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
                received_at = excluded.received_at, failure = NULL, report = excluded.report,
                verdict = excluded.verdict, users = excluded.users, users_max = excluded.users_max,
                counted_sequence = NULL, counted_digest = NULL, counted_received_at = NULL, counted_report = NULL",
        )?
        .execute(params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            report.incoming.report.observed_at.as_millisecond(),
            now.as_millisecond(),
            report.json,
            report.verdict,
            report.users,
            report.users_max,
        ])?;
    Ok(())
}

/// The newest report takes the row, and has no counts: those that stand there stay.
fn replace_newest(
    connection: &Connection,
    link: &LinkId,
    report: &Prepared,
    failure: &str,
    now: Timestamp,
) -> Stored<()> {
    connection
        .prepare_cached(
            "INSERT INTO latest (link, sequence, digest, observed_at, received_at, failure, report)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (link) DO UPDATE SET
                sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
                received_at = excluded.received_at, failure = excluded.failure, report = excluded.report",
        )?
        .execute(params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            report.incoming.report.observed_at.as_millisecond(),
            now.as_millisecond(),
            failure,
            report.json,
        ])?;
    Ok(())
}

/// The row's newest report has counts, and one without is about to take its place: what was counted stays.
fn keep_counted(connection: &Connection, link: &LinkId) -> Stored<()> {
    connection
        .prepare_cached(
            "UPDATE latest SET counted_sequence = sequence, counted_digest = digest,
                    counted_received_at = received_at, counted_report = report WHERE link = ?1",
        )?
        .execute([link.as_str()])?;
    Ok(())
}

/// A report that filled a gap has newer counts than the row.
fn fill_counted(connection: &Connection, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    connection
        .prepare_cached(
            "UPDATE latest SET counted_sequence = ?2, counted_digest = ?3, counted_received_at = ?4,
                    counted_report = ?5, verdict = ?6, users = ?7, users_max = ?8 WHERE link = ?1",
        )?
        .execute(params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            now.as_millisecond(),
            report.json,
            report.verdict,
            report.users,
            report.users_max,
        ])?;
    Ok(())
}

/// The row, as the domain has it.
pub(super) fn read(connection: &Connection, link: &LinkId) -> Stored<Option<Latest>> {
    let mut query = connection.prepare_cached("SELECT * FROM latest WHERE link = ?1")?;
    Ok(query.query_row([link.as_str()], latest).optional()?)
}

fn latest(row: &Row<'_>) -> rusqlite::Result<Latest> {
    let newest = ReportAt {
        received_at: time(row, "received_at")?,
        digest: parsed(row, "digest")?,
        report: json(row, "report")?,
    };
    let collected = match (newest.collected(), row.get::<_, Option<u64>>("counted_sequence")?) {
        (Some(_), _) => Some(newest.clone()),
        (None, None) => None,
        (None, Some(_)) => Some(ReportAt {
            received_at: time(row, "counted_received_at")?,
            digest: parsed(row, "counted_digest")?,
            report: json(row, "counted_report")?,
        }),
    };
    Ok(Latest { newest, collected })
}
