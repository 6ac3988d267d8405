//! The identity of the stored data, on SQLite.

use async_trait::async_trait;
use seatline_protocol::KeyId;

use super::row::parsed;
use super::{SqliteStore, Stored};
use crate::store::Identity;

#[async_trait]
impl Identity for SqliteStore {
    async fn bind(&self, key: &KeyId) -> Stored<KeyId> {
        let key = key.clone();
        self.write(move |connection| {
            connection
                .prepare_cached("INSERT INTO identity (singleton, key_id) VALUES (1, ?1) ON CONFLICT DO NOTHING")?
                .execute([key.to_string()])?;
            let mut query = connection.prepare_cached("SELECT key_id FROM identity WHERE singleton = 1")?;
            Ok(query.query_row([], |row| parsed(row, "key_id"))?)
        })
        .await
    }

    async fn check(&self) -> Stored<()> {
        self.write(|connection| {
            // A write that changes nothing: the writer lives, the file can be locked and is ours.
            connection.prepare_cached("UPDATE identity SET singleton = singleton WHERE singleton = 0")?.execute([])?;
            Ok(())
        })
        .await
    }
}
