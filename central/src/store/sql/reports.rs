//! Reports. The rule is the domain's; what is here puts its decision into the tables.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Digest, LinkId, ReceiptVerdict, Sequence};

use super::fleet::marks;
use super::keys;
use super::latest::{self, Prepared, Standing};
use super::links::{InForce, in_force};
use super::row::{Row, name_of};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored, chain};
use crate::domain::admission::{Decision, decide};
use crate::domain::history::patience;
use crate::domain::report::{DEMANDED, MAX_REFUSED_KEPT};
use crate::domain::rotation::may_seal;
use crate::domain::{Admissions, Admitted, Incoming, Latest, RefusedReport, ReportRow};
use crate::store::{Cursor, Page, PageSize, Reports};

#[async_trait]
impl Reports for SqlStore {
    async fn admit(&self, link: &LinkId, reports: Vec<Incoming>, now: Timestamp) -> Stored<Admissions> {
        let link = link.clone();
        // The writer's time is the scarce one: what can be made ready is made ready here.
        let reports = reports.into_iter().map(Prepared::new).collect::<Stored<Vec<_>>>()?;
        self.write(move |session| {
            let in_force = match in_force(session, &link)? {
                Ok(in_force) => in_force,
                Err(code) => {
                    return Ok(Admissions { answers: vec![Admitted::Refused(code); reports.len()], settings: None });
                }
            };
            let answers = reports.iter().map(|report| admit(session, &link, &in_force, report, now));
            let answers = answers.collect::<Stored<Vec<_>>>()?;
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
        self.read(move |session| {
            let rows = session.rows(
                "SELECT sequence, digest, previous, observed_at, received_at, verdict, LENGTH(sealed) AS bytes
                 FROM reports WHERE link = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3",
                params![link.as_str(), before, size.rows_and_one()],
                report_row,
            )?;
            Ok(Page::cut(rows, size, |row| row.sequence.to_string()))
        })
        .await
    }

    async fn sealed_report(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>> {
        let link = link.clone();
        self.read(move |session| {
            session.row(
                "SELECT sealed FROM reports WHERE link = ?1 AND sequence = ?2",
                params![link.as_str(), sequence.get()],
                |row| row.text("sealed"),
            )
        })
        .await
    }

    async fn refused_reports(&self, link: &LinkId) -> Stored<Vec<RefusedReport>> {
        let link = link.clone();
        self.read(move |session| {
            session.rows(
                "SELECT digest, sequence, code, observed_at, first_at, last_at, times
                 FROM refused_reports WHERE link = ?1 ORDER BY last_at DESC, digest LIMIT ?2",
                params![link.as_str(), MAX_REFUSED_KEPT],
                refused_report,
            )
        })
        .await
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

/// Whether a report is one that was made because somebody wanted a count, and is new.
fn answers_demand(report: &Prepared, answer: &Admitted, now: Timestamp) -> bool {
    let is_new = matches!(answer, Admitted::Stored { received_at, .. } if *received_at == now);
    is_new && report.incoming.report.trigger == DEMANDED
}

fn admit(
    session: &dyn Session,
    link: &LinkId,
    in_force: &InForce,
    prepared: &Prepared,
    now: Timestamp,
) -> Stored<Admitted> {
    let incoming = &prepared.incoming;
    let report = &incoming.report;
    let patience = patience(in_force.settings.interval);
    let standing = latest::standing(session, link)?;
    let standing = standing.as_ref();
    let neighbours = chain::neighbours(session, link, standing, report.sequence)?;
    // Nearly all reports are sealed by the present key: only for another one is it looked up until when it sealed.
    let until = if incoming.key == in_force.key { None } else { keys::until(session, link, &incoming.key)? };
    let decision = match decide(incoming, &neighbours, now) {
        Decision::Repeat => Decision::Repeat,
        _ if !may_seal(&incoming.key, &in_force.key, until, report.sequence) => {
            Decision::Refuse(RefusalCode::KeyReplaced)
        }
        // A report that was stored here and is forgotten was received long ago: whoever sends it now was restored or copied.
        Decision::Store(_) if is_forgotten(session, link, standing, report.sequence)? => {
            Decision::Refuse(RefusalCode::Fork)
        }
        decision => decision,
    };
    match decision {
        Decision::Repeat => repeated(session, link, report.sequence),
        Decision::Refuse(code) => {
            keep_refused(session, link, incoming, code, now)?;
            Ok(Admitted::Refused(code))
        }
        Decision::Store(verdict) => {
            session.run(
                "INSERT INTO reports (link, sequence, digest, previous, observed_at, received_at, verdict, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    link.as_str(),
                    report.sequence.get(),
                    incoming.digest.as_str(),
                    report.previous.as_ref().map(Digest::as_str),
                    report.observed_at,
                    now,
                    &name_of(&verdict)?,
                    &incoming.sealed,
                ],
            )?;
            let content = (verdict == ReceiptVerdict::Chained).then_some(prepared.content.as_str());
            chain::extend(session, link, standing, report.sequence, chain::News { content, now })?;
            latest::update(session, link, prepared, standing, patience, now)?;
            Ok(Admitted::Stored { received_at: now, verdict })
        }
    }
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
fn keep_refused(
    session: &dyn Session,
    link: &LinkId,
    incoming: &Incoming,
    code: RefusalCode,
    now: Timestamp,
) -> Stored<()> {
    session.run(
        "INSERT INTO refused_reports (link, digest, sequence, code, observed_at, first_at, last_at, times, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7)
         ON CONFLICT (link, digest) DO UPDATE SET
            code = excluded.code, last_at = excluded.last_at, times = refused_reports.times + 1",
        params![
            link.as_str(),
            incoming.digest.as_str(),
            incoming.report.sequence.get(),
            code.name(),
            incoming.report.observed_at,
            now,
            &incoming.sealed,
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

fn report_row(row: &Row<'_>) -> Stored<ReportRow> {
    Ok(ReportRow {
        sequence: row.sequence("sequence")?,
        digest: row.parsed("digest")?,
        previous: row.parsed_option("previous")?,
        observed_at: row.time("observed_at")?,
        received_at: row.time("received_at")?,
        verdict: row.named("verdict")?,
        bytes: row.number("bytes")?,
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
