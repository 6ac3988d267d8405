//! The looks: reads of one statement each, such as every exchange makes. A thread runs all that wait in one
//! transaction. So SQLite looks once for the last commit, and reads once what they share, where each by itself would
//! begin with nothing; and nobody is handed to a thread of his own for a lookup that takes less than that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use tokio::sync::mpsc;

use super::readers::{MOST_TIME, read};
use crate::store::sql::group::{self, Job, reason};
use crate::store::{StoreError, Stored};

/// How many looks may wait. Whoever comes then waits until there is room.
const QUEUE: usize = 1024;
/// How many looks share a transaction at the most.
const GROUP: usize = 64;

/// The looks of a store. The thread ends when it is dropped.
pub(super) struct Looks {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Looks {
    /// Starts the thread, which opens the file at `path` when it is asked first.
    pub(super) fn start(path: PathBuf) -> Stored<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("store-looks".to_owned())
            .spawn(move || serve(&path, waiting))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue })
    }

    /// Takes a job of one statement for the next group. It sees what was committed before.
    pub(super) async fn look(&self, job: Box<dyn Job>) {
        // A job that is not run is answered as one whose store has stopped.
        let _ = self.queue.send(job).await;
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looks")
    }
}

fn serve(path: &Path, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let idle = Mutex::default();
    while let Some(mut group) = group::next(&mut waiting, GROUP) {
        let failure = read(&idle, path, &mut group, MOST_TIME).err().map(reason);
        for job in group {
            job.answer(failure.as_deref());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::sql::session::{Session, params};
    use crate::store::sql::sqlite::{connect, made};

    fn tags(session: &dyn Session) -> Stored<Vec<String>> {
        session.rows("SELECT tag FROM application_tags ORDER BY tag", params![], |row| row.text("tag"))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn looks_that_wait_together_share_a_commit_and_one_that_fails_harms_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("central.db");
        made(&path).expect("a database");
        let looks = Looks::start(path.clone()).expect("a thread");
        let (go_on, goes_on) = channel::<()>();
        let (first, holds_up) = group::job(Vec::new(), move |_| {
            goes_on.recv().expect("the story goes on");
            Ok(())
        });
        looks.look(first).await;
        let (before, seen_before) = group::job(Vec::new(), move |session| {
            let seen = tags(session)?;
            let tag = "INSERT INTO application_tags (application, tag) VALUES ('a', 'new')";
            Session::run(&connect(&path)?, tag, &[])?;
            Ok(seen)
        });
        let (wrong, failed) =
            group::job(Vec::new(), |session| session.rows("SELECT tag FROM nowhere", params![], |row| row.text("tag")));
        let (beside, seen_beside) = group::job(Vec::new(), tags);
        for job in [before, wrong, beside] {
            looks.look(job).await;
        }
        go_on.send(()).expect("the first look waits");
        holds_up.await.expect("answered").expect("run");
        assert_eq!(seen_before.await.expect("answered").expect("read"), Vec::<String>::new());
        failed.await.expect("answered").expect_err("there is no such table");
        assert_eq!(seen_beside.await.expect("answered").expect("read"), Vec::<String>::new(), "of the same commit");
        let (after, seen_after) = group::job(Vec::new(), tags);
        looks.look(after).await;
        assert_eq!(seen_after.await.expect("answered").expect("read"), ["new"], "and the next one of the next");
    }
}
