//! The readers: connections that see the last commit and never wait for the writer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect;
use crate::store::Stored;
use crate::store::sql::group::{Job, reason};

/// How many reads run at once; the others wait.
const READERS: usize = 8;

/// The readers of a store.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    /// Runs a job on an idle connection, or on a new one, on a thread where it may block, and answers it.
    pub(super) async fn read(&self, job: Box<dyn Job>) {
        // Nobody closes the turns, and a job that is not run is answered as one whose store has stopped.
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else { return };
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut job = job;
            let failure = read(&idle, path, &mut *job).err().map(reason);
            job.answer(failure.as_deref());
        });
        let _ = reading.await;
    }
}

fn read(idle: &Mutex<Vec<Connection>>, path: PathBuf, job: &mut dyn Job) -> Stored<()> {
    let ready = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let connection = match ready {
        Some(connection) => connection,
        None => connect(&path)?,
    };
    job.run(&connection, false);
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(())
}
