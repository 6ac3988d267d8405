//! What a job could not read is set aside, so that it is in the way of nothing else: it is logged, noted for the page
//! of jobs, and tried again later where the job has a later.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::text;

use super::row::Row;
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::store::leases::SetAside;

/// How many things that were set aside are shown of all jobs together.
const MOST_SHOWN: u32 = 100;
/// The longest reason that is kept.
const MAX_REASON: usize = 300;

/// How a job sets aside what it cannot read.
pub(super) struct Aside {
    /// The job.
    job: &'static str,
    /// What it goes through.
    kind: &'static str,
    /// After how long it is tried again, if it is.
    again: Option<SignedDuration>,
    /// After how long it is forgotten that it was set aside, unless that is noted again.
    lapses: SignedDuration,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Links whose history cannot be folded. What was set aside is kept in mind until it is folded.
pub(super) const HISTORY: Aside =
    Aside { job: "history", kind: "link", again: Some(HOUR), lapses: SignedDuration::from_hours(24 * 365 * 100) };
/// Applications that cannot be reviewed.
pub(super) const REVIEW: Aside =
    Aside { job: "review", kind: "application", again: Some(HOUR), lapses: SignedDuration::from_hours(2) };
/// Links of which nothing can be forgotten: the next walk along all links comes by.
pub(super) const RETENTION: Aside =
    Aside { job: "retention", kind: "link", again: None, lapses: SignedDuration::from_hours(12) };
/// Channels that hear nothing: what is open is looked through for them once they can be read.
pub(super) const CHANNELS: Aside =
    Aside { job: "alerts", kind: "channel", again: Some(HOUR), lapses: SignedDuration::from_hours(2) };
/// Channels whose messages wait.
pub(super) const WAITING: Aside =
    Aside { job: "delivery", kind: "channel", again: Some(HOUR), lapses: SignedDuration::from_hours(2) };
/// Sets of people that are not counted by their schedule.
pub(super) const SCHEDULES: Aside =
    Aside { job: "people", kind: "schedule", again: Some(HOUR), lapses: SignedDuration::from_hours(2) };
/// Counts of people that are not made.
pub(super) const COUNTS: Aside = Aside { job: "people", kind: "count", again: None, lapses: WEEK };
/// Applications with a concern that nobody can be told of.
pub(super) const ALERTS: Aside = Aside { job: "alerts", kind: "application", again: None, lapses: WEEK };
/// Messages that cannot be delivered.
pub(super) const DELIVERY: Aside = Aside { job: "delivery", kind: "message", again: None, lapses: WEEK };

impl Aside {
    /// The value of what was done for `subject`; none where it holds what cannot be read: then it is set aside.
    ///
    /// # Errors
    /// Every other one.
    pub(super) fn unless_read<T>(
        &self,
        session: &dyn Session,
        subject: &str,
        done: Stored<T>,
        now: Timestamp,
    ) -> Stored<Option<T>> {
        match done {
            Err(error @ StoreError::Corrupt { .. }) => self.note(session, subject, &error, now).map(|()| None),
            done => done.map(Some),
        }
    }

    /// When that is tried again which is set aside at `now`, if it is.
    pub(super) fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.again.map(|again| after(now, again))
    }

    /// Sets something aside.
    pub(super) fn note(&self, session: &dyn Session, subject: &str, error: &StoreError, now: Timestamp) -> Stored<()> {
        let (subject, reason) = (text::line(subject, MAX_REASON), text::line(&error.to_string(), MAX_REASON));
        tracing::error!(job = self.job, kind = self.kind, subject, "set aside, and all others go on: {reason}");
        session.run(
            "INSERT INTO set_aside (job, kind, subject, reason, since, again_at, lapses_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (job, subject) DO UPDATE SET
                reason = excluded.reason, again_at = excluded.again_at, lapses_at = excluded.lapses_at",
            params![self.job, self.kind, &subject, &reason, now, self.again_at(now), after(now, self.lapses)],
        )
    }

    /// What is to be tried again, of what was set aside first.
    pub(super) fn due(&self, session: &dyn Session, now: Timestamp) -> Stored<Option<String>> {
        session.row(
            "SELECT subject FROM set_aside WHERE job = ?1 AND again_at <= ?2 ORDER BY again_at, subject LIMIT 1",
            params![self.job, now],
            |row| row.text("subject"),
        )
    }

    /// Whether something is set aside, and not to be tried again yet.
    pub(super) fn rests(&self, session: &dyn Session, subject: &str, now: Timestamp) -> Stored<bool> {
        session.exists(
            "SELECT subject FROM set_aside WHERE job = ?1 AND subject = ?2 AND again_at > ?3",
            params![self.job, subject, now],
        )
    }

    /// Something is no longer set aside.
    pub(super) fn end(&self, session: &dyn Session, subject: &str) -> Stored<()> {
        session.run(
            "DELETE FROM set_aside WHERE job = ?1 AND subject = ?2 AND kind = ?3",
            params![self.job, subject, self.kind],
        )
    }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// Forgets what a job has set aside and has not noted again since.
pub(super) fn lapse(session: &dyn Session, job: &str, now: Timestamp) -> Stored<()> {
    session.run("DELETE FROM set_aside WHERE job = ?1 AND lapses_at <= ?2", params![job, now])
}

/// Those that can be read, where the others are left to a job to be set aside.
pub(super) fn readable<T>(all: impl IntoIterator<Item = Stored<T>>) -> Stored<Vec<T>> {
    all.into_iter().filter(|one| !matches!(one, Err(StoreError::Corrupt { .. }))).collect()
}

/// What is set aside, with the job that it is in the way of.
pub(super) fn all(session: &dyn Session) -> Stored<Vec<(String, SetAside)>> {
    session.rows(
        "SELECT job, kind, subject, reason, since, again_at FROM set_aside ORDER BY job, subject LIMIT ?1",
        params![MOST_SHOWN],
        |row: &Row<'_>| {
            let aside = SetAside {
                kind: row.text("kind")?,
                id: row.text("subject")?,
                reason: row.text("reason")?,
                since: row.time("since")?,
                again_at: row.time_option("again_at")?,
            };
            Ok((row.text("job")?, aside))
        },
    )
}

#[cfg(test)]
mod tests;
