//! The stories of every store, on SQLite.

use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_central::store_conformance;
use tempfile::TempDir;

async fn fresh() -> (SqlStore, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    (SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a new store"), dir)
}

store_conformance!(fresh);
