//! Runs, as reports are admitted: a report that says what the one before says costs nothing.
//!
//! Reports may come late and in any order. A run begins where a report says something else than the stored report
//! before it, so a report that comes in between may begin a run itself, and make the one after it begin one.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::{LinkId, Sequence};

use crate::domain::history::{Mark, Trace};
use crate::store::Stored;
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};

/// The track of [`Trace::counts`].
pub(super) const COUNTS: &str = "counts";
/// The track of [`Trace::licenses`]; its runs are no part of spans.
pub(super) const LICENSES: &str = "licenses";

/// The newest report of a link before this one.
pub(in crate::store::sql) struct Newest {
    pub(in crate::store::sql) sequence: u64,
    pub(in crate::store::sql) observed_at: Timestamp,
    /// Its mark; none where it was stored before there was a history, or by an early version.
    pub(in crate::store::sql) mark: Option<Mark>,
}

impl Newest {
    /// Whether the link was silent for longer than `patience` between this report and one that was observed at `at`.
    pub(in crate::store::sql) fn is_silent_before(&self, at: Timestamp, patience: SignedDuration) -> bool {
        is_silent(Some(self.observed_at), at, patience)
    }
}

/// A stored report: its place, and when it was observed.
#[derive(Clone, Copy)]
struct Place {
    sequence: u64,
    observed_at: Timestamp,
}

/// A run: the place of its first report, and what its reports say.
pub(super) struct StoredRun {
    sequence: u64,
    pub(super) content: Option<String>,
    folded: u8,
}

/// A run that is part of no span yet.
const NEW: u8 = 0;
/// A run that is part of its spans, or is to be part of none.
const FOLDED: u8 = 1;
/// A run that is part of its spans, and follows another report now.
const AGAIN: u8 = 2;
// 3 is a run that cannot be read, and is part of no span until it can: see the folding.

/// Notes a report that was just stored, of which `trace` is kept. `patience` is how long a link may be silent before
/// its history has a hole.
pub(in crate::store::sql) fn note(
    session: &dyn Session,
    link: &LinkId,
    (sequence, observed_at): (Sequence, Timestamp),
    (trace, mark): (&Trace, &Mark),
    newest: Option<&Newest>,
    patience: SignedDuration,
) -> Stored<()> {
    let at = Place { sequence: sequence.get(), observed_at };
    match newest.filter(|newest| newest.sequence > at.sequence) {
        None => go_on(session, link, at, (trace, mark), newest, patience)?,
        Some(_) => {
            for (track, content) in [(COUNTS, &trace.counts), (LICENSES, &trace.licenses)] {
                let patience = if track == COUNTS { patience } else { SignedDuration::MAX };
                insert(session, link, track, at, content.as_deref(), patience)?;
            }
        }
    }
    Ok(())
}

fn is_silent(before: Option<Timestamp>, at: Timestamp, patience: SignedDuration) -> bool {
    before.is_some_and(|before| at.duration_since(before) > patience)
}

/// A report that is the newest now: it begins a run if it says something else than the run before, or after a silence.
fn go_on(
    session: &dyn Session,
    link: &LinkId,
    at: Place,
    (trace, mark): (&Trace, &Mark),
    newest: Option<&Newest>,
    patience: SignedDuration,
) -> Stored<()> {
    let (before, marked) = (newest.map(|newest| newest.observed_at), newest.and_then(|newest| newest.mark.as_ref()));
    let silent = is_silent(before, at.observed_at, patience);
    for (track, content, same) in [
        (COUNTS, &trace.counts, marked.map(|marked| marked.counts == mark.counts)),
        (LICENSES, &trace.licenses, marked.map(|marked| marked.licenses == mark.licenses)),
    ] {
        let content = content.as_deref();
        let same = match (same, newest) {
            (Some(same), _) => same,
            (None, None) => false,
            (None, Some(_)) => {
                run_at(session, link, track, at.sequence)?.is_some_and(|run| run.content.as_deref() == content)
            }
        };
        if !same || silent && track == COUNTS {
            begin(session, link, track, at, content, before, NEW)?;
        }
    }
    Ok(())
}

