//! Parts of the table of reports, by the month in which they were received: a month that is too old goes at once,
//! whatever it holds. What comes in a month without a part of its own lies in the part for the others.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seatline_postgres::trouble::Trouble;

use super::PostgresSession;
use crate::store::Stored;
use crate::store::sql::session::Session;

/// How many months have their part before they begin.
const AHEAD: usize = 3;

/// What the part of a month is called, before its year and month.
const PREFIX: &str = "reports_";

/// A month, by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Month(Date);

impl Month {
    fn of(time: Timestamp) -> Self {
        Self(time.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    fn next(self) -> Option<Self> {
        self.0.last_of_month().tomorrow().ok().map(Self)
    }

    fn begin(self) -> Option<i64> {
        self.0.to_zoned(TimeZone::UTC).ok().map(|begin| begin.timestamp().as_millisecond())
    }

    /// Its first millisecond, and that of the month after it.
    fn bounds(self) -> Option<(i64, i64)> {
        self.begin().zip(self.next().and_then(Self::begin))
    }

    fn part(self) -> String {
        format!("{PREFIX}{:04}_{:02}", self.0.year(), self.0.month())
    }

    /// The month of a part, if it is one of ours.
    fn of_part(part: &str) -> Option<Self> {
        let (year, month) = part.strip_prefix(PREFIX)?.split_once('_')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok().map(Self)
    }
}

/// Makes the parts of the months that come, and lets those go that end before `forget_before`.
pub(super) fn keep(session: &PostgresSession, forget_before: Option<Timestamp>, now: Timestamp) -> Stored<()> {
    let asked: &dyn Session = session;
    // Whoever waits for a lock on all reports lets nobody else in meanwhile: rather it is tried again hours later.
    session.control("SET statement_timeout = '30min'; SET lock_timeout = '1s'")?;
    let parts: Vec<String> = asked.rows(
        "SELECT part.relname AS name FROM pg_inherits
         JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
         JOIN pg_class AS whole ON whole.oid = pg_inherits.inhparent
         JOIN pg_namespace AS place ON place.oid = whole.relnamespace
         WHERE whole.relname = 'reports' AND place.nspname = current_schema()",
        &[],
        |row| row.text("name"),
    )?;
    let mut month = Some(Month::of(now));
    for _ in 0..=AHEAD {
        let Some(this) = month else { break };
        month = this.next();
        if let Some(bounds) = this.bounds()
            && !parts.contains(&this.part())
        {
            make(session, &this.part(), bounds)?;
        }
    }
    let months = parts.iter().filter_map(|part| Month::of_part(part));
    for month in months.filter(|month| ends_before(*month, forget_before)) {
        forget(session, month)?;
        tracing::info!(part = month.part(), "a month of reports was forgotten");
    }
    Ok(())
}

/// Lets the part of a month go. The newest report of a link that is silent since then stays: it moves to the part for
/// the others. What is repeated by a report that stays moves beside the chain. Both are found before anything is
/// locked, as the lock holds up all reports.
fn forget(session: &PostgresSession, month: Month) -> Stored<()> {
    let part = month.part();
    let Some((begin, end)) = month.bounds() else { return Ok(()) };
    session.control(&format!(
        "DROP TABLE IF EXISTS newest, outlived;
         CREATE TEMPORARY TABLE newest AS SELECT {part}.* FROM chains
             JOIN {part} ON {part}.link = chains.link AND {part}.sequence = chains.head
                        AND {part}.received_at = chains.received_at;
         CREATE TEMPORARY TABLE outlived AS SELECT link, sequence, digest, sealed FROM {part} AS said
             WHERE said.repeats IS NULL AND (
                (said.link, said.sequence) IN (SELECT link, repeats FROM newest)
                OR said.sequence =
                   (SELECT later.repeats FROM reports AS later
                    WHERE later.link = said.link AND later.sequence > said.sequence
                      AND (later.received_at < {begin} OR later.received_at >= {end})
                    ORDER BY later.sequence LIMIT 1))"
    ))?;
    session.control(&format!(
        "BEGIN;
         ALTER TABLE reports DETACH PARTITION {part};
         INSERT INTO reports
                (link, sequence, digest, previous, observed_at, received_at, verdict, sealed, repeats, signature)
             SELECT link, sequence, digest, previous, observed_at, received_at, verdict, sealed, repeats, signature
             FROM newest;
         INSERT INTO repeated (link, sequence, digest, sealed) SELECT link, sequence, digest, sealed FROM outlived
             ON CONFLICT (link, sequence) DO NOTHING;
         DROP TABLE {part};
         COMMIT"
    ))
}

fn ends_before(month: Month, time: Option<Timestamp>) -> bool {
    matches!((month.bounds(), time), (Some((_, end)), Some(time)) if end <= time.as_millisecond())
}

fn make(session: &PostgresSession, part: &str, (begin, end): (i64, i64)) -> Stored<()> {
    let made = session.control(&format!(
        "CREATE TABLE IF NOT EXISTS {part} PARTITION OF reports FOR VALUES FROM ({begin}) TO ({end})"
    ));
    match made {
        // Reports of this month are among the others already, as after a restoration: there they stay.
        Err(error) if session.take_trouble() == Some(Trouble::Other) => {
            tracing::info!(part, "the month has no part of its own, and its reports lie among the others: {error}");
            Ok(())
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_told_by_the_names_of_their_parts() {
        let december = Month::of("2026-12-31T23:59:59Z".parse().expect("a time"));
        assert_eq!(december.part(), "reports_2026_12");
        assert_eq!(Month::of_part("reports_2026_12"), Some(december));
        assert_eq!(december.next().map(Month::part), Some("reports_2027_01".to_owned()));
        for other in ["reports_other", "reports_2026_13", "reports_", "refused_reports", "reports_2026"] {
            assert_eq!(Month::of_part(other), None, "{other}");
        }
        let end = "2027-01-01T00:00:00Z".parse().expect("a time");
        assert!(ends_before(december, Some(end)) && !ends_before(december, None));
        assert!(
            !ends_before(december, end.checked_sub(jiff::SignedDuration::from_millis(1)).ok()),
            "a whole month goes"
        );
    }
}
