//! Reports on SQLite. The rule is the domain's; what is here puts its decision into the tables.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Digest, LinkId, Sequence};

use super::latest::{self, Prepared};
use super::links::settings;
use super::row::{name_of, named, parsed, parsed_option, sequence, time};
use super::{SqliteStore, StoreError, Stored, chain};
use crate::domain::admission::{Decision, decide};
use crate::domain::report::MAX_REFUSED_KEPT;
use crate::domain::{Admissions, Admitted, Incoming, Latest, LinkSettings, LinkState, RefusedReport, ReportRow};
use crate::store::{Cursor, Page, PageSize, Reports};

#[async_trait]
impl Reports for SqliteStore {
    async fn admit(&self, link: &LinkId, reports: Vec<Incoming>, now: Timestamp) -> Stored<Admissions> {
        let link = link.clone();
        // The writer's time is the scarce one: what can be made ready is made ready here.
        let reports = reports.into_iter().map(Prepared::new).collect::<Stored<Vec<_>>>()?;
        self.write(move |connection| {
            let settings = match in_force(connection, &link)? {
                Ok(settings) => settings,
                Err(code) => {
                    return Ok(Admissions { answers: vec![Admitted::Refused(code); reports.len()], settings: None });
                }
            };
            let answers = reports.iter().map(|report| admit(connection, &link, report, now));
            Ok(Admissions { answers: answers.collect::<Stored<_>>()?, settings: Some(settings) })
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
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT sequence, digest, previous, observed_at, received_at, verdict, LENGTH(sealed) AS bytes
                 FROM reports WHERE link = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3",
            )?;
            let rows = query
                .query_map(params![link.as_str(), before, size.rows_and_one()], report_row)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(Page::cut(rows, size, |row| row.sequence.to_string()))
        })
        .await
    }

    async fn sealed_report(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>> {
        let link = link.clone();
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT sealed FROM reports WHERE link = ?1 AND sequence = ?2")?;
            Ok(query.query_row(params![link.as_str(), sequence.get()], |row| row.get(0)).optional()?)
        })
        .await
    }

    async fn refused_reports(&self, link: &LinkId) -> Stored<Vec<RefusedReport>> {
        let link = link.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT * FROM refused_reports WHERE link = ?1 ORDER BY last_at DESC, digest LIMIT ?2",
            )?;
            let rows = query.query_map(params![link.as_str(), MAX_REFUSED_KEPT], refused_report)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn sealed_refused_report(&self, link: &LinkId, digest: &Digest) -> Stored<Option<String>> {
        let (link, digest) = (link.clone(), digest.clone());
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT sealed FROM refused_reports WHERE link = ?1 AND digest = ?2")?;
            Ok(query.query_row([link.as_str(), digest.as_str()], |row| row.get(0)).optional()?)
        })
        .await
    }

    async fn latest(&self, link: &LinkId) -> Stored<Option<Latest>> {
        let link = link.clone();
        self.read(move |connection| latest::read(connection, &link)).await
    }
}

/// The settings of a link, or why no report of it is taken. Asked in the transaction: a link that is suspended meanwhile
/// is suspended.
pub(super) fn in_force(connection: &Connection, link: &LinkId) -> Stored<Result<LinkSettings, RefusalCode>> {
    let mut query = connection.prepare_cached(
        "SELECT state, settings_revision, settings_changed_at, sync_interval, dormancy_days, counting
         FROM links WHERE id = ?1",
    )?;
    let link = query.query_row([link.as_str()], |row| Ok((named(row, "state")?, settings(row)?))).optional()?;
    Ok(match link {
        Some((LinkState::Approved, settings)) => Ok(settings),
        Some((LinkState::Pending, _)) => Err(RefusalCode::LinkPending),
        Some((LinkState::Suspended, _)) => Err(RefusalCode::LinkSuspended),
        None => Err(RefusalCode::LinkUnknown),
    })
}

