//! The writer thread. All that waits when it looks is put into one transaction, so that one sync to disk serves many:
//! the more come at once, the larger the groups. Nobody is answered before the commit.
//!
//! Nearly all writes succeed, so a group is first run as it is. Where one of its writes fails, the group is undone and
//! run again with a savepoint around each write: those cost a copy of every page that a write touches.

use std::fmt;
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::store::{StoreError, Stored};

/// How many writes may wait. More are refused as [`StoreError::Overloaded`], which holds memory and delay in bounds.
const QUEUE: usize = 1024;
/// How many writes share a commit at the most.
const GROUP: usize = 256;

/// The writer of a store. The thread ends when it is dropped, after the writes that wait.
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(super) fn start(connection: Connection) -> Stored<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(&connection, waiting))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue })
    }

    /// Runs `work` in a transaction, and gives its value after the commit. Where `work` fails, what it changed is undone
    /// and the other writes of the group are not touched. It may run twice, the first time without effect.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task { work, outcome: None, reply });
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answer.await.map_err(|_| stopped())?
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped: restart the server".into())
}

/// A write that waits.
trait Job: Send {
    /// Runs it inside the open transaction, and says whether it succeeded.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers it, with why the transaction was not committed, if it was not.
    fn answer(self: Box<Self>, failure: Option<String>);
}

struct Task<T, F> {
    work: F,
    outcome: Option<Stored<T>>,
    reply: oneshot::Sender<Stored<T>>,
}

impl<T: Send, F: Fn(&Connection) -> Stored<T> + Send> Job for Task<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        self.outcome.insert((self.work)(connection)).is_ok()
    }

    fn answer(self: Box<Self>, failure: Option<String>) {
        let outcome = match (failure, self.outcome) {
            (Some(failure), _) => Err(StoreError::Unavailable(failure.into())),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(stopped()),
        };
        // Whoever asked may be gone; what was committed stays.
        let _ = self.reply.send(outcome);
    }
}

fn serve(connection: &Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = waiting.try_recv()
        {
            group.push(job);
        }
        let failure = commit(connection, &mut group).err().map(|error| error.to_string());
        if let Some(failure) = &failure {
            tracing::error!(writes = group.len(), "a group of writes was not committed: {failure}");
        }
        for job in group {
            job.answer(failure.clone());
        }
    }
}

fn commit(connection: &Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    if !group.iter_mut().all(|job| job.run(connection)) {
        roll_back(connection)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        group.iter_mut().try_for_each(|job| run_apart(connection, &mut **job)).inspect_err(|_| {
            // The group fails as a whole, and the next one must find no open transaction.
            let _ = roll_back(connection);
        })?;
    }
    connection.execute_batch("COMMIT").inspect_err(|_| {
        // A commit that failed can leave the transaction open.
        let _ = roll_back(connection);
    })
}

/// Undoes the open transaction, if there is one: some errors have undone it already.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// Runs a write so that nothing of it stays if it fails.
fn run_apart(connection: &Connection, job: &mut dyn Job) -> rusqlite::Result<()> {
    connection.prepare_cached("SAVEPOINT one_write")?.execute([])?;
    if !job.run(connection) {
        connection.prepare_cached("ROLLBACK TO one_write")?.execute([])?;
    }
    connection.prepare_cached("RELEASE one_write")?.execute([]).map(drop)
}
