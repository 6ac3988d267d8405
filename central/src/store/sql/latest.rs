//! What the newest report of a link says, in one row, which changes in the commit of a report that says something new.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::repeat::Repeated;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;
use seatline_protocol::{Digest, LinkId, Repeat, Report};

use super::chain::{News, Standing};
use super::history;
use super::people::{self, Brought};
use super::row::{Row, name_of, to_json};
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::domain::history::{Mark, Trace};
use crate::domain::report::{Figures, without_counts};
use crate::domain::{Latest, ReportAt};

/// A report, made ready for the writer.
pub(super) struct Prepared {
    /// The report itself, without its sketch of people.
    report: Report,
    digest: Digest,
    /// The report that it repeats.
    repeats: Option<Repeated>,
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
    mark: Mark,
    /// Its sketch of people.
    people: Option<Brought>,
}

impl Prepared {
    /// A report that says all itself.
    pub(super) fn new(report: Report, digest: &Digest) -> Stored<Self> {
        Self::of(report, digest, None)
    }

    /// What it says.
    pub(super) fn report(&self) -> &Report {
        &self.report
    }

    /// What the chain keeps of it.
    pub(super) fn news(&self) -> News<'_> {
        News {
            digest: &self.digest,
            observed_at: self.report.observed_at,
            mark: &self.mark,
            content: &self.content,
            repeats: self.repeats.as_ref(),
        }
    }

    /// A repeat of `report`.
    pub(super) fn repeating(report: Report, repeat: &Repeat, digest: &Digest) -> Stored<Self> {
        let said = Report {
            sequence: repeat.sequence,
            previous: Some(repeat.previous.clone()),
            observed_at: repeat.observed_at,
            trigger: repeat.trigger.clone(),
            ..report
        };
        Self::of(said, digest, Some(repeat.repeats.clone()))
    }

    fn of(mut report: Report, digest: &Digest, repeats: Option<Repeated>) -> Stored<Self> {
        let mut figures = Figures::default();
        let mut people = None;
        if let Outcome::Collected(collected) = &mut report.outcome {
            let counted = collected.accounts.as_ref().map_or(0, |accounts| accounts.counted);
            let key = collected.people_key.clone();
            people = collected.people.take().map(|sketch| Brought { sketch, key, counted });
            figures = Figures::of(collected);
        }
        let trace = Trace::of(&report.outcome)
            .map_err(|error| StoreError::Corrupt { what: "a report", reason: error.to_string() })?;
        let sketched =
            people.as_ref().map(|brought| (brought.sketch.as_slice(), brought.key.as_ref(), brought.counted));
        let mark = trace.mark(sketched);
        let json = to_json(&report)?;
        let content = Digest::of(content(&json).as_bytes()).to_string();
        let verdict = figures.verdict.as_ref().map(name_of::<Verdict>).transpose()?;
        let failure = without_counts(&report.outcome).map(|failure| failure.message);
        // A product may claim any count; the column holds the ones that an integer of SQL can have.
        let bounded = |count: u64| count.min(i64::MAX.unsigned_abs());
        let (users, users_max) = (figures.users.map(bounded), figures.users_max.map(bounded));
        Ok(Self {
            report,
            digest: digest.clone(),
            repeats,
            json,
            content,
            failure,
            verdict,
            users,
            users_max,
            trace,
            mark,
            people,
        })
    }
}

/// What a report says, apart from its place, its time and why it was made: the end of its JSON, whose fields stand in
/// the order of the type.
fn content(json: &str) -> &str {
    json.find("\"reporter\":").map_or(json, |at| &json[at..])
}

/// Puts a report that was just stored into the row, where it is newer than what stands there, and into the history,
/// where it says something new. `patience` is how long the link may be silent before its history has a hole.
pub(super) fn update(
    session: &dyn Session,
    link: &LinkId,
    report: &Prepared,
    standing: Option<&Standing>,
    patience: SignedDuration,
    now: Timestamp,
) -> Stored<()> {
    let place = (report.report.sequence, report.report.observed_at);
    let traced = (&report.trace, &report.mark);
    let before = standing.map(|standing| &standing.newest);
    let is_newest = before.is_none_or(|before| before.sequence < place.0.get());
    let marked = before.and_then(|before| before.mark.as_ref());
    let has_same_people = marked.is_some_and(|before| report.mark.has_people_of(before));
    if is_newest && !has_same_people && report.failure.is_none() {
        people::keep(session, link, place.1, report.people.as_ref())?;
    }
    history::note(session, link, place, traced, before, patience)?;
    match (&report.failure, standing) {
        (None, _) if is_newest => replace_all(session, link, report),
        (Some(failure), before) if is_newest => {
            if let Some(before) = before {
                keep_counted(session, link, before)?;
            }
            replace_newest(session, link, report, failure)
        }
        (None, _) => fill_counted(session, link, report, now),
        (Some(_), _) => Ok(()),
    }
}

