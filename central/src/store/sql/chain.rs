//! The chain of a link: how far it has come, what stands around a place, and which stretches are missing.
//!
//! What changes with every report stands in a small row of its own: a row that is wider, or that more indexes lead to,
//! costs more to write than the report itself.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::chain::Neighbours;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::{Digest, LinkId, ReceiptVerdict, Repeat, Sequence};

use super::history::Newest;
use super::links::InForce;
use super::removal::is_removed;
use super::row::Row;
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::domain::Gap;
use crate::domain::history::Mark;
use crate::domain::licenses::PATIENCE_INTERVALS;
use crate::domain::link::MAX_GAPS_SHOWN;
use crate::domain::quota::Brought;

/// How far the chain of a link has come. Everything that decides on the report that comes next is in it: of a link that
/// reports in order, no other row is read.
pub(super) struct Standing {
    /// The newest report.
    pub(super) newest: Newest,
    /// Its digest, and when it came.
    pub(super) digest: Digest,
    pub(super) received_at: Timestamp,
    /// The digest of what it says.
    content: Option<String>,
    /// What it repeats.
    repeats: Option<Repeated>,
}

impl Standing {
    /// The greatest sequence number that is stored.
    pub(super) fn head(&self) -> u64 {
        self.newest.sequence
    }

    /// Whether the report at a place, with this digest, is what the newest one says: itself, or what it repeats.
    fn says(&self, sequence: Sequence, digest: &Digest) -> bool {
        match &self.repeats {
            Some(repeats) => (repeats.sequence, &repeats.digest) == (sequence, digest),
            None => (self.newest.sequence, &self.digest) == (sequence.get(), digest),
        }
    }

    /// The digest of the content that the next report says again, and its mark, where it is this repeat and nothing else
    /// has changed: no silence lies between, which the history would tell of.
    pub(super) fn repeated_by(&self, repeat: &Repeat, patience: SignedDuration) -> Option<(&str, &Mark)> {
        let is_next = repeat.sequence.get() == self.head() + 1;
        let is_steady = !self.newest.is_silent_before(repeat.observed_at, patience);
        let says_again = self.says(repeat.repeats.sequence, &repeat.repeats.digest);
        let said = self.content.as_deref().zip(self.newest.mark.as_ref());
        said.filter(|_| is_next && is_steady && says_again)
    }
}

macro_rules! in_force {
    ($links:literal) => {
        concat!(
            "SELECT links.id, links.state, links.key_id, links.settings_revision, links.settings_changed_at,
                    links.sync_interval, links.dormancy_days, links.counting, links.demanded_at,
                    links.demand_answered_at, links.replace_key, links.daily_mib, links.approved_at, chains.brought,
                    chains.brought_at, chains.head, chains.digest, chains.observed_at, chains.received_at, chains.traced,
                    chains.content, chains.repeats, chains.repeats_digest
             FROM links JOIN chains ON chains.link = links.id WHERE ",
            $links,
            " FOR UPDATE"
        )
    };
}

/// What decides on what a link sends: whoever asks has locked it. Both rows are locked: one that was not would be read
/// as it was before the other was waited for.
pub(super) const IN_FORCE: &str = in_force!("links.id = ?1");
/// As [`IN_FORCE`], of all links of a list, which are locked one after the other by id.
pub(super) const ALL_IN_FORCE: &str = in_force!("links.id = ANY(?1) ORDER BY links.id");

/// What is in force of a link and how far its chain has come, or why nothing that it sends is taken. Asked in the
/// transaction: a link that is suspended meanwhile is suspended, and of two replicas that decide on one link, one waits
/// for the other.
pub(super) fn in_force(
    session: &dyn Session,
    link: &LinkId,
) -> Stored<Result<(InForce, Option<Standing>), RefusalCode>> {
    let found = session.row(IN_FORCE, params![link.as_str()], |row| Ok((InForce::of(row)?, standing_of(row)?)))?;
    match found {
        Some((in_force, standing)) => Ok(in_force.map(|in_force| (in_force, standing))),
        None if is_removed(session, link)? => Ok(Err(RefusalCode::LinkRemoved)),
        None => Ok(Err(RefusalCode::LinkUnknown)),
    }
}

/// How far the chain of a link has come; none before its first report.
pub(super) fn standing(session: &dyn Session, link: &LinkId) -> Stored<Option<Standing>> {
    let found = session.row(
        "SELECT head, digest, observed_at, received_at, traced, content, repeats, repeats_digest
         FROM chains WHERE link = ?1",
        params![link.as_str()],
        standing_of,
    )?;
    Ok(found.flatten())
}

