//! Leases.

use async_trait::async_trait;
use jiff::Timestamp;

use super::session::params;
use super::{SqlStore, Stored};
use crate::store::Leases;
use crate::store::leases::JobState;

#[async_trait]
impl Leases for SqlStore {
    async fn take_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |session| {
            let taken = session.execute(
                "INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?4)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE leases.holder = excluded.holder OR leases.until <= ?3",
                params![&name, &holder, now, until],
            )?;
            Ok(taken > 0)
        })
        .await
    }

    async fn end_lease(&self, name: &str, holder: &str) -> Stored<()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |session| {
            session.run("UPDATE leases SET until = 0 WHERE name = ?1 AND holder = ?2", params![&name, &holder])
        })
        .await
    }

    async fn note_run(&self, name: &str, holder: &str, at: Timestamp, failure: Option<&str>) -> Stored<()> {
        let (name, holder, failure) = (name.to_owned(), holder.to_owned(), failure.map(str::to_owned));
        self.write(move |session| match &failure {
            None => session.run(
                "UPDATE leases SET ran_at = ?3, failure = NULL WHERE name = ?1 AND holder = ?2",
                params![&name, &holder, at],
            ),
            Some(failure) => session.run(
                "UPDATE leases SET failed_at = ?3, failure = ?4 WHERE name = ?1 AND holder = ?2",
                params![&name, &holder, at, failure],
            ),
        })
        .await
    }

    async fn jobs(&self) -> Stored<Vec<JobState>> {
        self.read(|session| {
            session.rows(
                "SELECT name, holder, until, ran_at, failed_at, failure FROM leases ORDER BY name",
                params![],
                |row| {
                    Ok(JobState {
                        name: row.text("name")?,
                        holder: row.text("holder")?,
                        until: row.time("until")?,
                        ran_at: row.time_option("ran_at")?,
                        failed_at: row.time_option("failed_at")?,
                        failure: row.text_option("failure")?,
                    })
                },
            )
        })
        .await
    }
}
