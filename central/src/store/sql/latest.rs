//! The newest report of a link, in one row that changes in the commit of a report.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;
use seatline_protocol::{Digest, LinkId};

use super::history::{self, Newest};
use super::people::{self, Brought};
use super::row::{Row, name_of, to_json};
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::domain::history::Trace;
use crate::domain::report::{Figures, without_counts};
use crate::domain::{Incoming, Latest, ReportAt};

/// An incoming report, made ready for the writer.
pub(super) struct Prepared {
    pub(super) incoming: Incoming,
    /// The report as JSON, without its sketch of people: that is in the sealed bytes, and no page shows it.
    json: String,
    /// The digest of what it says, apart from its place and time: the next one mostly says the same.
    pub(super) content: String,
    /// Why it has no counts.
    failure: Option<String>,
    verdict: Option<String>,
    users: Option<u64>,
    users_max: Option<u64>,
    /// What the history keeps of it, and its mark.
    trace: Trace,
    mark: String,
    /// Its sketch of people.
    people: Option<Brought>,
}

impl Prepared {
    pub(super) fn new(mut incoming: Incoming) -> Stored<Self> {
        let mut figures = Figures::default();
        let mut people = None;
        if let Outcome::Collected(collected) = &mut incoming.report.outcome {
            let counted = collected.accounts.as_ref().map_or(0, |accounts| accounts.counted);
            people = collected.people.take().map(|sketch| Brought { sketch, counted });
            figures = Figures::of(collected);
        }
        let trace = Trace::of(&incoming.report.outcome)
            .map_err(|error| StoreError::Corrupt { what: "a report", reason: error.to_string() })?;
        let mark = trace.mark(people.as_ref().map(|brought| brought.sketch.as_slice()));
        let json = to_json(&incoming.report)?;
        let content = Digest::of(content(&json).as_bytes()).to_string();
        let verdict = figures.verdict.as_ref().map(name_of::<Verdict>).transpose()?;
        let failure = without_counts(&incoming.report.outcome).map(|failure| failure.message);
        // A product may claim any count; the column holds the ones that an integer of SQL can have.
        let bounded = |count: u64| count.min(i64::MAX.unsigned_abs());
        let (users, users_max) = (figures.users.map(bounded), figures.users_max.map(bounded));
        Ok(Self { incoming, json, content, failure, verdict, users, users_max, trace, mark, people })
    }
}

/// What a report says, apart from its place, its time and why it was made: the end of its JSON, whose fields stand in the
/// order of the type.
fn content(json: &str) -> &str {
    json.find("\"reporter\":").map_or(json, |at| &json[at..])
}

/// What the row says of the newest report. Everything that decides on the one that comes next is in it: of a link that
/// reports in order, no other row is read.
pub(super) struct Standing {
    newest: Newest,
    digest: Digest,
    is_counted: bool,
    counted: Option<u64>,
}

impl Standing {
    /// The greatest sequence number that is stored.
    pub(super) fn head(&self) -> u64 {
        self.newest.sequence
    }

    /// The digest of the report there.
    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// What stands in the row of a link, if it has reported.
pub(super) fn standing(session: &dyn Session, link: &LinkId) -> Stored<Option<Standing>> {
    session.row(
        "SELECT sequence, digest, observed_at, failure, counted_sequence, traced FROM latest WHERE link = ?1",
        params![link.as_str()],
        |row| {
            let newest = Newest {
                sequence: row.number("sequence")?,
                observed_at: row.time("observed_at")?,
                mark: row.text_option("traced")?,
            };
            let is_counted = row.text_option("failure")?.is_none();
            let counted = row.number_option("counted_sequence")?;
            Ok(Standing { newest, digest: row.parsed("digest")?, is_counted, counted })
        },
    )
}

/// Puts a report that was just stored into the row, where it is newer than what stands there, and into the history, where it
/// says something new. `patience` is how long the link may be silent before its history has a hole.
pub(super) fn update(
    session: &dyn Session,
    link: &LinkId,
    report: &Prepared,
    standing: Option<&Standing>,
    patience: SignedDuration,
    now: Timestamp,
) -> Stored<()> {
    let sequence = report.incoming.report.sequence.get();
    let place = (report.incoming.report.sequence, report.incoming.report.observed_at);
    let traced = (&report.trace, report.mark.as_str());
    let before = standing.map(|standing| &standing.newest);
    let is_newest = before.is_none_or(|before| before.sequence < place.0.get());
    let says_new = before.is_none_or(|before| before.mark.as_deref() != Some(report.mark.as_str()));
    if is_newest && says_new && report.failure.is_none() {
        people::keep(session, link, place.1, report.people.as_ref())?;
    }
    history::note(session, link, place, traced, before, patience)?;
    let (newest, newest_counted, counted) =
        standing.map_or((0, false, None), |standing| (standing.head(), standing.is_counted, standing.counted));
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
        "INSERT INTO latest
            (link, sequence, digest, observed_at, received_at, report, verdict, users, users_max, traced, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = NULL, report = excluded.report,
            verdict = excluded.verdict, users = excluded.users, users_max = excluded.users_max, traced = excluded.traced,
            counted_sequence = NULL, counted_digest = NULL, counted_received_at = NULL, counted_report = NULL,
            content = excluded.content",
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
            &report.mark,
            &report.content,
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
        "INSERT INTO latest (link, sequence, digest, observed_at, received_at, failure, report, traced, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = excluded.failure, report = excluded.report,
            traced = excluded.traced, content = excluded.content",
        params![
            link.as_str(),
            report.incoming.report.sequence.get(),
            report.incoming.digest.as_str(),
            report.incoming.report.observed_at,
            now,
            failure,
            &report.json,
            &report.mark,
            &report.content,
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
