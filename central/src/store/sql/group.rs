//! The writer thread. All that waits when it looks is put into one transaction, so that one sync to disk serves many:
//! the more come at once, the larger the groups. Nobody is answered before the commit.
//!
//! Nearly all writes succeed, so a group is first run as it is. Where one of its writes fails, the group is undone and
//! run again with a savepoint around each write, which costs more.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use seatline_web::Repeated;
use tokio::sync::{mpsc, oneshot};

use super::lock::{Lock, in_order};
use super::session::Session;
use crate::store::{StoreError, Stored};

/// How many writes may wait. More are refused as [`StoreError::Overloaded`], which holds memory and delay in bounds.
const QUEUE: usize = 1024;
/// How many writes share a commit at the most.
const GROUP: usize = 256;
/// How often work is run that others were in the way of.
const ATTEMPTS: u32 = 4;
/// Why a read gets no turn.
pub(super) const TOO_MANY: &str = "too many wait for the database";

/// A connection that transactions are run on.
pub(super) trait Connection: Session {
    /// Begins a transaction.
    fn begin(&self) -> Stored<()>;
    /// Takes locks in their order, by asking what is in force of all links at once. Each answer is for who asks that first
    /// in the transaction.
    fn lock(&self, locks: &[&Lock]) -> Stored<()>;
    /// Commits the open transaction. It is on the disk when this returns.
    fn commit(&self) -> Stored<()>;
    /// Undoes the open transaction, if there is one: some errors have undone it already.
    fn roll_back(&self) -> Stored<()>;
    /// Marks the place that [`Self::undo`] goes back to.
    fn mark(&self) -> Stored<()>;
    /// Undoes everything since the mark.
    fn undo(&self) -> Stored<()>;
    /// Removes the mark.
    fn unmark(&self) -> Stored<()>;
    /// Whether what failed last may succeed when it is run again: others were in its way, and nothing was committed.
    fn may_succeed_again(&self) -> bool;
}

/// Work that waits to be run, and is answered once.
pub(super) trait Job: Send {
    /// What it locks before it is run.
    fn locks(&self) -> &[Lock];
    /// Whether it has the turn.
    fn has_turn(&self) -> bool {
        self.locks().contains(&Lock::Turn)
    }
    /// Runs it, and says whether it has succeeded; with `settled` only where all its statements have.
    fn run(&mut self, session: &dyn Session, settled: bool) -> bool;
    /// Answers it, with why the transaction was not committed, if it was not.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

/// A job of `work`, under `locks`, and where its answer comes.
pub(super) fn job<T: Send + 'static>(
    locks: Vec<Lock>,
    work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Stored<T>>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { locks, work, outcome: None, reply }), answer)
}

struct Task<T, F> {
    locks: Vec<Lock>,
    work: F,
    outcome: Option<Stored<T>>,
    reply: oneshot::Sender<Stored<T>>,
}

impl<T: Send, F: Fn(&dyn Session) -> Stored<T> + Send> Job for Task<T, F> {
    fn locks(&self) -> &[Lock] {
        &self.locks
    }

    fn run(&mut self, session: &dyn Session, settled: bool) -> bool {
        // A defect in one write fails that one: the thread goes on for all others.
        let worked = catch_unwind(AssertUnwindSafe(|| (self.work)(session)));
        let mut outcome = worked.unwrap_or_else(|_| Err(StoreError::Unavailable("a defect of this program".into())));
        if settled && outcome.is_ok() {
            outcome = session.settle().and(outcome);
        }
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let outcome = match (failure, self.outcome) {
            (Some(failure), _) => Err(StoreError::Unavailable(failure.into())),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(stopped()),
        };
        // Whoever asked may be gone; what was committed stays.
        let _ = self.reply.send(outcome);
    }
}

/// The writer of a store. The thread ends when it is dropped, after the writes that wait.
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(super) fn start(connection: impl Connection + Send + 'static) -> Stored<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(&connection, waiting))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue })
    }

    /// Takes a job for the next group.
    pub(super) fn write(&self, job: Box<dyn Job>) -> Stored<()> {
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Why the database could not be used, without the words that tell so.
pub(super) fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(reason) => reason.to_string(),
        error => error.to_string(),
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped: restart the server".into())
}

