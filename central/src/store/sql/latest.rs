//! The newest report of a link, in one row that changes in the commit of a report.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;
use seatline_protocol::{Digest, LinkId, Repeat, Report, Sequence};

use super::history::{self, Newest};
use super::links::{InForce, in_force};
use super::lock::Lock;
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
        let sketched = people.as_ref().map(|brought| (brought.sketch.as_slice(), brought.key.as_ref()));
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

/// What the row says of the newest report. Everything that decides on the one that comes next is in it: of a link that
/// reports in order, no other row is read.
pub(super) struct Standing {
    newest: Newest,
    digest: Digest,
    is_counted: bool,
    counted: Option<u64>,
    content: Option<String>,
    /// What the newest report repeats.
    repeats: Option<Repeated>,
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

    /// Whether the report at a place, with this digest, is what the newest one says: itself, or what it repeats.
    fn says(&self, sequence: Sequence, digest: &Digest) -> bool {
        match &self.repeats {
            Some(repeats) => (repeats.sequence, &repeats.digest) == (sequence, digest),
            None => (self.newest.sequence, &self.digest) == (sequence.get(), digest),
        }
    }

    /// The digest of the content that the next report says again, where it is this repeat and nothing else has changed:
    /// no silence lies between, which the history would tell of.
    pub(super) fn repeated_by(&self, repeat: &Repeat, patience: SignedDuration) -> Option<&str> {
        let is_next = repeat.sequence.get() == self.head() + 1;
        let is_traced = self.newest.mark.is_some() && !self.newest.is_silent_before(repeat.observed_at, patience);
        let says_again = self.says(repeat.repeats.sequence, &repeat.repeats.digest);
        self.content.as_deref().filter(|_| is_next && is_traced && says_again)
    }
}

/// What stands in the row of a link, if it has reported.
pub(super) fn standing(session: &dyn Session, link: &LinkId) -> Stored<Option<Standing>> {
    session.row(
        "SELECT sequence, digest, observed_at, failure, counted_sequence, traced, content, repeats, repeats_digest
         FROM latest WHERE link = ?1",
        params![link.as_str()],
        standing_of,
    )
}

/// What [`in_force_and_standing`] asks first about a link. Both rows are locked: one that was not would be read as it
/// was before the other was waited for.
const IN_FORCE_AND_STANDING: &str = "
    SELECT links.state, links.key_id, links.settings_revision, links.settings_changed_at, links.sync_interval,
           links.dormancy_days, links.counting, links.demanded_at, links.demand_answered_at, links.replace_key,
           links.daily_mib, links.approved_at, links.brought, links.brought_at,
           latest.sequence, latest.digest, latest.observed_at, latest.failure, latest.counted_sequence, latest.traced,
           latest.content, latest.repeats, latest.repeats_digest
    FROM links JOIN latest ON latest.link = links.id WHERE links.id = ?1 FOR UPDATE";

/// What [`in_force_and_standing`] asks first, as the lock of a link.
pub(super) fn lock(link: &LinkId) -> Lock {
    Lock::link_by(IN_FORCE_AND_STANDING, link)
}

/// As [`in_force`], and what stands in the row of the link. Of a link that has reported, both are one question.
pub(super) fn in_force_and_standing(
    session: &dyn Session,
    link: &LinkId,
) -> Stored<Result<(InForce, Option<Standing>), RefusalCode>> {
    let found =
        session.row(IN_FORCE_AND_STANDING, params![link.as_str()], |row| Ok((InForce::of(row)?, standing_of(row)?)))?;
    if let Some((in_force, standing)) = found {
        return Ok(in_force.map(|in_force| (in_force, Some(standing))));
    }
    match in_force(session, link)? {
        Ok(in_force) => Ok(Ok((in_force, standing(session, link)?))),
        Err(code) => Ok(Err(code)),
    }
}