/// The newest report takes the row; with counts of its own, it needs no other beside it.
fn replace_all(session: &dyn Session, link: &LinkId, report: &Prepared) -> Stored<()> {
    session.write_row(
        "INSERT INTO latest (link, report, verdict, users, users_max) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (link) DO UPDATE SET
            failure = NULL, report = excluded.report, verdict = excluded.verdict, users = excluded.users,
            users_max = excluded.users_max, counted_sequence = NULL, counted_digest = NULL, counted_received_at = NULL,
            counted_report = NULL, counted_observed_at = NULL",
        params![link.as_str(), &report.json, &report.verdict, report.users, report.users_max],
    )
}

/// The newest report takes the row, and has no counts: those that stand there stay.
fn replace_newest(session: &dyn Session, link: &LinkId, report: &Prepared, failure: &str) -> Stored<()> {
    session.run(
        "INSERT INTO latest (link, failure, report) VALUES (?1, ?2, ?3)
         ON CONFLICT (link) DO UPDATE SET failure = excluded.failure, report = excluded.report",
        params![link.as_str(), failure, &report.json],
    )
}

/// Where the row's newest report has counts, and one without is about to take its place, what was counted stays.
fn keep_counted(session: &dyn Session, link: &LinkId, newest: &Standing) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = ?2, counted_digest = ?3, counted_observed_at = ?4,
                counted_received_at = ?5, counted_report = report WHERE link = ?1 AND failure IS NULL",
        params![link.as_str(), newest.head(), newest.digest.as_str(), newest.newest.observed_at, newest.received_at,],
    )
}

/// A report that filled a gap has newer counts than the row, where the newest one has none.
fn fill_counted(session: &dyn Session, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = ?2, counted_digest = ?3, counted_received_at = ?4,
                counted_report = ?5, verdict = ?6, users = ?7, users_max = ?8, counted_observed_at = ?9
         WHERE link = ?1 AND failure IS NOT NULL AND (counted_sequence IS NULL OR counted_sequence < ?2)",
        params![
            link.as_str(),
            report.report.sequence.get(),
            report.digest.as_str(),
            now,
            &report.json,
            &report.verdict,
            report.users,
            report.users_max,
            report.report.observed_at,
        ],
    )
}

/// The row, as the domain has it.
pub(super) fn read(session: &dyn Session, link: &LinkId) -> Stored<Option<Latest>> {
    session.row(
        "SELECT chains.head AS sequence, chains.observed_at, chains.received_at, chains.digest, chains.repeats,
                latest.report, latest.counted_sequence, latest.counted_observed_at, latest.counted_received_at,
                latest.counted_digest, latest.counted_report
         FROM latest JOIN chains ON chains.link = latest.link WHERE latest.link = ?1",
        params![link.as_str()],
        latest,
    )
}

fn latest(row: &Row<'_>) -> Stored<Latest> {
    // The JSON may be that of the report which the row's repeats: place and time are the row's own.
    let said: Report = row.json("report")?;
    let newest = ReportAt {
        received_at: row.time("received_at")?,
        digest: row.parsed("digest")?,
        report: Report { sequence: row.sequence("sequence")?, observed_at: row.time("observed_at")?, ..said },
        repeats: row.sequence_option("repeats")?,
    };
    let collected = match (newest.collected(), row.number_option::<u64>("counted_sequence")?) {
        (Some(_), _) => Some(newest.clone()),
        (None, None) => None,
        (None, Some(_)) => {
            let said: Report = row.json("counted_report")?;
            let observed_at = row.time_option("counted_observed_at")?.unwrap_or(said.observed_at);
            Some(ReportAt {
                received_at: row.time("counted_received_at")?,
                digest: row.parsed("counted_digest")?,
                report: Report { sequence: row.sequence("counted_sequence")?, observed_at, ..said },
                repeats: None,
            })
        }
    };
    Ok(Latest { newest, collected })
}
