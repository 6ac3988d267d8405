//! Runs become part of their spans: the day, the month and ever. What is not yet is folded where it is read.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::{LinkId, Settings};

use super::trace::COUNTS;
use crate::domain::history::{Run, Span, SpanLength, patience};
use crate::store::Stored;
use crate::store::sql::row::{Row, odd, to_json};
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;

/// The most runs of a link that are folded where they are read: a job keeps up with more of them than that.
const MOST_UNFOLDED: u16 = 1000;

/// A run that is part of no span yet.
struct Unfolded {
    link: LinkId,
    sequence: u64,
    run: Run,
}

/// What a run adds to a span.
pub(super) struct Part {
    /// Where the span begins.
    pub(super) begin: Timestamp,
    /// When the run begins.
    at: Timestamp,
    span: Span,
}

impl Part {
    /// The span with what the run adds to it.
    pub(super) fn added_to(&self, span: Span) -> Span {
        span.with_run(&self.span, self.at)
    }
}

/// A run that is part of no span yet, and what is to be folded of it, if it can be read.
struct Found {
    link: String,
    sequence: i64,
    unfolded: Stored<Unfolded>,
}

/// The links that [`fold`] is to fold.
pub(super) fn links(session: &dyn Session, most: u16, now: Timestamp) -> Stored<BTreeSet<String>> {
    let runs = unfolded_first(session, most)?;
    let again = if runs.len() < usize::from(most) { set_aside::HISTORY.due(session, now)? } else { None };
    Ok(runs.into_iter().map(|run| run.link).chain(again).collect())
}

