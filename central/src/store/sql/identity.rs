//! The identity of the stored data.

use async_trait::async_trait;
use seatline_protocol::KeyId;

use super::session::params;
use super::{SqlStore, StoreError, Stored};
use crate::store::Identity;

#[async_trait]
impl Identity for SqlStore {
    async fn bind(&self, key: &KeyId) -> Stored<KeyId> {
        let key = key.to_string();
        self.write(move |session| {
            session.run(
                "INSERT INTO identity (singleton, key_id) VALUES (1, ?1) ON CONFLICT (singleton) DO NOTHING",
                params![&key],
            )?;
            let bound =
                session.row("SELECT key_id FROM identity WHERE singleton = 1", &[], |row| row.parsed("key_id"))?;
            bound.ok_or(StoreError::Missing("identity"))
        })
        .await
    }

    async fn bound(&self) -> Stored<Option<KeyId>> {
        self.read(|session| {
            session.row("SELECT key_id FROM identity WHERE singleton = 1", &[], |row| row.parsed("key_id"))
        })
        .await
    }

    async fn check(&self) -> Stored<()> {
        // A write that changes nothing: the writer lives, and the database takes changes.
        self.write(|session| session.run("UPDATE identity SET singleton = singleton WHERE singleton = 0", &[])).await
    }
}