fn standing_of(row: &Row<'_>) -> Stored<Standing> {
    let newest = Newest {
        sequence: row.number("sequence")?,
        observed_at: row.time("observed_at")?,
        mark: row.text_option("traced")?.and_then(|mark| Mark::read(&mark)),
    };
    let is_counted = row.text_option("failure")?.is_none();
    let counted = row.number_option("counted_sequence")?;
    let (digest, content) = (row.parsed("digest")?, row.text_option("content")?);
    let repeats = row.sequence_option("repeats")?.zip(row.parsed_option("repeats_digest")?);
    let repeats = repeats.map(|(sequence, digest)| Repeated { sequence, digest });
    Ok(Standing { newest, digest, is_counted, counted, content, repeats })
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
    let sequence = report.report.sequence.get();
    let place = (report.report.sequence, report.report.observed_at);
    let traced = (&report.trace, &report.mark);
    let before = standing.map(|standing| &standing.newest);
    let is_newest = before.is_none_or(|before| before.sequence < place.0.get());
    let says_new = before.is_none_or(|before| before.mark.as_ref() != Some(&report.mark));
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
            (link, sequence, digest, observed_at, received_at, report, verdict, users, users_max, traced, content,
             repeats, repeats_digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = NULL, report = excluded.report,
            verdict = excluded.verdict, users = excluded.users, users_max = excluded.users_max, traced = excluded.traced,
            counted_sequence = NULL, counted_digest = NULL, counted_received_at = NULL, counted_report = NULL,
            counted_observed_at = NULL, content = excluded.content, repeats = excluded.repeats,
            repeats_digest = excluded.repeats_digest",
        params![
            link.as_str(),
            report.report.sequence.get(),
            report.digest.as_str(),
            report.report.observed_at,
            now,
            &report.json,
            &report.verdict,
            report.users,
            report.users_max,
            &report.mark.to_string(),
            &report.content,
            report.repeats.as_ref().map(|repeats| repeats.sequence.get()),
            report.repeats.as_ref().map(|repeats| repeats.digest.as_str()),
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
        "INSERT INTO latest
            (link, sequence, digest, observed_at, received_at, failure, report, traced, content, repeats, repeats_digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (link) DO UPDATE SET
            sequence = excluded.sequence, digest = excluded.digest, observed_at = excluded.observed_at,
            received_at = excluded.received_at, failure = excluded.failure, report = excluded.report,
            traced = excluded.traced, content = excluded.content, repeats = excluded.repeats,
            repeats_digest = excluded.repeats_digest",
        params![
            link.as_str(),
            report.report.sequence.get(),
            report.digest.as_str(),
            report.report.observed_at,
            now,
            failure,
            &report.json,
            &report.mark.to_string(),
            &report.content,
            report.repeats.as_ref().map(|repeats| repeats.sequence.get()),
            report.repeats.as_ref().map(|repeats| repeats.digest.as_str()),
        ],
    )
}

/// The row's newest report has counts, and one without is about to take its place: what was counted stays.
fn keep_counted(session: &dyn Session, link: &LinkId) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = sequence, counted_digest = digest, counted_observed_at = observed_at,
                counted_received_at = received_at, counted_report = report WHERE link = ?1",
        params![link.as_str()],
    )
}

/// A report that filled a gap has newer counts than the row.
fn fill_counted(session: &dyn Session, link: &LinkId, report: &Prepared, now: Timestamp) -> Stored<()> {
    session.run(
        "UPDATE latest SET counted_sequence = ?2, counted_digest = ?3, counted_received_at = ?4,
                counted_report = ?5, verdict = ?6, users = ?7, users_max = ?8, counted_observed_at = ?9 WHERE link = ?1",
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

/// The newest report is repeated: its place and its time go on, and what it says stays.
pub(super) fn go_on(session: &dyn Session, repeat: &Repeat, digest: &Digest, now: Timestamp) -> Stored<()> {
    session.run(
        "UPDATE latest SET sequence = ?2, digest = ?3, observed_at = ?4, received_at = ?5, repeats = ?6,
                repeats_digest = ?7 WHERE link = ?1",
        params![
            repeat.link.as_str(),
            repeat.sequence.get(),
            digest.as_str(),
            repeat.observed_at,
            now,
            repeat.repeats.sequence.get(),
            repeat.repeats.digest.as_str(),
        ],
    )
}

/// The row, as the domain has it.
pub(super) fn read(session: &dyn Session, link: &LinkId) -> Stored<Option<Latest>> {
    session.row(
        "SELECT sequence, observed_at, received_at, digest, report, repeats,
                counted_sequence, counted_observed_at, counted_received_at, counted_digest, counted_report
         FROM latest WHERE link = ?1",
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
