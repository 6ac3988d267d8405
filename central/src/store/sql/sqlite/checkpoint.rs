//! Writing the log back into the file, beside the writer.
//!
//! SQLite lets the commit that finds the log long do this: all who wait for it wait for that, too, and a page that many
//! commits change is written back nearly as often. Here the log may grow, and a thread of its own writes it back while
//! the writer goes on. A commit then writes back the little that came meanwhile, so that the log can begin anew.

use std::ffi::c_int;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};
use seatline_web::Repeated;

use super::connect;
use crate::store::{StoreError, Stored};

/// From how many pages of the log on it is written back: 16 MiB.
const LONG: c_int = 4 * 1024;
/// How many times as long it is where a commit does that itself, because the thread does not keep up.
const TOO_LONG: c_int = 4;
/// How often the thread goes over the log: what comes while it does so is little the second time.
const PASSES: usize = 2;

/// Has the log of the writer's `connection` to `path` written back by a thread, which ends with the connection.
pub(super) fn beside(connection: &mut Connection, path: &Path) -> Stored<()> {
    from(LONG, connection, path)
}

fn from(long: c_int, connection: &mut Connection, path: &Path) -> Stored<()> {
    let (wake, woken) = sync_channel::<()>(1);
    let written_back = Arc::new(AtomicBool::new(false));
    let (helper, done) = (connect(path)?, Arc::clone(&written_back));
    thread::Builder::new()
        .name("store-checkpoint".to_owned())
        .spawn(move || serve(&helper, &woken, long, &done))
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    connection.wal_hook(Some(move |log: &mut Wal, pages| {
        if pages >= TOO_LONG * long || (pages >= long && written_back.swap(false, Ordering::AcqRel)) {
            // What cannot be written back now, because the thread does it or the disk is full, is by a later commit.
            let _ = log.checkpoint();
        } else if pages >= long {
            // It may be awake already.
            let _ = wake.try_send(());
        }
        Ok(())
    }))?;
    Ok(())
}

fn serve(connection: &Connection, woken: &Receiver<()>, long: c_int, written_back: &AtomicBool) {
    static NOT_WRITTEN_BACK: Repeated = Repeated::new();
    while woken.recv().is_ok() {
        for _ in 0..PASSES {
            match connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE) {
                // A log that began anew meanwhile is short.
                Ok((pages, _)) => written_back.store(pages >= long, Ordering::Release),
                Err(error) => {
                    if let Some(left_out) = NOT_WRITTEN_BACK.due() {
                        tracing::warn!(left_out, "the log of the database was not written back: {error}");
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use super::*;

    const PAGE: u64 = 4096;
    /// The pages of each transaction here.
    const PAGES: u64 = 100;

    /// A new database in `dir` whose log is long from `PAGES` pages on.
    fn database(dir: &Path) -> Connection {
        let path = dir.join("central.db");
        let mut connection = connect(&path).expect("a database");
        connection.execute_batch("CREATE TABLE kept (bytes BLOB NOT NULL)").expect("a table");
        from(PAGES as c_int, &mut connection, &path).expect("a thread");
        connection
    }

    fn keep(connection: &Connection) {
        connection.execute("INSERT INTO kept VALUES (zeroblob(?1))", [PAGES * PAGE]).expect("kept");
    }

    /// Asks again and again, for half a minute.
    fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(30), "not within half a minute: {what}");
            thread::yield_now();
        }
    }

    #[test]
    fn a_long_log_is_written_back_while_nobody_commits() {
        let dir = tempfile::tempdir().expect("a directory");
        let connection = database(dir.path());
        keep(&connection);
        let file = dir.path().join("central.db");
        until("the file has it", || fs::metadata(&file).expect("a file").len() >= PAGES * PAGE);
    }

    #[test]
    fn a_log_begins_anew_while_the_writer_goes_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let connection = database(dir.path());
        // How often it did: bytes 12 to 15 of its header, by the format of the file.
        let begun = || fs::read(dir.path().join("central.db-wal")).map(|log| log[12..16].to_vec()).expect("a log");
        for _ in 0..3 {
            let before = begun();
            until("it begins anew", || {
                keep(&connection);
                begun() != before
            });
        }
    }
}
