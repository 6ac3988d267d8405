//! Reports. The rule is the domain's; what is here puts its decision into the tables.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Digest, Entry, KeyId, LinkId, ReceiptVerdict, Repeat, Sequence};

use super::chain::{self, Standing, Step};
use super::fleet::marks;
use super::keys;
use super::latest::{self, Prepared};
use super::links::InForce;
use super::row::{Row, name_of, short};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored, answers, quota, repeats};
use crate::domain::admission::{Claim, Decision, decide};
use crate::domain::history::patience;
use crate::domain::quota::Bound;
use crate::domain::report::{DEMANDED, MAX_REFUSED_KEPT};
use crate::domain::rotation::may_seal;
use crate::domain::{Admissions, Admitted, Incoming, Latest, RefusedReport, ReportRow};
use crate::store::{Cursor, Page, PageSize, Reports};

#[async_trait]
impl Reports for SqlStore {
    async fn admit(&self, link: &LinkId, reports: Vec<Incoming>, now: Timestamp) -> Stored<Admissions> {
        let id = link.clone();
        // The writer's time is the scarce one: what can be made ready is made ready here.
        let reports = reports.into_iter().map(Arrived::new).collect::<Stored<Vec<_>>>()?;
        self.write_to_link(link, move |session| {
            let link = &id;
            let (mut in_force, mut standing) = match chain::in_force(session, link)? {
                Ok(found) => found,
                Err(code) => {
                    return Ok(Admissions { answers: vec![Admitted::Refused(code); reports.len()], settings: None });
                }
            };
            let mut answers = Vec::with_capacity(reports.len());
            for report in &reports {
                if !answers.is_empty() {
                    standing = chain::standing(session, link)?;
                }
                answers.push(admit(session, link, &mut in_force, standing.as_ref(), report, now)?);
            }
            if in_force.settings.is_demanded()
                && reports.iter().zip(&answers).any(|(report, answer)| answers_demand(report, answer, now))
            {
                session.run("UPDATE links SET demand_answered_at = ?2 WHERE id = ?1", params![link.as_str(), now])?;
            }
            Ok(Admissions { answers, settings: Some(in_force.settings) })
        })
        .await
    }