fn standing_of(row: &Row<'_>) -> Stored<Option<Standing>> {
    let Some(sequence) = row.number_option("head")? else { return Ok(None) };
    let mark = row.text_option("traced")?.and_then(|mark| Mark::read(&mark));
    let repeats = row.sequence_option("repeats")?.zip(row.parsed_option("repeats_digest")?);
    Ok(Some(Standing {
        newest: Newest { sequence, observed_at: row.time("observed_at")?, mark },
        digest: row.parsed("digest")?,
        received_at: row.time("received_at")?,
        content: row.text_option("content")?,
        repeats: repeats.map(|(sequence, digest)| Repeated { sequence, digest }),
    }))
}

/// Begins the chain of a new link.
pub(super) fn begin(session: &dyn Session, link: &LinkId) -> Stored<()> {
    session.run("INSERT INTO chains (link, stored) VALUES (?1, 0)", params![link.as_str()])
}

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
            found.before = Some(standing.digest.clone());
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

/// How a report comes into the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'n> {
    /// Its place.
    pub at: Sequence,
    /// When it came.
    pub now: Timestamp,
    /// Until when the next one is not missed.
    pub overdue_at: Timestamp,
    /// What the link has brought with it.
    pub brought: Brought,
    /// The digest of what it says, for the review; none where the chain has changed, too.
    pub says: Option<&'n str>,
}

impl<'n> Step<'n> {
    /// As it is, of a report with this content and this place in the chain.
    pub(super) fn saying(self, content: &'n str, verdict: ReceiptVerdict) -> Self {
        Self { says: (verdict == ReceiptVerdict::Chained).then_some(content), ..self }
    }
}

/// What the row says of a report that is the newest.
#[derive(Debug, Clone, Copy)]
pub(super) struct News<'n> {
    pub digest: &'n Digest,
    pub observed_at: Timestamp,
    /// Its mark in the history.
    pub mark: &'n Mark,
    /// The digest of what it says.
    pub content: &'n str,
    pub repeats: Option<&'n Repeated>,
}

macro_rules! extended {
    ($newest:literal) => {
        concat!(
            "UPDATE chains SET head = ?2, stored = stored + 1, brought = ?6, brought_at = ?7,
                marks = CASE WHEN settled = ?3 THEN marks ELSE marks + 1 END,
                review_at = CASE
                    WHEN settled = ?3 AND review_at <= ?4 THEN review_at
                    WHEN settled = ?3 AND turns_at <= ?5 THEN turns_at
                    WHEN settled = ?3 THEN ?5 + 1
                    ELSE 0 END",
            $newest,
            " WHERE link = ?1"
        )
    };
}

/// Counts a new report, of which `news` is kept where it is the newest: the head, the number of reports, and the gaps.
/// Where it says what the one before said, and that was reviewed, the next review is when a report is missed; else it
/// is at once.
pub(super) fn extend(
    session: &dyn Session,
    link: &LinkId,
    standing: Option<&Standing>,
    step: Step<'_>,
    news: News<'_>,
) -> Stored<()> {
    let (at, head) = (step.at.get(), standing.map_or(0, Standing::head));
    let (now, overdue_at, brought) = (step.now, step.overdue_at, step.brought);
    if at <= head {
        split_gap(session, link, at)?;
        return session.write_row(
            extended!(""),
            params![link.as_str(), head, step.says, now, overdue_at, brought.bytes, brought.at],
        );
    }
    if at > head + 1 {
        add_gap(session, link, head + 1, at - 1)?;
    }
    session.write_row(
        extended!(
            ", digest = ?8, observed_at = ?9, received_at = ?4, traced = ?10, content = ?11, repeats = ?12,
             repeats_digest = ?13"
        ),
        params![
            link.as_str(),
            at,
            step.says,
            now,
            overdue_at,
            brought.bytes,
            brought.at,
            news.digest.as_str(),
            news.observed_at,
            &news.mark.to_string(),
            news.content,
            news.repeats.map(|repeats| repeats.sequence.get()),
            news.repeats.map(|repeats| repeats.digest.as_str()),
        ],
    )
}

/// Until when a link that reports at `interval`, in seconds, is not missed.
pub(super) fn overdue_at(interval: u32, now: Timestamp) -> Timestamp {
    let wait = SignedDuration::from_secs(PATIENCE_INTERVALS * i64::from(interval));
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
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
