//! The store on a database of SQL: each trait of [`crate::store`] once, over the database of either kind.
//!
//! | module | job |
//! |---|---|
//! | `session`, `row` | what transactions are written against: statements, values, rows |
//! | `group` | the writer thread, which commits many writes at once |
//! | `lock` | what writes lock, and in which order |
//! | `sqlite` | one file: one writer, readers apart from it |
//! | `postgres` | a server that several of us share: one writer each, readers apart from it |
//! | `applications`, `links`, … | the traits, by subject |
//!
//! How a trait is added, and what its SQL keeps to, is told in [`crate::store`].

mod accounts;
mod alerts;
mod answers;
mod applications;
mod audit;
mod chain;
mod counts;
mod evidence;
mod fleet;
mod group;
mod history;
mod identity;
mod invites;
mod keys;
mod latest;
mod leases;
mod link_list;
mod links;
mod lock;
mod news;
mod people;
mod postgres;
mod pseudonyms;
mod quota;
mod removal;
mod repeats;
mod reports;
mod retention;
mod row;
mod schedules;
mod session;
mod sessions;
mod set_aside;
mod sqlite;
mod statements;
mod tab;
#[cfg(test)]
mod tests;
mod tokens;
pub mod transfer;
#[cfg(test)]
mod upgrades;

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;
use tokio::sync::oneshot;

use super::load::{Busy, Meter, StoreLoad};
use super::{Store, StoreError, Stored};
use group::Job;
use lock::Lock;
pub use seatline_postgres::PostgresAddress;
use session::{OneStatement, Session};
pub use sqlite::DATABASE_FILE;

/// What a read sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// One commit, however many statements it runs.
    Snapshot,
    /// What was committed last when its only statement began. It costs PostgreSQL nothing beside that statement, and a
    /// file shares it with others.
    Statement,
}

/// What runs transactions: a database of one kind.
#[async_trait]
trait Driver: fmt::Debug + Send + Sync {
    /// Runs a job on what was committed last, and answers it.
    async fn read(&self, job: Box<dyn Job>, view: View);
    /// Takes a job for the next group's transaction. It is answered after the commit.
    fn write(&self, job: Box<dyn Job>) -> Stored<()>;
    /// The file that is the database, where it is one.
    fn file(&self) -> Option<&Path> {
        None
    }
    /// See [`crate::store::Retentions::keep_months`].
    async fn keep_months(&self, _forget_before: Option<Timestamp>, _now: Timestamp) -> Stored<()> {
        Ok(())
    }
}

/// The store in a database.
#[derive(Debug)]
pub struct SqlStore {
    driver: Box<dyn Driver>,
    meter: Meter,
}

impl Busy for SqlStore {
    fn load(&self) -> StoreLoad {
        self.meter.read()
    }
}

impl Store for SqlStore {}

impl SqlStore {
    /// Opens a file of SQLite, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file cannot be opened, is none of ours, or was written by a newer version.
    pub fn sqlite(path: &Path) -> Stored<Self> {
        Ok(Self { driver: Box::new(sqlite::Sqlite::open(path)?), meter: Meter::default() })
    }

    /// Connects to a database of PostgreSQL, and brings its tables up to date, also where other servers do so at the
    /// same moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be reached or used, or was written by a newer version.
    pub async fn postgres(address: PostgresAddress) -> Stored<Self> {
        // A connection has a runtime of its own, which cannot run inside another one.
        let opened = tokio::task::spawn_blocking(move || postgres::Postgres::open(address)).await;
        let postgres = opened.map_err(|error| StoreError::Unavailable(Box::new(error)))??;
        Ok(Self { driver: Box::new(postgres), meter: Meter::default() })
    }

    /// Runs `work` on what was committed last, off the async threads: all of it sees one commit. It may run again,
    /// where a connection had died.
    async fn read<T: Send + 'static>(&self, work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static) -> Stored<T> {
        self.see(View::Snapshot, work).await
    }

    /// As [`Self::read`], for what every exchange may ask: `work` runs one statement, and no more.
    async fn look<T: Send + 'static>(&self, work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static) -> Stored<T> {
        self.see(View::Statement, move |session| work(&OneStatement::on(session))).await
    }

    async fn see<T: Send + 'static>(
        &self,
        view: View,
        work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (job, answer) = group::job(Vec::new(), work);
        self.driver.read(job, view).await;
        answered(answer).await
    }

    /// Runs `work` in a transaction, and gives its value after the commit. Where `work` fails, what it changed is
    /// undone. It may run several times, all but the last without effect. It has the turn: no other server runs such a
    /// one meanwhile.
    async fn write<T: Send + 'static>(&self, work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static) -> Stored<T> {
        self.write_locking::<&str, T>([], work).await
    }

    /// As [`Self::write`], where `work` changes links, or what hangs on them.
    async fn write_locking<L: Into<String>, T: Send + 'static>(
        &self,
        links: impl IntoIterator<Item = L>,
        work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let links = links.into_iter().map(|link| Lock::Link(link.into()));
        self.meter.write(self.attempt([Lock::Turn].into_iter().chain(links).collect(), work)).await
    }

    /// As [`Self::write`], without the turn: `work` changes the link and what hangs on it, and nothing else.
    async fn write_to_link<T: Send + 'static>(
        &self,
        link: &LinkId,
        work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        self.meter.write(self.attempt(vec![link.into()], work)).await
    }

    /// Runs `work` in a transaction under `locks`, without being counted as a write.
    async fn attempt<T: Send + 'static>(
        &self,
        locks: Vec<Lock>,
        work: impl Fn(&dyn Session) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (job, answer) = group::job(locks, work);
        self.driver.write(job)?;
        answered(answer).await
    }
}

async fn answered<T>(answer: oneshot::Receiver<Stored<T>>) -> Stored<T> {
    answer.await.map_err(|_| StoreError::Unavailable("the store has stopped: restart the server".into()))?
}
