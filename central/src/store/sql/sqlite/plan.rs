//! How SQLite finds the rows of a statement, held to a rule wherever this program is built with debug checks: what a
//! statement costs depends on what it gives or changes, and not on how much there is. So every test that runs a
//! statement is a test of its indexes, too.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::store::{StoreError, Stored};

/// What may be looked through: tables that stay small however large the fleet is, and parts of a query that are bounded.
const SMALL: [&str; 6] = ["alert_channels", "alert_settings", "people_schedules", "set_aside", "CONSTANT", "some_of"];

/// The statements that keep to the rule, by where their text lies in the program.
static HELD: Mutex<Option<HashSet<usize>>> = Mutex::new(None);

/// Holds a statement to the rule.
///
/// # Errors
/// Where it looks through a table, or through what lies before a page instead of going to its place.
pub(super) fn hold(connection: &Connection, sql: &'static str) -> Stored<()> {
    // Without a condition all rows are wanted.
    if !sql.contains("WHERE") {
        return Ok(());
    }
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    if held.contains(&sql.as_ptr().addr()) {
        return Ok(());
    }
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let steps: Vec<String> = explained.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>()?;
    match wrong(sql, &steps) {
        Some(what) => Err(StoreError::Unavailable(format!("a defect of this program: {what}: {sql}").into())),
        None => {
            held.insert(sql.as_ptr().addr());
            Ok(())
        }
    }
}

/// What is wrong with the steps of a plan.
fn wrong(sql: &str, steps: &[String]) -> Option<String> {
    let through = |step: &&String| {
        let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        table.is_some_and(|table| !SMALL.contains(&table)) && !step.contains(" USING ")
    };
    if let Some(step) = steps.iter().find(through) {
        return Some(format!("it looks through a table ({step})"));
    }
    // A place of one column is compared as any other value.
    let is_place = |behind: &str| behind.split(')').next().is_some_and(|values| values.contains(','));
    let is_page = [") < (?", ") > (?", ") <= (?"].iter().any(|from| sql.split(from).skip(1).any(is_place));
    let goes_to_place = steps.iter().any(|step| step.contains(")<(") || step.contains(")>("));
    (is_page && !goes_to_place).then(|| format!("it looks through what lies before the page ({})", steps.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::sqlite::in_memory;

    #[test]
    fn a_statement_that_looks_through_what_it_does_not_want_is_refused() {
        let file = in_memory().expect("a database");
        let refused = |sql: &'static str| hold(&file, sql).expect_err(sql).to_string();
        let scan = refused("SELECT id FROM applications WHERE url = ?1");
        assert!(scan.contains("(SCAN applications)"), "{scan}");
        refused("UPDATE applications SET link = NULL WHERE link = ?1");
        let skips = refused(
            "SELECT word FROM fleet_words WHERE word >= ?1 AND word < ?2 AND (word, name_key) > (?3, ?4)
             ORDER BY word, name_key LIMIT ?5",
        );
        assert!(skips.contains("before the page"), "{skips}");
    }

    #[test]
    fn a_statement_that_goes_to_what_it_wants_may_run() {
        let file = in_memory().expect("a database");
        for sql in [
            "SELECT id FROM applications WHERE name_key = ?1",
            "SELECT word FROM fleet_words WHERE (word, name_key) > (?1, ?2) AND word < ?3 ORDER BY word, name_key",
            "SELECT id FROM alert_channels WHERE removed_at IS NULL",
            "SELECT id FROM applications",
            "SELECT name FROM turns WHERE (name) > (?1) ORDER BY name LIMIT ?2",
        ] {
            for _ in 0..2 {
                hold(&file, sql).expect(sql);
            }
        }
    }
}
