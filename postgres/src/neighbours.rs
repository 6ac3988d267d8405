//! Who else lives in a database: the state of an agent and the tables of a central server.
//!
//! Both have a table `leases`, and a user finds the tables of a schema of his own name before all others. So whoever
//! begins in a database where the other one lives might write into the other's tables, or find none of his own any
//! more. Each looks before it makes anything.

use tokio_postgres::types::Type;

use crate::connection::{Connection, QueryError};

/// What stands in the way of the state of an agent in `schema`, if anything does, as the end of a sentence.
///
/// # Errors
/// When it cannot be looked.
pub fn of_agent(connection: &mut Connection, schema: &str) -> Result<Option<String>, QueryError> {
    let tables = "SELECT t.schemaname::text FROM pg_catalog.pg_tables t WHERE t.tablename = 'link_keys' \
                  AND (t.schemaname = $1 OR ($1 = CURRENT_USER::text AND t.schemaname = ANY(current_schemas(false)))) \
                  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_tables s WHERE s.schemaname = $1 AND s.tablename = 'slots')";
    let Some(row) = connection.query(tables, &[(&schema, Type::TEXT)])?.into_iter().next() else { return Ok(None) };
    let there: String = row.try_get(0)?;
    let why = match there == schema {
        true => "it holds the tables of a central server".to_owned(),
        false => format!(
            "the tables of a central server are in the schema `{there}`, and it would look into this one first, as it has \
             its user's name"
        ),
    };
    Ok(Some(format!("{why}; name another `schema` in [state] (`--state-schema` of `seatline init`)")))
}

/// What stands in the way of a central server's tables where it would make or find them, if anything does.
///
/// # Errors
/// When it cannot be looked.
pub fn of_central(connection: &mut Connection) -> Result<Option<String>, QueryError> {
    let tables = "SELECT current_schema()::text, t.schemaname::text, t.tablename::text FROM pg_catalog.pg_tables t \
                  WHERE t.tablename IN ('link_keys', 'slots') AND t.schemaname = ANY(current_schemas(false))";
    let (mut first, mut ours, mut states) = (String::new(), Vec::new(), Vec::new());
    for row in connection.query(tables, &[])? {
        first = row.try_get(0)?;
        let found = if row.try_get::<_, &str>(2)? == "slots" { &mut states } else { &mut ours };
        found.push(row.try_get::<_, String>(1)?);
    }
    let by = |schema: &str| format!("`options=-csearch_path%3D{schema}` in its URL");
    Ok(match ours.first() {
        _ if ours.contains(&first) => None,
        Some(there) => Some(format!(
            "the tables of this server are in the schema `{there}`, and it would look into `{first}` first, and begin anew \
             there; name the schema with {}",
            by(there)
        )),
        None if states.contains(&first) => Some(format!(
            "the schema `{first}` holds the state of an agent; give this server a schema of its own (`CREATE SCHEMA \
             central`), and name it with {}",
            by("central")
        )),
        None => None,
    })
}