/// A report that came after newer ones.
fn insert(
    session: &dyn Session,
    link: &LinkId,
    track: &'static str,
    at: Place,
    content: Option<&str>,
    patience: SignedDuration,
) -> Stored<()> {
    let (before, after) = (place_before(session, link, at.sequence)?, place_after(session, link, at.sequence)?);
    let run = run_at(session, link, track, at.sequence)?;
    let as_before = run.as_ref().is_some_and(|run| run.content.as_deref() == content);
    let before = before.map(|before| before.observed_at);
    if !as_before || is_silent(before, at.observed_at, patience) {
        begin(session, link, track, at, content, before, NEW)?;
    }
    let Some(after) = after else { return Ok(()) };
    match run_at(session, link, track, after.sequence)?.filter(|run| run.sequence == after.sequence) {
        // The next report began a run. One that says the same and is part of no span yet is forgotten; else it is seen
        // anew, because it follows another report now.
        Some(next) => {
            let is_silent = is_silent(Some(at.observed_at), after.observed_at, patience);
            if next.content.as_deref() == content && !is_silent && next.folded == NEW {
                end(session, link, track, after.sequence)?;
            } else {
                let folded = if next.folded == NEW { NEW } else { AGAIN };
                begin(session, link, track, after, next.content.as_deref(), Some(at.observed_at), folded)?;
            }
        }
        // It said what the run before says: now this one stands in between.
        None if !as_before => {
            let content = run.as_ref().and_then(|run| run.content.as_deref());
            begin(session, link, track, after, content, Some(at.observed_at), NEW)?;
        }
        None => {}
    }
    Ok(())
}

fn begin(
    session: &dyn Session,
    link: &LinkId,
    track: &'static str,
    at: Place,
    content: Option<&str>,
    before: Option<Timestamp>,
    folded: u8,
) -> Stored<()> {
    let folded = if track == COUNTS { folded } else { FOLDED };
    session.write_row(
        "INSERT INTO history_runs (link, track, sequence, observed_at, before_at, content, folded)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (link, track, sequence) DO UPDATE SET
            before_at = excluded.before_at, content = excluded.content, folded = excluded.folded",
        params![link.as_str(), track, at.sequence, at.observed_at, before, content, u16::from(folded)],
    )
}

fn end(session: &dyn Session, link: &LinkId, track: &'static str, sequence: u64) -> Stored<()> {
    session.run(
        "DELETE FROM history_runs WHERE link = ?1 AND track = ?2 AND sequence = ?3",
        params![link.as_str(), track, sequence],
    )
}

/// The run that the report at a place is part of, or would be.
pub(super) fn run_at(
    session: &dyn Session,
    link: &LinkId,
    track: &'static str,
    sequence: u64,
) -> Stored<Option<StoredRun>> {
    session.row(
        "SELECT sequence, content, folded FROM history_runs WHERE link = ?1 AND track = ?2 AND sequence <= ?3
         ORDER BY sequence DESC LIMIT 1",
        params![link.as_str(), track, sequence],
        |row| {
            Ok(StoredRun {
                sequence: row.number("sequence")?,
                content: row.text_option("content")?,
                folded: row.number("folded")?,
            })
        },
    )
}

fn place_before(session: &dyn Session, link: &LinkId, sequence: u64) -> Stored<Option<Place>> {
    session.row(
        "SELECT sequence, observed_at FROM reports WHERE link = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT 1",
        params![link.as_str(), sequence],
        place,
    )
}

fn place_after(session: &dyn Session, link: &LinkId, sequence: u64) -> Stored<Option<Place>> {
    session.row(
        "SELECT sequence, observed_at FROM reports WHERE link = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1",
        params![link.as_str(), sequence],
        place,
    )
}

fn place(row: &Row<'_>) -> Stored<Place> {
    Ok(Place { sequence: row.number("sequence")?, observed_at: row.time("observed_at")? })
}
