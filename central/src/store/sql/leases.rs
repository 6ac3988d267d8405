//! Leases.

use std::fs::{OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::session::params;
use super::{SqlStore, Stored, set_aside};
use crate::store::Leases;
use crate::store::StoreError;
use crate::store::leases::{Alive, JobRun, JobState};

/// What is behind the name of a database file in that of the file which shows by locks whether anybody runs jobs there.
const JOBS_FILE: &str = "-jobs";
/// By how much the clock of another server may be ahead.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(1);

#[async_trait]
impl Leases for SqlStore {
    async fn live(&self) -> Stored<Alive> {
        let Some(file) = self.driver.file() else { return Ok(Alive::default()) };
        let mut path = file.as_os_str().to_owned();
        path.push(JOBS_FILE);
        let shown = path.to_string_lossy().into_owned();
        let failed = move |error: std::io::Error| StoreError::Unavailable(format!("{shown}: {error}").into());
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => self.write(|session| session.run("UPDATE leases SET until = 0", &[])).await?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                tracing::warn!(?path, "no lock: after this server was killed, its jobs rest for a minute: {error}");
                return Ok(Alive::default());
            }
        }
        // Whoever has it to himself has it for one write, and before he takes any lease.
        let shared = tokio::task::spawn_blocking(move || lock.lock_shared().map(|()| lock)).await;
        let shared = shared.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        shared.map(Alive::by).map_err(failed)
    }

    async fn take_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        // What ends later is from before a clock was set back.
        let latest = until.checked_add(FURTHEST_AHEAD).unwrap_or(Timestamp::MAX);
        // Who waits for his turn asks again and again: only who may have it writes.
        let others = "SELECT name FROM leases WHERE name = ?1 AND holder <> ?2 AND until > ?3 AND until <= ?4";
        let asked = (name.clone(), holder.clone());
        if self.look(move |session| session.exists(others, params![&asked.0, &asked.1, now, latest])).await? {
            return Ok(false);
        }
        self.write(move |session| {
            let taken = session.execute(
                "INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?4)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE leases.holder = excluded.holder OR leases.until <= ?3 OR leases.until > ?5",
                params![&name, &holder, now, until, latest],
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

    async fn note_run(&self, name: &str, holder: &str, run: &JobRun) -> Stored<()> {
        let (name, holder, run) = (name.to_owned(), holder.to_owned(), run.clone());
        self.write(move |session| {
            set_aside::lapse(session, &name, run.at)?;
            session.run(
                "UPDATE leases SET
                    ran_at = CASE WHEN ?4 IS NULL THEN ?3 ELSE ran_at END,
                    failed_at = CASE WHEN ?4 IS NULL THEN failed_at ELSE ?3 END,
                    failure = ?4, took = ?5, next_at = ?6
                 WHERE name = ?1 AND holder = ?2",
                params![&name, &holder, run.at, &run.failure, run.took_ms, run.next_at],
            )
        })
        .await
    }

    async fn jobs(&self) -> Stored<Vec<JobState>> {
        self.read(|session| {
            let aside = set_aside::all(session)?;
            session.rows(
                "SELECT name, holder, until, ran_at, took, next_at, failed_at, failure FROM leases ORDER BY name",
                params![],
                |row| {
                    let name = row.text("name")?;
                    let of_job = aside.iter().filter(|(job, _)| *job == name);
                    Ok(JobState {
                        set_aside: of_job.map(|(_, aside)| aside.clone()).collect(),
                        name,
                        holder: row.text("holder")?,
                        until: row.time("until")?,
                        ran_at: row.time_option("ran_at")?,
                        took_ms: row.number_option("took")?,
                        next_at: row.time_option("next_at")?,
                        failed_at: row.time_option("failed_at")?,
                        failure: row.text_option("failure")?,
                    })
                },
            )
        })
        .await
    }
}
