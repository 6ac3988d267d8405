//! The newest report of a link, in one row that changes in the commit of a report.

use jiff::Timestamp;
use seatline_protocol::LinkId;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;

use super::Stored;
use super::row::{Row, name_of, to_json};
use super::session::{Session, params};
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
pub(super) fn update(session: &dyn Session, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    let sequence = report.incoming.report.sequence.get();
    let standing = session.row(
        "SELECT sequence, failure, counted_sequence FROM latest WHERE link = ?1",
        params![link.as_str()],
        |row| {
            let is_counted = row.text_option("failure")?.is_none();
            Ok((row.number::<u64>("sequence")?, is_counted, row.number_option::<u64>("counted_sequence")?))
        },
    )?;
    let (newest, newest_counted, counted) = standing.unwrap_or((0, false, None));
    match (&report.failure, sequence > newest) {
        (None, true) => replace_all(session, link, report, now),
        (Some(failure), true) => {
            if newest_counted {
                keep_counted(session, link)?;
            }
            replace_newest(session, link, report, failure, now)
        }
        (None, false) if !newest_counted && counted.is_none_or(|counted| sequence > counted) => {
            fill_counted(session, link, report, now)
        }
        _ => Ok(()),
    }
}

/// The newest report takes the row; with counts of its own, it needs no other beside it.
fn replace_all(session: &dyn Session, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    session.run(
        "INSERT INTO latest (link, sequence, digest, observed_at, received_at, report, verdict, users, users_max)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = NULL, report = excluded.report,
            verdict = excluded.verdict, users = excluded.users, users_max = excluded.users_max,
            counted_sequence = NULL, counted_digest = NULL, counted_received_at = NULL, counted_report = NULL",
        params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            report.incoming.report.observed_at,
            now,
            &report.json,
            &report.verdict,
            report.users,
            report.users_max,
        ],
    )
}

/// The newest report takes the row, and has no counts: those that stand there stay.
fn replace_newest(
    session: &dyn Session,
    link: &LinkId,
    report: &Prepared,
    failure: &str,
    now: Timestamp,
) -> Stored<()> {
    session.run(
        "INSERT INTO latest (link, sequence, digest, observed_at, received_at, failure, report)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = excluded.failure, report = excluded.report",
        params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            report.incoming.report.observed_at,
            now,
            failure,
            &report.json,
        ],
    )
}

/// The row's newest report has counts, and one without is about to take its place: what was counted stays.
fn keep_counted(session: &dyn Session, link: &LinkId) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = sequence, counted_digest = digest,
                counted_received_at = received_at, counted_report = report WHERE link = ?1",
        params![link.as_str()],
    )
}

/// A report that filled a gap has newer counts than the row.
fn fill_counted(session: &dyn Session, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = ?2, counted_digest = ?3, counted_received_at = ?4,
                counted_report = ?5, verdict = ?6, users = ?7, users_max = ?8 WHERE link = ?1",
        params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            now,
            &report.json,
            &report.verdict,
            report.users,
            report.users_max,
        ],
    )
}

/// The row, as the domain has it.
pub(super) fn read(session: &dyn Session, link: &LinkId) -> Stored<Option<Latest>> {
    session.row(
        "SELECT received_at, digest, report, counted_sequence, counted_received_at, counted_digest, counted_report
         FROM latest WHERE link = ?1",
        params![link.as_str()],
        latest,
    )
}

fn latest(row: &Row<'_>) -> Stored<Latest> {
    let newest =
        ReportAt { received_at: row.time("received_at")?, digest: row.parsed("digest")?, report: row.json("report")? };
    let collected = match (newest.collected(), row.number_option::<u64>("counted_sequence")?) {
        (Some(_), _) => Some(newest.clone()),
        (None, None) => None,
        (None, Some(_)) => Some(ReportAt {
            received_at: row.time("counted_received_at")?,
            digest: row.parsed("counted_digest")?,
            report: row.json("counted_report")?,
        }),
    };
    Ok(Latest { newest, collected })
}
