//! What is exported of a link, in batches.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{LinkId, Sequence};

use super::reports::refused_report;
use super::session::{Session, params};
use super::statements::statement;
use super::{SqlStore, Stored, repeats};
use crate::domain::{Conflict, RefusedReport, SealedRefused, SealedReport, Statement};
use crate::evidence::Period;
use crate::store::{Evidence, Stretch};

/// How many reports are read at once: a report may have a megabyte, and a small one takes a millisecond to read.
const BATCH: u32 = 32;

/// How many gaps are read at once.
const GAPS: u32 = 1000;

#[async_trait]
impl Evidence for SqlStore {
    async fn stretch(&self, link: &LinkId, period: Period) -> Stored<Option<Stretch>> {
        let (link, (from, until)) = (link.clone(), millis(period));
        self.read(move |session| {
            let ends = session.row(
                "SELECT MIN(sequence) AS first_one, MAX(sequence) AS last_one FROM reports
                 WHERE link = ?1 AND observed_at >= ?2 AND observed_at < ?3",
                params![link.as_str(), from, until],
                |row| Ok(row.sequence_option("first_one")?.zip(row.sequence_option("last_one")?)),
            )?;
            Ok(ends.flatten())
        })
        .await
    }

    async fn sealed_reports(&self, link: &LinkId, from: Sequence, to: Sequence) -> Stored<Vec<SealedReport>> {
        let link = link.clone();
        self.read(move |session| {
            let keys = repeats::keys(session, &link)?;
            session.rows(
                repeats::exact_where!("r.sequence BETWEEN ?2 AND ?3 ORDER BY r.sequence LIMIT ?4"),
                params![link.as_str(), from.get(), to.get(), BATCH],
                |row| {
                    Ok(SealedReport {
                        sequence: row.sequence("sequence")?,
                        digest: row.digest("digest")?,
                        received_at: row.time("received_at")?,
                        verdict: row.named("verdict")?,
                        sealed: repeats::exact(row, &link, &keys)?,
                        repeats: row.sequence_option("repeats")?,
                    })
                },
            )
        })
        .await
    }

    async fn never_came(&self, link: &LinkId, from: Sequence, to: Sequence) -> Stored<Vec<Stretch>> {
        let link = link.clone();
        self.read(move |session| {
            session.rows(
                "SELECT first_missing, last_missing FROM gaps
                 WHERE link = ?1 AND last_missing >= ?2 AND first_missing <= ?3 AND first_missing >=
                    (SELECT COALESCE(MAX(first_missing), 0) FROM gaps WHERE link = ?1 AND first_missing <= ?2)
                 ORDER BY first_missing LIMIT ?4",
                params![link.as_str(), from.get(), to.get(), GAPS],
                |row| Ok((row.sequence("first_missing")?, row.sequence("last_missing")?)),
            )
        })
        .await
    }

    async fn sealed_repeated(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>> {
        let link = link.clone();
        self.read(move |session| repeats::sealed(session, &link, sequence)).await
    }

    async fn sealed_refused(
        &self,
        link: &LinkId,
        period: Period,
        stretch: Option<Stretch>,
    ) -> Stored<Vec<SealedRefused>> {
        let (link, (from, until)) = (link.clone(), millis(period));
        // Where nothing is stored, no place is claimed; a report may claim the one after the last.
        let (first, last) = stretch.map_or((1, 0), |(first, last)| (first.get(), last.get() + 1));
        self.read(move |session| {
            session.rows(
                "SELECT digest, sequence, code, observed_at, first_at, last_at, times, sealed FROM refused_reports
                 WHERE link = ?1 AND ((last_at >= ?2 AND first_at < ?3) OR sequence BETWEEN ?4 AND ?5)
                 ORDER BY sequence, digest",
                params![link.as_str(), from, until, first, last],
                |row| Ok(SealedRefused { report: refused_report(row)?, sealed: row.text("sealed")? }),
            )
        })
        .await
    }

    async fn conflicts(&self, link: &LinkId) -> Stored<Vec<Conflict>> {
        let link = link.clone();
        self.read(move |session| conflicts(session, &link)).await
    }

    async fn sealed_statements(&self, link: &LinkId, period: Period) -> Stored<Vec<(String, Statement)>> {
        let (link, (from, until)) = (link.clone(), millis(period));
        self.read(move |session| {
            session.rows(
                "SELECT digest, received_at, content, sealed FROM statements
                 WHERE link = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY received_at, changed_at, digest",
                params![link.as_str(), from, until],
                |row| Ok((row.text("sealed")?, statement(row)?)),
            )
        })
        .await
    }
}

/// The refused reports of a link that cannot stand beside its chain, the first first.
pub(super) fn conflicts(session: &dyn Session, link: &LinkId) -> Stored<Vec<Conflict>> {
    let refused = session.rows(
        "SELECT digest, sequence, code, observed_at, first_at, last_at, times FROM refused_reports
         WHERE link = ?1 AND code IN ('fork', 'broken-chain', 'key-replaced') ORDER BY first_at, digest",
        params![link.as_str()],
        refused_report,
    )?;
    refused.into_iter().map(|refused| beside(session, link, refused)).collect()
}

/// The report of the chain that a refused one cannot stand beside: the one that has its place, or else the one before,
/// or after.
fn beside(session: &dyn Session, link: &LinkId, refused: RefusedReport) -> Stored<Conflict> {
    let mut around = session.rows(
        "SELECT sequence, digest FROM reports WHERE link = ?1 AND sequence BETWEEN ?2 - 1 AND ?2 + 1 ORDER BY sequence",
        params![link.as_str(), refused.sequence.get()],
        |row| Ok((row.sequence("sequence")?, row.digest("digest")?)),
    )?;
    let is_before = |at: &Sequence| refused.code == "broken-chain" && *at < refused.sequence;
    around.sort_by_key(|(at, _)| (*at != refused.sequence, !is_before(at)));
    let (beside, beside_digest) = around.into_iter().next().unzip();
    Ok(Conflict { refused, beside, beside_digest })
}

/// The ends of a period as they are stored.
fn millis(period: Period) -> (i64, i64) {
    let millis = |at: Option<Timestamp>| at.map(|at| at.as_millisecond());
    (millis(period.from).unwrap_or(i64::MIN), millis(period.until).unwrap_or(i64::MAX))
}