/// Folds up to `most` runs, as far as they are of `links`; gives how many there were. What cannot be read is set aside,
/// and is in the way of no other.
pub(super) fn fold(session: &dyn Session, links: &BTreeSet<String>, most: u16, now: Timestamp) -> Stored<u32> {
    let mut runs = unfolded_first(session, most)?;
    let count = runs.len();
    // A link whose run came meanwhile is not locked.
    runs.retain(|run| links.contains(&run.link));
    fold_each(session, runs, now)?;
    if count < usize::from(most)
        && let Some(link) = set_aside::HISTORY.due(session, now)?.filter(|link| links.contains(link))
    {
        try_again(session, &link, most, now)?;
    }
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn unfolded_first(session: &dyn Session, most: u16) -> Stored<Vec<Found>> {
    session.rows(
        "SELECT link, sequence, observed_at, before_at, content FROM history_runs WHERE folded <> 1 AND folded <> 3
         ORDER BY link, sequence LIMIT ?1",
        params![most],
        found,
    )
}

/// Folds runs, in the order of their links. Gives whether all could be.
fn fold_each(session: &dyn Session, runs: Vec<Found>, now: Timestamp) -> Stored<bool> {
    let (mut known, mut all) = (None::<(LinkId, SignedDuration)>, true);
    for Found { link, sequence, unfolded } in runs {
        let done = unfolded.and_then(|unfolded| fold_one(session, &unfolded, &mut known));
        let folded = set_aside::HISTORY.unless_read(session, &link, done, now)?.is_some();
        all &= folded;
        session.run(
            "UPDATE history_runs SET folded = ?4 WHERE link = ?1 AND track = ?2 AND sequence = ?3",
            params![&link, COUNTS, sequence, if folded { 1_i64 } else { 3 }],
        )?;
    }
    Ok(all)
}

/// Adds a run to its spans. What is added of one that fails half way is added again without harm.
fn fold_one(session: &dyn Session, unfolded: &Unfolded, known: &mut Option<(LinkId, SignedDuration)>) -> Stored<()> {
    let link = &unfolded.link;
    let patience = match known {
        Some((of, patience)) if of == link => *patience,
        _ => known.insert((link.clone(), patience_of(session, link)?)).1,
    };
    for length in SpanLength::ALL {
        if let Some(part) = part(session, unfolded, length, patience)? {
            add(session, link, length, &part)?;
        }
    }
    Ok(())
}

/// Tries the runs of a link again that were set aside a while ago: somebody may have mended them, or a newer version
/// reads them.
fn try_again(session: &dyn Session, link: &str, most: u16, now: Timestamp) -> Stored<()> {
    let runs = session.rows(
        "SELECT link, sequence, observed_at, before_at, content FROM history_runs
         WHERE link = ?1 AND track = ?2 AND folded = 3 ORDER BY sequence LIMIT ?3",
        params![link, COUNTS, most],
        found,
    )?;
    let may_be_more = runs.len() >= usize::from(most);
    if fold_each(session, runs, now)? && !may_be_more {
        set_aside::HISTORY.end(session, link)?;
    }
    Ok(())
}

/// What the runs of a link that are part of no span yet add to spans.
pub(super) fn unfolded(session: &dyn Session, link: &LinkId, length: SpanLength) -> Stored<Vec<Part>> {
    let runs = session.rows(
        "SELECT link, sequence, observed_at, before_at, content FROM history_runs
         WHERE link = ?1 AND folded <> 1 AND folded <> 3 ORDER BY sequence DESC LIMIT ?2",
        params![link.as_str(), MOST_UNFOLDED],
        unfolded_run,
    )?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let patience = patience_of(session, link)?;
    let parts = runs.iter().map(|unfolded| part(session, unfolded, length, patience));
    parts.filter_map(Result::transpose).collect()
}

fn part(
    session: &dyn Session,
    unfolded: &Unfolded,
    length: SpanLength,
    patience: SignedDuration,
) -> Stored<Option<Part>> {
    let before = run_before(session, &unfolded.link, unfolded.sequence)?;
    let at = unfolded.run.at;
    let begin = length.begin(at);
    Ok(Span::of(&unfolded.run, before.as_ref(), begin, patience).map(|span| Part { begin, at, span }))
}

fn add(session: &dyn Session, link: &LinkId, length: SpanLength, part: &Part) -> Stored<()> {
    let kept: Option<Span> = session.row(
        "SELECT content FROM history_spans WHERE link = ?1 AND span = ?2 AND begins_at = ?3 FOR UPDATE",
        params![link.as_str(), length.name(), part.begin],
        |row| row.json("content"),
    )?;
    let whole = part.added_to(kept.unwrap_or_default());
    session.run(
        "INSERT INTO history_spans (link, span, begins_at, content) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (link, span, begins_at) DO UPDATE SET content = excluded.content",
        params![link.as_str(), length.name(), part.begin, &to_json(&whole)?],
    )
}

fn patience_of(session: &dyn Session, link: &LinkId) -> Stored<SignedDuration> {
    let interval = session.row("SELECT sync_interval FROM links WHERE id = ?1", params![link.as_str()], |row| {
        row.number("sync_interval")
    })?;
    Ok(patience(interval.unwrap_or(Settings::DEFAULT_INTERVAL)))
}

fn run_before(session: &dyn Session, link: &LinkId, sequence: u64) -> Stored<Option<Run>> {
    session.row(
        "SELECT observed_at, before_at, content FROM history_runs WHERE link = ?1 AND track = ?2 AND sequence < ?3
         ORDER BY sequence DESC LIMIT 1",
        params![link.as_str(), COUNTS, sequence],
        run,
    )
}

fn found(row: &Row<'_>) -> Stored<Found> {
    Ok(Found { link: row.text("link")?, sequence: row.number("sequence")?, unfolded: unfolded_run(row) })
}

fn unfolded_run(row: &Row<'_>) -> Stored<Unfolded> {
    Ok(Unfolded { link: row.parsed("link")?, sequence: row.number("sequence")?, run: run(row)? })
}

fn run(row: &Row<'_>) -> Stored<Run> {
    let facts = row.text_option("content")?;
    Ok(Run {
        at: row.time("observed_at")?,
        before_at: row.time_option("before_at")?,
        facts: facts.map(|text| serde_json::from_str(&text).map_err(|error| odd("content", error))).transpose()?,
    })
}
