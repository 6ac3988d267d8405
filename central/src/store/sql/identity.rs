//! The identity of the stored data.

use async_trait::async_trait;
use seatline_protocol::KeyId;

use super::lock::Lock;
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
        if let Some(reason) = self.meter.is_failing() {
            return Err(StoreError::Unavailable(reason.into()));
        }
        // A row that comes and goes in one commit: what waits for the disk waits here too, and nothing of it is seen.
        self.attempt(vec![Lock::Turn], |session| {
            session.run("INSERT INTO leftovers (link) VALUES ('health') ON CONFLICT (link) DO NOTHING", &[])?;
            session.run("DELETE FROM leftovers WHERE link = 'health'", &[])
        })
        .await
    }
}
