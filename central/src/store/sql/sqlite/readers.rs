//! The readers: connections that see the last commit and never wait for the writer.
//!
//! All that a read asks sees one commit: it runs in one transaction. What is written meanwhile cannot be moved from the
//! journal into the file, so a read is given up that takes too long, as PostgreSQL gives up its statements.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect;
use crate::store::Stored;
use crate::store::sql::group::{Job, TOO_MANY, reason};
use crate::store::sql::session::Session;

/// How many reads run at once; the others wait.
const READERS: usize = 8;
/// How long a read waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a read may take.
pub(super) const MOST_TIME: Duration = Duration::from_secs(12);
/// How many steps of SQLite's machine are made between two looks at the time: far less than a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The readers of a store.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    patience: Duration,
    most_time: Duration,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let turns = Arc::new(Semaphore::new(READERS));
        Self { path, turns, idle: Arc::default(), patience: PATIENCE, most_time: MOST_TIME }
    }

    /// Runs a job on an idle connection, or on a new one, on a thread where it may block, and answers it.
    pub(super) async fn read(&self, job: Box<dyn Job>) {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return job.answer(Some(TOO_MANY)) };
        let (idle, path, most_time) = (Arc::clone(&self.idle), self.path.clone(), self.most_time);
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut jobs = [job];
            let failure = read(&idle, &path, &mut jobs, most_time).err().map(reason);
            let [job] = jobs;
            job.answer(failure.as_deref());
        });
        let _ = reading.await;
    }
}

/// Runs jobs in one transaction, on an idle connection to the file at `path` or on a new one.
pub(super) fn read(
    idle: &Mutex<Vec<Connection>>,
    path: &Path,
    jobs: &mut [Box<dyn Job>],
    most_time: Duration,
) -> Stored<()> {
    let ready = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match ready {
        Some(connection) => connection,
        None => connect(path)?,
    };
    let begun = Instant::now();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || begun.elapsed() >= most_time))?;
    Session::run(&connection, "BEGIN", &[])?;
    for job in jobs {
        job.run(&connection, false);
    }
    connection.progress_handler(0, None::<fn() -> bool>)?;
    // A connection that is in a transaction still must not be used again: it would see this commit for ever.
    Session::run(&connection, "COMMIT", &[])?;
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::group;
    use crate::store::sql::sqlite::made;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_that_takes_too_long_is_given_up_and_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("central.db");
        made(&path).expect("a database");
        let readers = Readers { most_time: Duration::from_millis(20), ..Readers::new(path) };
        let (endless, answer) = group::job(Vec::new(), |session| {
            session.rows(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS most FROM n",
                &[],
                |row| row.number::<i64>("most"),
            )
        });
        readers.read(endless).await;
        let error = answer.await.expect("answered").expect_err("it has no end");
        assert!(error.to_string().contains("took too long"), "{error}");
        let (short, answer) =
            group::job(Vec::new(), |session| session.exists("SELECT key_id FROM identity WHERE singleton = 2", &[]));
        readers.read(short).await;
        assert!(!answer.await.expect("answered").expect("read"), "the connection serves the next one");
        assert_eq!(readers.idle.lock().expect("the connections").len(), 1);
    }

    #[tokio::test]
    async fn a_read_that_gets_no_turn_is_told_to_come_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let patience = Duration::from_millis(20);
        let readers = Readers { patience, ..Readers::new(dir.path().join("central.db")) };
        let _others = readers.turns.clone().acquire_many_owned(READERS as u32).await.expect("all of them");
        let (read, answer) = group::job(Vec::new(), |_| Ok(()));
        readers.read(read).await;
        let error = answer.await.expect("answered").expect_err("others read");
        assert!(error.to_string().contains("too many wait"), "{error}");
    }
}
