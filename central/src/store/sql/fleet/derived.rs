//! The row of an application, and all rows that follow from it: what stands there changes to what should.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::list;
use crate::domain::assessment::End;
use crate::domain::fleet::{FleetRow, Sums};
use crate::domain::{ApplicationId, Facet, FleetOrder};
use crate::store::Stored;
use crate::store::sql::row::{name_of, to_json};
use crate::store::sql::session::{Session, params};

/// Puts `row` in the place of what was kept of the application before. What did not change is not written.
pub(super) fn keep(session: &dyn Session, before: Option<&FleetRow>, row: &FleetRow, now: Timestamp) -> Stored<()> {
    if before == Some(row) {
        return session
            .run("UPDATE fleet SET reviewed_at = ?2 WHERE application = ?1", params![row.application.as_str(), now]);
    }
    session.run(
        "INSERT INTO fleet (application, name, product, group_name, tags, link, assessment, reviewed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (application) DO UPDATE SET
            name = excluded.name, product = excluded.product, group_name = excluded.group_name,
            tags = excluded.tags, link = excluded.link, assessment = excluded.assessment,
            reviewed_at = excluded.reviewed_at",
        params![
            row.application.as_str(),
            row.name.as_str(),
            row.product.as_str(),
            row.labels.group.as_ref().map(|group| group.as_str()),
            &to_json(&row.labels.tags)?,
            row.link.as_ref().map(|link| link.as_str()),
            &to_json(&row.assessment)?,
            now,
        ],
    )?;
    facets(session, before, row)?;
    words(session, before, Some(row))?;
    ends(session, before, Some(row))?;
    sums(session, before, Some(row))
}

/// Takes away what was kept of an application that is removed, and what it was in all sums.
pub(super) fn forget(session: &dyn Session, id: &ApplicationId) -> Stored<()> {
    let Some(before) = list::kept(session, id)? else { return Ok(()) };
    for facet in before.facets() {
        session.run(
            "DELETE FROM fleet_facets WHERE facet = ?1 AND application = ?2",
            params![facet.as_str(), id.as_str()],
        )?;
    }
    words(session, Some(&before), None)?;
    ends(session, Some(&before), None)?;
    sums(session, Some(&before), None)?;
    session.run("DELETE FROM fleet WHERE application = ?1", params![id.as_str()])
}

/// Where a row stands in its lists: by name, and by each order.
fn places(row: &FleetRow) -> (String, [i64; 3]) {
    let orders = [FleetOrder::Attention, FleetOrder::Consumption, FleetOrder::Expiry];
    (row.name.key(), orders.map(|order| order.key(row)))
}

fn facets(session: &dyn Session, before: Option<&FleetRow>, row: &FleetRow) -> Stored<()> {
    let (old, new) = (before.map(FleetRow::facets).unwrap_or_default(), row.facets());
    for gone in old.difference(&new) {
        session.run(
            "DELETE FROM fleet_facets WHERE facet = ?1 AND application = ?2",
            params![gone.as_str(), row.application.as_str()],
        )?;
    }
    let has_moved = before.map(places) != Some(places(row));
    let (name_key, [urgency, slack, ends_at]) = places(row);
    for facet in new.iter().filter(|facet| has_moved || !old.contains(*facet)) {
        session.run(
            "INSERT INTO fleet_facets (facet, application, name_key, urgency, slack, ends_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (facet, application) DO UPDATE SET name_key = excluded.name_key,
                urgency = excluded.urgency, slack = excluded.slack, ends_at = excluded.ends_at",
            params![facet.as_str(), row.application.as_str(), &name_key, urgency, slack, ends_at],
        )?;
    }
    Ok(())
}