    async fn reports(&self, link: &LinkId, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ReportRow>> {
        let link = link.clone();
        let before = match after {
            Some(cursor) => cursor.place().and_then(|place| place.parse::<u64>().ok()).ok_or(StoreError::Cursor)?,
            None => Sequence::MAX + 1,
        };
        if before > Sequence::MAX + 1 {
            return Err(StoreError::Cursor);
        }
        self.read(move |session| page(session, &link, before, size)).await
    }

    async fn sealed_report(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>> {
        let link = link.clone();
        self.read(move |session| {
            let keys = repeats::keys(session, &link)?;
            let query = repeats::exact_where!("r.sequence = ?2");
            let stored =
                session.row(query, params![link.as_str(), sequence.get()], |row| repeats::exact(row, &link, &keys))?;
            // What a stored report repeats is kept for longer than its place.
            if stored.is_some() { Ok(stored) } else { repeats::sealed(session, &link, sequence) }
        })
        .await
    }

    async fn refused_reports(&self, link: &LinkId) -> Stored<Vec<RefusedReport>> {
        let link = link.clone();
        self.read(move |session| refused(session, &link)).await
    }

    async fn sealed_refused_report(&self, link: &LinkId, digest: &Digest) -> Stored<Option<String>> {
        let (link, digest) = (link.clone(), digest.clone());
        self.read(move |session| {
            session.row(
                "SELECT sealed FROM refused_reports WHERE link = ?1 AND digest = ?2",
                params![link.as_str(), digest.as_str()],
                |row| row.text("sealed"),
            )
        })
        .await
    }

    async fn latest(&self, link: &LinkId) -> Stored<Option<Latest>> {
        let link = link.clone();
        self.read(move |session| latest::read(session, &link)).await
    }
}

/// The stored reports of a link below a sequence number, the newest first.
pub(super) fn page(session: &dyn Session, link: &LinkId, before: u64, size: PageSize) -> Stored<Page<ReportRow>> {
    let keys = repeats::keys(session, link)?;
    let rows = session.rows(
        "SELECT sequence, digest, previous, observed_at, received_at, verdict, LENGTH(sealed) AS bytes, repeats,
                CASE WHEN repeats IS NULL THEN NULL ELSE sealed END AS made_for
         FROM reports WHERE link = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3",
        params![link.as_str(), before, size.rows_and_one()],
        |row| report_row(row, link, &keys),
    )?;
    Ok(Page::cut(rows, size, |row| row.sequence.to_string()))
}

/// The refused reports of a link, the one that came last first.
pub(super) fn refused(session: &dyn Session, link: &LinkId) -> Stored<Vec<RefusedReport>> {
    session.rows(
        "SELECT digest, sequence, code, observed_at, first_at, last_at, times
         FROM refused_reports WHERE link = ?1 ORDER BY last_at DESC, digest LIMIT ?2",
        params![link.as_str(), MAX_REFUSED_KEPT],
        refused_report,
    )
}

/// A report that has arrived, made ready for the writer.
pub(super) struct Arrived {
    pub(super) sealed: String,
    pub(super) digest: Digest,
    key: KeyId,
    said: Said,
}

enum Said {
    Full(Box<Prepared>),
    Repeat(Repeat),
}

impl Arrived {
    fn new(incoming: Incoming) -> Stored<Self> {
        let Incoming { sealed, digest, entry, key } = incoming;
        let said = match entry {
            Entry::Full(report) => Said::Full(Box::new(Prepared::new(*report, &digest)?)),
            Entry::Repeat(repeat) => Said::Repeat(repeat),
        };
        Ok(Self { sealed, digest, key, said })
    }

    fn claim(&self) -> Claim<'_> {
        let (sequence, previous, observed_at) = match &self.said {
            Said::Full(prepared) => {
                let report = prepared.report();
                (report.sequence, report.previous.as_ref(), report.observed_at)
            }
            Said::Repeat(repeat) => (repeat.sequence, Some(&repeat.previous), repeat.observed_at),
        };
        Claim { digest: &self.digest, sequence, previous, observed_at }
    }

    fn is_demanded(&self) -> bool {
        let trigger = match &self.said {
            Said::Full(prepared) => &prepared.report().trigger,
            Said::Repeat(repeat) => &repeat.trigger,
        };
        trigger == DEMANDED
    }
}

/// Whether a report is one that was made because somebody wanted a count, and is new.
fn answers_demand(report: &Arrived, answer: &Admitted, now: Timestamp) -> bool {
    let is_new = matches!(answer, Admitted::Stored { received_at, .. } if *received_at == now);
    is_new && report.is_demanded()
}

fn admit(
    session: &dyn Session,
    link: &LinkId,
    in_force: &mut InForce,
    standing: Option<&Standing>,
    arrived: &Arrived,
    now: Timestamp,
) -> Stored<Admitted> {
    let claim = arrived.claim();
    let at = claim.sequence;
    let patience = patience(in_force.settings.interval);
    let neighbours = chain::neighbours(session, link, standing, at)?;
    // Nearly all reports are sealed by the present key: only for another one is it looked up until when it sealed.
    let until = if arrived.key == in_force.key { None } else { keys::until(session, link, &arrived.key)? };
    let brought = in_force.brought.and(arrived.sealed.len(), in_force.settings.daily_mib, now);
    let decision = match decide(claim, &neighbours, in_force.approved_at, now) {
        Decision::Repeat => Decision::Repeat,
        _ if !may_seal(&arrived.key, &in_force.key, until, at) => Decision::Refuse(RefusalCode::KeyReplaced),
        // A report that was stored here and is forgotten was received long ago: whoever sends it now was restored or
        // copied.
        Decision::Store(_) if is_forgotten(session, link, standing, at)? => Decision::Refuse(RefusalCode::Fork),
        Decision::Store(verdict) => brought.map_or_else(Decision::Refuse, |_| Decision::Store(verdict)),
        decision => decision,
    };
    let brought = brought.unwrap_or(in_force.brought);
    let step = Step { at, now, overdue_at: chain::overdue_at(in_force.settings.interval, now), brought, says: None };
    let stored = match (decision, &arrived.said) {
        (Decision::Repeat, _) => return repeated(session, link, at),
        (Decision::Refuse(code), _) => Admitted::Refused(code),
        (Decision::Store(verdict), Said::Repeat(repeat)) => {
            repeats::store(session, repeat, arrived, standing, (verdict, patience), step)?
        }
        // What comes after it says that it says what one before it says.
        (Decision::Store(_), Said::Full(_))
            if standing.is_some_and(|standing| at.get() < standing.head())
                && !repeats::fits(session, link, at, at)? =>
        {
            Admitted::Refused(RefusalCode::Fork)
        }
        (Decision::Store(verdict), Said::Full(prepared)) => {
            insert(session, link, arrived, (verdict, now))?;
            chain::extend(session, link, standing, step.saying(&prepared.content, verdict), prepared.news())?;
            latest::update(session, link, prepared, standing, patience, now)?;
            Admitted::Stored { received_at: now, verdict }
        }
    };
    match stored {
        Admitted::Stored { .. } => in_force.brought = brought,
        Admitted::Refused(code) => {
            Bound::of(code).map_or(Ok(()), |bound| quota::note(session, link, bound, now))?;
            // What is not known or has no room yet will be, and is no evidence of anything.
            if !matches!(code, RefusalCode::RepeatUnknown | RefusalCode::OverQuota) {
                keep_refused(session, link, arrived, code, now)?;
            }
        }
    }
    Ok(stored)
}

fn insert(
    session: &dyn Session,
    link: &LinkId,
    arrived: &Arrived,
    (verdict, now): (ReceiptVerdict, Timestamp),
) -> Stored<()> {
    let claim = arrived.claim();
    session.write_row(
        "INSERT INTO reports (link, sequence, digest, previous, observed_at, received_at, verdict, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            link.as_str(),
            claim.sequence.get(),
            &short(claim.digest),
            claim.previous.map(short).as_deref(),
            claim.observed_at,
            now,
            &name_of(&verdict)?,
            &arrived.sealed,
        ],
    )
}

