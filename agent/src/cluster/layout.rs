//! The tables of a state, and how they come about: plain SQL that every database takes which speaks PostgreSQL's
//! language.
//!
//! There is no serial key, no trigger and no advisory lock, and times come from the database's own clock: each
//! transaction reads it first ([`NOW`]), and hands it to the statements that follow.

use seatline_host::store::Slot;
use seatline_postgres::{Connection, QueryError, trouble};
use tokio_postgres::types::Type;

/// The newest layout: the number of migrations.
pub const LATEST: i64 = MIGRATIONS.len() as i64;

/// The time of the database, as it was when the transaction began.
pub const NOW: &str = "SELECT CURRENT_TIMESTAMP";

// Whole numbers are `bigint` and texts `text`: what other names mean is not the same in all databases.

/// The one row that tells of the whole state. It is locked by who changes the state, so that changes take turns, and a
/// node that has stood still, or runs an older version, finds out before it changes anything.
///
/// `phase` is `live`, `arriving` while a state is moved here from `place`, or `left` since it was brought back to
/// there.
const INSTANCE: &str = "
CREATE TABLE IF NOT EXISTS {s}.instance (
    id text PRIMARY KEY,
    layout bigint NOT NULL,
    revision bigint NOT NULL,
    phase text NOT NULL,
    place text,
    product text
)";

const FIRST_ROW: &str = "
INSERT INTO {s}.instance (id, layout, revision, phase) VALUES ('seatline', 0, 0, 'live') ON CONFLICT (id) DO NOTHING";

/// Each brings the layout of its place in this list to the next. One that was released is never changed.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE {s}.slots (
    name text PRIMARY KEY,
    revision bigint NOT NULL,
    value bytea NOT NULL
);
CREATE TABLE {s}.records (
    log text NOT NULL,
    position bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (log, position)
);
CREATE TABLE {s}.nodes (
    id text PRIMARY KEY,
    incarnation text NOT NULL,
    version text NOT NULL,
    agent text NOT NULL,
    plugin text,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE {s}.leases (
    name text PRIMARY KEY,
    node text NOT NULL,
    incarnation text NOT NULL,
    taken_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)"];

/// Whoever stands still in the middle of this keeps nobody up for longer.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// How often the tables are looked at again while other nodes make them too.
const ATTEMPTS: u32 = 20;

/// Makes the tables of `schema`, or brings them to the newest layout. Gives the layout that they have now, which is
/// above [`LATEST`] where a newer version was here: then nothing was done.
pub fn prepare(client: &mut Connection, schema: &str) -> Result<i64, QueryError> {
    let mut attempts = 0;
    loop {
        let step = match layout(client, schema) {
            Ok(Some(layout)) if layout >= LATEST => return Ok(layout),
            Ok(Some(layout)) => migrate(client, schema, layout),
            // The row is made with its table. Somebody has removed it, which is told to whoever uses the state.
            Ok(None) => return Ok(LATEST),
            Err(error) if trouble::is_missing(&error) => begin(client, schema),
            Err(error) => Err(error),
        };
        attempts += 1;
        match step {
            Err(error) if attempts < ATTEMPTS && trouble::is_made_by_another(&error) => {}
            step => step?,
        }
    }
}

/// Whether a state lives in `schema`: it has its tables, and an identity. Nothing is made.
pub fn is_inhabited(client: &mut Connection, schema: &str) -> Result<bool, QueryError> {
    let identity = sql("SELECT 1 FROM {s}.slots WHERE name = $1", schema);
    match client.query_opt(&identity, &[(&Slot::Identity.name(), Type::TEXT)]) {
        Ok(row) => Ok(row.is_some()),
        Err(error) if trouble::is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn layout(client: &mut Connection, schema: &str) -> Result<Option<i64>, QueryError> {
    let row = client.query_opt(&sql("SELECT layout FROM {s}.instance WHERE id = 'seatline'", schema), &[])?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Makes the schema, where there is none, and the row that everything else stands on.
fn begin(client: &mut Connection, schema: &str) -> Result<(), QueryError> {
    // Whoever may not make schemas may use one that was made for him.
    let exists = client.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", &[(&schema, Type::TEXT)])?;
    if exists.is_empty() {
        client.batch(&sql("CREATE SCHEMA IF NOT EXISTS {s}", schema))?;
    }
    // One transaction: whoever sees the table sees its row.
    client.transaction(BEGIN, |client| {
        client.batch(&sql(INSTANCE, schema))?;
        client.batch(&sql(FIRST_ROW, schema))
    })
}

/// Goes one step from `layout`, unless somebody else has gone it meanwhile.
fn migrate(client: &mut Connection, schema: &str, layout: i64) -> Result<(), QueryError> {
    let Some(migration) = usize::try_from(layout).ok().and_then(|layout| MIGRATIONS.get(layout)) else { return Ok(()) };
    client.transaction(BEGIN, |client| {
        let now = "SELECT layout FROM {s}.instance WHERE id = 'seatline' FOR UPDATE";
        let row = client.query_one(&sql(now, schema), &[])?;
        if row.try_get::<_, i64>(0)? != layout {
            return Ok(());
        }
        client.batch(&sql(migration, schema))?;
        let next = "UPDATE {s}.instance SET layout = $1 WHERE id = 'seatline'";
        client.execute(&sql(next, schema), &[(&(layout + 1), Type::INT8)]).map(drop)
    })
}

/// A statement for the tables of `schema`, which it names `{s}`.
pub fn sql(statement: &str, schema: &str) -> String {
    statement.replace("{s}", &format!("\"{schema}\""))
}

#[cfg(test)]
mod tests {
    /// What one of CockroachDB, Citus and Yugabyte takes otherwise than PostgreSQL, or not at all.
    #[test]
    fn the_statements_are_plain_enough_for_the_databases_that_speak_the_same_language() {
        let sources = [
            include_str!("arrival.rs"),
            include_str!("change.rs"),
            include_str!("nodes.rs"),
            include_str!("store.rs"),
            include_str!("walk.rs"),
            // Without this test.
            include_str!("layout.rs").split("mod tests").next().unwrap_or_default(),
        ];
        let code = sources.iter().flat_map(|source| source.lines()).filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let words = line.to_ascii_lowercase();
            for unfit in [
                " serial ",
                "bigserial",
                "trigger",
                "advisory",
                "nextval",
                "listen ",
                "notify ",
                "integer",
                " int ",
                "now()",
            ] {
                assert!(!words.contains(unfit), "{unfit}: {line}");
            }
        }
    }
}