fn words(session: &dyn Session, before: Option<&FleetRow>, row: Option<&FleetRow>) -> Stored<()> {
    let keyed = |row: &FleetRow| -> BTreeSet<(String, String)> {
        row.words().into_iter().map(|word| (word, row.name.key())).collect()
    };
    let (old, new) = (before.map(keyed).unwrap_or_default(), row.map(keyed).unwrap_or_default());
    for (word, name_key) in old.difference(&new) {
        // Another application may have taken the name since: then the place is its own.
        session.run(
            "DELETE FROM fleet_words WHERE word = ?1 AND name_key = ?2 AND application = ?3",
            params![word, name_key, before.map(|before| before.application.as_str())],
        )?;
    }
    let Some(row) = row else { return Ok(()) };
    for (word, name_key) in new.difference(&old) {
        session.run(
            "INSERT INTO fleet_words (word, name_key, application) VALUES (?1, ?2, ?3)
             ON CONFLICT (word, name_key) DO UPDATE SET application = excluded.application",
            params![word, name_key, row.application.as_str()],
        )?;
    }
    Ok(())
}

/// The key of an end in the calendar: the list, the time, the license, and what ends.
type EndKey = (Facet, i64, String, String);

fn ends(session: &dyn Session, before: Option<&FleetRow>, row: Option<&FleetRow>) -> Stored<()> {
    let keys = |row: Option<&FleetRow>| row.map(end_keys).transpose().map(Option::unwrap_or_default);
    let (old, new) = (keys(before)?, keys(row)?);
    let Some(application) = row.or(before).map(|row| row.application.as_str()) else { return Ok(()) };
    for (facet, at, license, what) in old.difference(&new) {
        session.run(
            "DELETE FROM fleet_ends
             WHERE facet = ?1 AND ends_at = ?2 AND application = ?3 AND license = ?4 AND ends = ?5",
            params![facet.as_str(), *at, application, license, what],
        )?;
    }
    for (facet, at, license, what) in new.difference(&old) {
        session.run(
            "INSERT INTO fleet_ends (facet, ends_at, application, license, ends) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (facet, ends_at, application, license, ends) DO NOTHING",
            params![facet.as_str(), *at, application, license, what],
        )?;
    }
    Ok(())
}

fn end_keys(row: &FleetRow) -> Stored<BTreeSet<EndKey>> {
    let mut keys = BTreeSet::new();
    for facet in row.sorted_by() {
        for End { license, ends, at, .. } in &row.assessment.ends {
            keys.insert((facet.clone(), at.as_millisecond(), license.to_string(), name_of(ends)?));
        }
    }
    Ok(keys)
}

fn sums(session: &dyn Session, before: Option<&FleetRow>, row: Option<&FleetRow>) -> Stored<()> {
    let change = row.map(Sums::of).unwrap_or_default().since(&before.map(Sums::of).unwrap_or_default());
    for ((used_for, facet, dimension), sum) in &change.totals {
        session.run(
            "INSERT INTO fleet_totals (used_for, facet, dimension, applications, used, used_of_limit, max, limited)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (used_for, facet, dimension) DO UPDATE SET
                applications = fleet_totals.applications + excluded.applications,
                used = fleet_totals.used + excluded.used,
                used_of_limit = fleet_totals.used_of_limit + excluded.used_of_limit,
                max = fleet_totals.max + excluded.max,
                limited = fleet_totals.limited + excluded.limited",
            params![
                used_for.name(),
                facet.as_str(),
                dimension,
                sum.applications,
                sum.used,
                sum.used_of_limit,
                sum.max,
                sum.limited,
            ],
        )?;
        if sum.applications < 0 {
            session.run(
                "DELETE FROM fleet_totals WHERE used_for = ?1 AND facet = ?2 AND dimension = ?3 AND applications = 0",
                params![used_for.name(), facet.as_str(), dimension],
            )?;
        }
    }
    for ((used_for, facet, month), ends) in &change.months {
        session.run(
            "INSERT INTO fleet_months (used_for, facet, month, ends) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (used_for, facet, month) DO UPDATE SET ends = fleet_months.ends + excluded.ends",
            params![used_for.name(), facet.as_str(), month, *ends],
        )?;
    }
    Ok(())
}
