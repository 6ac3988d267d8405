//! Forgetting: link by link, from the oldest report on, so that a look costs what is forgotten and no more.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{LinkId, Sequence};

use super::row::{Row, odd};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored, repeats, set_aside};
use crate::domain::{Act, Changed, LetGo, Object, Record, Retention, WouldForget};
use crate::store::Retentions;

/// How many links are looked at in one commit.
const LINKS: u32 = 50;
/// How many reports of a link are forgotten in one commit.
const REPORTS: u32 = 500;
/// How many links are looked at to say what would go.
const SAMPLE: u32 = 32;

/// The runs of a link that nothing shows any more: the last one before a time lasts on.
macro_rules! old_runs {
    ($what:literal, $rest:literal) => {
        concat!(
            $what,
            " FROM history_runs WHERE link = ?1 AND (folded = 1 OR folded = 3) AND observed_at < ?2 AND sequence <
                (SELECT MAX(later.sequence) FROM history_runs AS later
                 WHERE later.link = ?1 AND later.track = history_runs.track AND later.observed_at < ?2) ",
            $rest
        )
    };
}

#[async_trait]
impl Retentions for SqlStore {
    async fn retention(&self) -> Stored<Retention> {
        self.read(current).await
    }

    async fn set_retention(&self, act: &Act, retention: &Retention) -> Stored<()> {
        let retention = *retention;
        self.change(act, move |session| {
            let before = current(session)?;
            session.run(
                "INSERT INTO retention (singleton, reports_days, history_days) VALUES (1, ?1, ?2)
                 ON CONFLICT (singleton) DO UPDATE SET
                    reports_days = excluded.reports_days, history_days = excluded.history_days",
                params![retention.reports_days.map(u64::from), retention.history_days.map(u64::from)],
            )?;
            let record =
                Record::changed("retention.set", Object::new("retention", "", "Retention"), &before, &retention);
            Ok(Changed { value: (), record: (before != retention).then_some(record) })
        })
        .await
    }

    async fn would_forget(&self, retention: &Retention, now: Timestamp) -> Stored<WouldForget> {
        let (reports, history) = (retention.reports_before(now), retention.history_before(now));
        self.read(move |session| {
            let links: Vec<LinkId> =
                session
                    .rows("SELECT id FROM links ORDER BY id LIMIT ?1", params![SAMPLE + 1], |row| row.parsed("id"))?;
            let is_all = links.len() <= SAMPLE as usize;
            let mut found =
                WouldForget { reports_before: reports, history_before: history, is_all, ..WouldForget::default() };
            for link in links.iter().take(SAMPLE as usize) {
                found.links += 1;
                found.reports += reports.map_or(Ok(0), |before| old_reports(session, link, before))?;
                found.days += history.map_or(Ok(0), |before| old_days(session, link, before))?;
            }
            Ok(found)
        })
        .await
    }

    async fn let_go(&self, link: &LinkId) -> Stored<Option<LetGo>> {
        let link = link.clone();
        self.read(move |session| {
            let query = "SELECT sequence FROM reports WHERE link = ?1 ORDER BY sequence LIMIT 1";
            let first = session.row(query, params![link.as_str()], |row| row.sequence("sequence"))?;
            let Some(up_to) = first.and_then(Sequence::previous) else { return Ok(None) };
            let never_came = session.row(
                "SELECT CAST(COALESCE(SUM(last_missing - first_missing + 1), 0) AS BIGINT) AS missing FROM gaps
                 WHERE link = ?1 AND last_missing <= ?2",
                params![link.as_str(), up_to.get()],
                |row| row.number::<u64>("missing"),
            )?;
            let reports = up_to.get().saturating_sub(never_came.unwrap_or_default());
            Ok((reports > 0).then_some(LetGo { up_to, reports }))
        })
        .await
    }

    async fn forget(&self, retention: &Retention, now: Timestamp, from: Option<&LinkId>) -> Stored<Option<LinkId>> {
        let (reports, history) = (retention.reports_before(now), retention.history_before(now));
        let from = from.map_or_else(String::new, |link| link.as_str().to_owned());
        let look = move |session: &dyn Session| {
            let mut links = session.rows(
                "SELECT id FROM links WHERE id >= ?1 ORDER BY id LIMIT ?2",
                params![&from, LINKS + 1],
                |row| row.text("id"),
            )?;
            let beyond = if links.len() > LINKS as usize { links.pop() } else { None };
            let mut old = Vec::new();
            for id in links {
                match parsed(&id).and_then(|link| is_old(session, &link, reports, history)) {
                    Ok(false) => {}
                    Ok(true) | Err(StoreError::Corrupt { .. }) => old.push(id),
                    Err(error) => return Err(error),
                }
            }
            Ok((old, beyond))
        };
        let (old, beyond) = self.read(look).await?;
        // Nearly always nothing is too old: then nothing is locked, and nobody waits.
        if old.is_empty()
            && let Ok(next) = beyond.as_deref().map(parsed).transpose()
        {
            return Ok(next);
        }
        self.write_locking(old.clone(), move |session| {
            for id in &old {
                let forgotten = parsed(id).and_then(|link| {
                    history.map_or(Ok(()), |before| forget_history(session, &link, before))?;
                    let rest = reports.map_or(Ok(Rest::Nothing), |before| forget_reports(session, &link, before))?;
                    Ok((rest == Rest::More).then_some(link))
                });
                if let Some(Some(link)) = set_aside::RETENTION.unless_read(session, id, forgotten, now)? {
                    return Ok(Some(link));
                }
            }
            match &beyond {
                // One whose id cannot be read is no place to go on from: the rest waits for the next walk.
                Some(id) => set_aside::RETENTION.unless_read(session, id, parsed(id), now),
                None => Ok(None),
            }
        })
        .await
    }