fn admit(connection: &Connection, link: &LinkId, prepared: &Prepared, now: Timestamp) -> Stored<Admitted> {
    let incoming = &prepared.incoming;
    let report = &incoming.report;
    let neighbours = chain::neighbours(connection, link, report.sequence)?;
    match decide(incoming, &neighbours, now) {
        Decision::Repeat => repeated(connection, link, report.sequence),
        Decision::Refuse(code) => {
            keep_refused(connection, link, incoming, code, now)?;
            Ok(Admitted::Refused(code))
        }
        Decision::Store(verdict) => {
            connection
                .prepare_cached(
                    "INSERT INTO reports (link, sequence, digest, previous, observed_at, received_at, verdict, sealed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    link.as_str(),
                    report.sequence.get(),
                    incoming.digest.as_str(),
                    report.previous.as_ref().map(Digest::as_str),
                    report.observed_at.as_millisecond(),
                    now.as_millisecond(),
                    name_of(&verdict)?,
                    incoming.sealed,
                ])?;
            chain::extend(connection, link, report.sequence)?;
            latest::update(connection, link, prepared, now)?;
            Ok(Admitted::Stored { received_at: now, verdict })
        }
    }
}

fn repeated(connection: &Connection, link: &LinkId, at: Sequence) -> Stored<Admitted> {
    let mut query =
        connection.prepare_cached("SELECT received_at, verdict FROM reports WHERE link = ?1 AND sequence = ?2")?;
    let stored = |row: &Row<'_>| {
        Ok(Admitted::Stored { received_at: time(row, "received_at")?, verdict: named(row, "verdict")? })
    };
    Ok(query.query_row(params![link.as_str(), at.get()], stored)?)
}

/// Keeps a refused report as evidence, once, and lets the one that came least recently go where there are too many.
fn keep_refused(
    connection: &Connection,
    link: &LinkId,
    incoming: &Incoming,
    code: RefusalCode,
    now: Timestamp,
) -> Stored<()> {
    let now = now.as_millisecond();
    connection
        .prepare_cached(
            "INSERT INTO refused_reports (link, digest, sequence, code, observed_at, first_at, last_at, times, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7)
             ON CONFLICT (link, digest) DO UPDATE SET
                code = excluded.code, last_at = excluded.last_at, times = refused_reports.times + 1",
        )?
        .execute(params![
            link.as_str(),
            incoming.digest.as_str(),
            incoming.report.sequence.get(),
            code.name(),
            incoming.report.observed_at.as_millisecond(),
            now,
            incoming.sealed,
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM refused_reports WHERE link = ?1 AND digest IN
                (SELECT digest FROM refused_reports WHERE link = ?1 ORDER BY last_at DESC, digest LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![link.as_str(), MAX_REFUSED_KEPT])?;
    if matches!(code, RefusalCode::Fork | RefusalCode::BrokenChain) {
        connection
            .prepare_cached("UPDATE links SET forks = forks + 1, forked_at = ?2 WHERE id = ?1")?
            .execute(params![link.as_str(), now])?;
    }
    Ok(())
}

fn report_row(row: &Row<'_>) -> rusqlite::Result<ReportRow> {
    Ok(ReportRow {
        sequence: sequence(row, "sequence")?,
        digest: parsed(row, "digest")?,
        previous: parsed_option(row, "previous")?,
        observed_at: time(row, "observed_at")?,
        received_at: time(row, "received_at")?,
        verdict: named(row, "verdict")?,
        bytes: row.get("bytes")?,
    })
}

fn refused_report(row: &Row<'_>) -> rusqlite::Result<RefusedReport> {
    Ok(RefusedReport {
        digest: parsed(row, "digest")?,
        sequence: sequence(row, "sequence")?,
        code: row.get("code")?,
        observed_at: time(row, "observed_at")?,
        first_at: time(row, "first_at")?,
        last_at: time(row, "last_at")?,
        times: row.get("times")?,
    })
}