/// The jobs that wait, at most `most` of them; none once nobody can send any more. Waits for the first.
pub(super) fn next(waiting: &mut mpsc::Receiver<Box<dyn Job>>, most: usize) -> Option<Vec<Box<dyn Job>>> {
    let mut group = vec![waiting.blocking_recv()?];
    while group.len() < most
        && let Ok(job) = waiting.try_recv()
    {
        group.push(job);
    }
    Some(group)
}

fn serve<C: Connection>(connection: &C, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(mut group) = next(&mut waiting, GROUP) {
        let failure = commit(connection, &mut group).err().map(reason);
        if let Some(failure) = &failure {
            static NOT_COMMITTED: Repeated = Repeated::new();
            if let Some(left_out) = NOT_COMMITTED.due() {
                let writes = group.len();
                tracing::error!(writes, left_out, "a group of writes was not committed: {failure}");
            }
        }
        for job in group {
            job.answer(failure.as_deref());
        }
    }
}

fn commit<C: Connection>(connection: &C, group: &mut [Box<dyn Job>]) -> Stored<()> {
    let mut attempts = 1;
    loop {
        match attempt(connection, group) {
            Err(_) if attempts < ATTEMPTS && connection.may_succeed_again() => attempts += 1,
            outcome => return outcome,
        }
    }
}

fn attempt<C: Connection>(connection: &C, group: &mut [Box<dyn Job>]) -> Stored<()> {
    // Whoever has the turn comes behind: it might change the answers.
    group.sort_by_key(|job| job.has_turn());
    let locked = begin(connection, group);
    if locked.is_err() || !group.iter_mut().all(|job| job.run(connection, false)) || connection.settle().is_err() {
        connection.roll_back()?;
        let locked = begin(connection, group);
        locked.and_then(|()| group.iter_mut().try_for_each(|job| run_apart(connection, &mut **job))).inspect_err(
            |_| {
                // The group fails as a whole, and the next one must find no open transaction.
                let _ = connection.roll_back();
            },
        )?;
    }
    connection.commit().inspect_err(|_| {
        // A commit that failed can leave the transaction open.
        let _ = connection.roll_back();
    })
}

/// Begins the transaction of a group, and takes all its locks, in the order of everybody.
fn begin<C: Connection>(connection: &C, group: &[Box<dyn Job>]) -> Stored<()> {
    connection.begin()?;
    connection.lock(&in_order(group.iter().flat_map(|job| job.locks()).collect()))
}

/// Runs a write so that nothing of it stays if it fails.
fn run_apart<C: Connection>(connection: &C, job: &mut dyn Job) -> Stored<()> {
    let mut attempts = 1;
    connection.mark()?;
    while !job.run(connection, true) {
        let again = attempts < ATTEMPTS && connection.may_succeed_again();
        connection.undo()?;
        if !again {
            break;
        }
        attempts += 1;
    }
    connection.unmark()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::SqlStore;
    use crate::store::sql::session::params;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_defect_in_one_write_harms_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqlStore::sqlite(&dir.path().join("central.db")).expect("a store");
        let keep = |tag: &'static str| {
            store.write(move |session| {
                session.run("INSERT INTO application_tags (application, tag) VALUES ('a', ?1)", params![tag])
            })
        };
        let defect = store.write::<()>(|session| {
            session.run("INSERT INTO application_tags (application, tag) VALUES ('a', 'half')", params![])?;
            panic!("a defect")
        });
        let (failed, before, beside) = tokio::join!(defect, keep("one"), keep("two"));
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        before.and(beside).expect("kept");
        keep("three").await.expect("the writer goes on");
        let tags = store.read(|session| {
            session.rows("SELECT tag FROM application_tags ORDER BY tag", params![], |row| row.text("tag"))
        });
        assert_eq!(tags.await.expect("read"), ["one", "three", "two"], "and nothing of the failed one");
    }
}