    async fn keep_months(&self, retention: &Retention, now: Timestamp) -> Stored<()> {
        self.driver.keep_months(retention.reports_before(now), now).await
    }
}

fn current(session: &dyn Session) -> Stored<Retention> {
    let found = session.row("SELECT reports_days, history_days FROM retention WHERE singleton = 1", &[], |row| {
        Ok(Retention {
            reports_days: row.number_option("reports_days")?,
            history_days: row.number_option("history_days")?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// About how many reports of a link were received before a time, never the newest: as many numbers as there are up to
/// the first that was not. Found by halving, so that it costs some lookups and not all reports.
fn old_reports(session: &dyn Session, link: &LinkId, before: Timestamp) -> Stored<u64> {
    let ends = session.row(
        "SELECT MIN(sequence) AS first_one, MAX(sequence) AS last_one FROM reports WHERE link = ?1",
        params![link.as_str()],
        |row| Ok((row.number_option::<u64>("first_one")?, row.number_option::<u64>("last_one")?)),
    )?;
    let Some((Some(first), Some(last))) = ends else { return Ok(0) };
    // What is below `old` is too old, and what is at `kept` or above stays.
    let (mut old, mut kept) = (first, last);
    while old < kept {
        let middle = old + (kept - old) / 2;
        let received_at = session.row(
            "SELECT received_at FROM reports WHERE link = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT 1",
            params![link.as_str(), middle],
            |row| row.time("received_at"),
        )?;
        if received_at.is_some_and(|received_at| received_at < before) {
            old = middle + 1;
        } else {
            kept = middle;
        }
    }
    Ok(old - first)
}

/// How many days of a link's history are older than a time.
fn old_days(session: &dyn Session, link: &LinkId, before: Timestamp) -> Stored<u64> {
    let count = session.row(
        "SELECT CAST(COUNT(begins_at) AS BIGINT) AS days FROM history_spans
         WHERE link = ?1 AND span = 'day' AND begins_at < ?2",
        params![link.as_str(), before],
        |row| row.number("days"),
    )?;
    Ok(count.unwrap_or_default())
}

fn parsed(id: &str) -> Stored<LinkId> {
    id.parse().map_err(|error| odd("id", error))
}

/// Whether a link has anything that is to be forgotten.
fn is_old(
    session: &dyn Session,
    link: &LinkId,
    reports: Option<Timestamp>,
    history: Option<Timestamp>,
) -> Stored<bool> {
    if let Some(before) = history {
        let day = "SELECT span FROM history_spans WHERE link = ?1 AND span = 'day' AND begins_at < ?2 LIMIT 1";
        for old in [day, old_runs!("SELECT sequence", "LIMIT 1")] {
            if session.exists(old, params![link.as_str(), before])? {
                return Ok(true);
            }
        }
    }
    let Some(before) = reports else { return Ok(false) };
    // The newest of all stays.
    Ok(matches!(oldest(session, link, 2)?[..], [(_, received_at), _] if received_at < before))
}

/// The oldest reports of a link, with when they were received.
fn oldest(session: &dyn Session, link: &LinkId, most: u32) -> Stored<Vec<(u64, Timestamp)>> {
    session.rows(
        "SELECT sequence, received_at FROM reports WHERE link = ?1 ORDER BY sequence LIMIT ?2",
        params![link.as_str(), most],
        |row: &Row<'_>| Ok((row.number("sequence")?, row.time("received_at")?)),
    )
}

/// What is left after a batch.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    Nothing,
    More,
}

/// Forgets a batch of the oldest reports of a link, up to the first that is not too old, and never the newest of all.
fn forget_reports(session: &dyn Session, link: &LinkId, before: Timestamp) -> Stored<Rest> {
    let oldest = oldest(session, link, REPORTS + 1)?;
    let newest_of_these = oldest.len().saturating_sub(1);
    let too_old = oldest[..newest_of_these].iter().take_while(|(_, received_at)| *received_at < before);
    let too_old: Vec<u64> = too_old.map(|(sequence, _)| *sequence).collect();
    let Some(last) = too_old.last() else { return Ok(Rest::Nothing) };
    repeats::outlive(session, link, *last)?;
    session.run("DELETE FROM reports WHERE link = ?1 AND sequence <= ?2", params![link.as_str(), *last])?;
    repeats::forget(session, link)?;
    Ok(if too_old.len() < REPORTS as usize { Rest::Nothing } else { Rest::More })
}

/// Forgets the days of a link's history, and the runs that nothing shows any more.
fn forget_history(session: &dyn Session, link: &LinkId, before: Timestamp) -> Stored<()> {
    session.run(
        "DELETE FROM history_spans WHERE link = ?1 AND span = 'day' AND begins_at < ?2",
        params![link.as_str(), before],
    )?;
    session.run(old_runs!("DELETE", ""), params![link.as_str(), before])
}
