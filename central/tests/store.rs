//! The stories of every store, on SQLite.

use seatline_central::store::sqlite::{DATABASE_FILE, SqliteStore};
use seatline_central::store_conformance;
use tempfile::TempDir;

async fn fresh() -> (SqliteStore, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    (SqliteStore::open(&dir.path().join(DATABASE_FILE)).expect("a new store"), dir)
}

store_conformance!(fresh);