/// Whether a place was taken once, by a report that is not kept any more.
fn is_forgotten(session: &dyn Session, link: &LinkId, standing: Option<&Standing>, at: Sequence) -> Stored<bool> {
    match standing {
        Some(standing) if at.get() <= standing.head() => Ok(!chain::is_gap(session, link, at)?),
        _ => Ok(false),
    }
}

fn repeated(session: &dyn Session, link: &LinkId, at: Sequence) -> Stored<Admitted> {
    let stored = session.row(
        "SELECT received_at, verdict FROM reports WHERE link = ?1 AND sequence = ?2",
        params![link.as_str(), at.get()],
        |row| Ok(Admitted::Stored { received_at: row.time("received_at")?, verdict: row.named("verdict")? }),
    )?;
    stored.ok_or(StoreError::Missing("report"))
}

/// Keeps a refused report as evidence, once, and lets the one that came least recently go where there are too many.
/// What floods writes nothing: each one is counted once a minute, and as many others as are kept.
fn keep_refused(
    session: &dyn Session,
    link: &LinkId,
    arrived: &Arrived,
    code: RefusalCode,
    now: Timestamp,
) -> Stored<()> {
    let claim = arrived.claim();
    let after = answers::counts_once_after(session, link, now)?;
    let has_enough = session.row(
        "SELECT COUNT(*) AS lately, COUNT(CASE WHEN digest = ?2 THEN 1 END) AS same FROM refused_reports
         WHERE link = ?1 AND last_at > ?3 AND last_at <= ?4",
        params![link.as_str(), claim.digest.as_str(), after, now],
        |row| Ok(row.number::<u32>("same")? > 0 || row.number::<u32>("lately")? >= MAX_REFUSED_KEPT),
    )?;
    if has_enough == Some(true) {
        return Ok(());
    }
    session.run(
        "INSERT INTO refused_reports (link, digest, sequence, code, observed_at, first_at, last_at, times, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7)
         ON CONFLICT (link, digest) DO UPDATE SET
            code = excluded.code, last_at = excluded.last_at, times = refused_reports.times + 1",
        params![
            link.as_str(),
            claim.digest.as_str(),
            claim.sequence.get(),
            code.name(),
            claim.observed_at,
            now,
            &arrived.sealed,
        ],
    )?;
    session.run(
        "DELETE FROM refused_reports WHERE link = ?1 AND digest NOT IN
            (SELECT digest FROM refused_reports WHERE link = ?1 ORDER BY last_at DESC, digest LIMIT ?2)",
        params![link.as_str(), MAX_REFUSED_KEPT],
    )?;
    if matches!(code, RefusalCode::Fork | RefusalCode::BrokenChain | RefusalCode::KeyReplaced) {
        session.run("UPDATE links SET forks = forks + 1, forked_at = ?2 WHERE id = ?1", params![link.as_str(), now])?;
        marks::link(session, link)?;
    }
    Ok(())
}

fn report_row(row: &Row<'_>, link: &LinkId, keys: &[KeyId]) -> Stored<ReportRow> {
    let repeats = row.sequence_option("repeats")?;
    let bytes = match (repeats, keys.first()) {
        (Some(_), Some(key)) => repeats::length(row, link, key)?,
        _ => row.number("bytes")?,
    };
    Ok(ReportRow {
        sequence: row.sequence("sequence")?,
        digest: row.digest("digest")?,
        previous: row.digest_option("previous")?,
        observed_at: row.time("observed_at")?,
        received_at: row.time("received_at")?,
        verdict: row.named("verdict")?,
        bytes,
        repeats,
    })
}

pub(super) fn refused_report(row: &Row<'_>) -> Stored<RefusedReport> {
    Ok(RefusedReport {
        digest: row.parsed("digest")?,
        sequence: row.sequence("sequence")?,
        code: row.text("code")?,
        observed_at: row.time("observed_at")?,
        first_at: row.time("first_at")?,
        last_at: row.time("last_at")?,
        times: row.number("times")?,
    })
}
