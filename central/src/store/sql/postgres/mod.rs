//! PostgreSQL, for several servers on one database.
//!
//! Each process commits in groups, as on a file, and reads on a few other connections. What products send is written on
//! one connection, and what people and jobs do, one server at a time, on another: so nothing that they do, and no
//! server that stands still while it does it, holds up the products of the others. Every step ends in bounded time, and
//! a server that does not answer is left alone for a while: whoever asks meanwhile is refused at once. A connection
//! that was lost before its commit is made anew, and the work is run again; where it was lost in the commit itself,
//! nobody can know, and whoever asked is told so.

mod gathered;
mod months;
mod server;
mod session;

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_postgres::trouble::{self, Trouble};
use seatline_postgres::{PostgresAddress, QueryError, neighbours};
use tokio::sync::Semaphore;

use super::group::{self, Job, Writer};
use super::lock::{Lock, is_of_link, links};
use super::row::Row;
use super::session::{Param, Session};
use super::{Driver, StoreError, Stored, View};
pub(super) use server::Server;
pub(super) use session::PostgresSession;

/// How many reads run at once; the others wait.
const READERS: usize = 8;
/// How long a read waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How long a migration, or another thing that is done to all data at once, may take.
const MIGRATION: Duration = Duration::from_secs(3600);
/// How often the migrations are tried while other servers run them too.
const ATTEMPTS: u32 = 20;

mod embedded {
    refinery::embed_migrations!("src/store/sql/migrations/postgres");
}

/// A database of PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres {
    server: Arc<Server>,
    /// Writes of one link each.
    of_links: Writer,
    /// Writes that have the turn.
    with_turn: Writer,
    turns: Arc<Semaphore>,
}

impl Postgres {
    /// Connects, and brings the tables up to date. It blocks.
    pub(super) fn open(address: PostgresAddress) -> Stored<Self> {
        let server = Arc::new(made(address)?);
        let writer = || Writer::start(Writing::on(&server));
        let (of_links, with_turn) = (writer()?, writer()?);
        Ok(Self { server, of_links, with_turn, turns: Arc::new(Semaphore::new(READERS)) })
    }
}

/// A server whose tables are up to date.
pub(super) fn made(address: PostgresAddress) -> Stored<Server> {
    let server = Server::new(address);
    migrate(&server)?;
    Ok(server)
}

/// A connection for one long transaction.
pub(super) fn unhurried(address: PostgresAddress) -> Stored<PostgresSession> {
    Server::new(address).unhurried()
}

#[async_trait]
impl Driver for Postgres {
    async fn read(&self, job: Box<dyn Job>, view: View) {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return job.answer(Some(group::TOO_MANY)) };
        let server = Arc::clone(&self.server);
        // It is answered before the snapshot is given up, and so nobody waits for the end of this.
        drop(tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut job = job;
            match read(&server, &mut *job, view) {
                Ok(session) => {
                    job.answer(None);
                    if let Some(session) = session {
                        give_back(&server, session, view);
                    }
                }
                Err(error) => job.answer(Some(&group::reason(error))),
            }
        }));
    }

    fn write(&self, job: Box<dyn Job>) -> Stored<()> {
        if job.has_turn() { self.with_turn.write(job) } else { self.of_links.write(job) }
    }

    async fn keep_months(&self, forget_before: Option<Timestamp>, now: Timestamp) -> Stored<()> {
        let server = Arc::clone(&self.server);
        // On a connection of its own: whatever waits for the locks of these statements is not the writer.
        let kept = tokio::task::spawn_blocking(move || {
            server.refusal()?;
            months::keep(&server.unhurried()?, forget_before, now)
        });
        kept.await.map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }
}

/// Runs a read on a connection that waits, or on a new one where there is none, or it has died. Gives the connection if
/// it is of further use: it is still in the transaction of a snapshot.
fn read(server: &Server, job: &mut dyn Job, view: View) -> Stored<Option<PostgresSession>> {
    server.refusal()?;
    loop {
        let waiting = server.waiting();
        let is_new = waiting.is_none();
        let session = waiting.map_or_else(|| server.connect(), Ok)?;
        let asked = Instant::now();
        if view == View::Snapshot {
            // It goes out with the first statement, and is not waited for.
            session.control_unsettled("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        }
        job.run(&session, true);
        let trouble = session.take_trouble();
        server.heard(trouble, asked);
        match trouble {
            Some(Trouble::Lost) if !is_new => {}
            // The tables have changed since it was prepared: it is prepared anew.
            Some(Trouble::Outdated) if !is_new => give_back(server, session, view),
            Some(Trouble::Lost | Trouble::Silent) => return Ok(None),
            _ => return Ok(Some(session)),
        }
    }
}

/// Gives up the snapshot of a read, and keeps its connection for the next one.
fn give_back(server: &Server, session: PostgresSession, view: View) {
    if view == View::Statement {
        return server.give_back(session);
    }
    let asked = Instant::now();
    let ended = session.control_anyway("ROLLBACK");
    server.heard(session.take_trouble(), asked);
    if ended.is_ok() {
        server.give_back(session);
    }
}

/// The connection that writes. One that was lost is made anew with the next transaction.
#[derive(Debug)]
struct Writing {
    server: Arc<Server>,
    session: RefCell<Option<PostgresSession>>,
    /// What was last in the way of the transaction.
    trouble: Cell<Option<Trouble>>,
    is_lost: Cell<bool>,
    /// It leads to a server that takes no changes: the next transaction has a new one.
    is_read_only: Cell<bool>,
    /// How often the server had not answered when it was made.
    silences: Cell<u64>,
    /// What the open transaction has locked.
    locked: RefCell<BTreeSet<String>>,
}

impl Writing {
    fn on(server: &Arc<Server>) -> Self {
        let (session, trouble, is_lost, is_read_only, silences, locked) = Default::default();
        Self { server: Arc::clone(server), session, trouble, is_lost, is_read_only, silences, locked }
    }

    /// Whoever changes a link has locked it before anything else ([`super::lock`]). In tests, one who has not is found
    /// also where nobody else wants it.
    fn in_order(&self, sql: &str, params: &[Param<'_>]) -> Stored<()> {
        match params.first() {
            Some(Param::Text(Some(link))) if is_of_link(sql) && !self.locked.borrow().contains(*link) => {
                Err(StoreError::Unavailable(format!("a defect of this program: {link} is not locked by: {sql}").into()))
            }
            _ => Ok(()),
        }
    }

    fn session(&self) -> Stored<Ref<'_, PostgresSession>> {
        let lost = || StoreError::Unavailable("the connection was lost".into());
        if self.is_lost.get() {
            return Err(lost());
        }
        Ref::filter_map(self.session.borrow(), Option::as_ref).map_err(|_| lost())
    }

    /// Does a step of a transaction, and hears what was in its way. A connection that was lost stays so until the next
    /// one.
    fn step<T>(&self, step: impl FnOnce(&PostgresSession) -> Stored<T>) -> Stored<T> {
        let asked = Instant::now();
        let (done, trouble) = {
            let session = self.session()?;
            (step(&session), session.take_trouble())
        };
        if let Some(trouble) = trouble {
            self.server.heard(Some(trouble), asked);
            self.trouble.set(Some(trouble));
            self.is_lost.set(matches!(trouble, Trouble::Lost | Trouble::Silent));
            self.is_read_only.set(self.is_read_only.get() || trouble == Trouble::ReadOnly);
        }
        done
    }
}

impl Session for Writing {
    fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<u64> {
        if cfg!(debug_assertions) {
            self.in_order(sql, params)?;
        }
        self.step(|session| session.execute(sql, params))
    }

    fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        if cfg!(debug_assertions) {
            self.in_order(sql, params)?;
        }
        self.step(|session| session.run(sql, params))
    }

    fn write_row(&self, sql: &'static str, params: &[Param<'_>]) -> Stored<()> {
        if cfg!(debug_assertions) {
            self.in_order(sql, params)?;
        }
        self.step(|session| session.write_row(sql, params))
    }

    fn settle(&self) -> Stored<()> {
        self.step(Session::settle)
    }

    fn each(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Stored<()>,
    ) -> Stored<()> {
        if cfg!(debug_assertions) {
            self.in_order(sql, params)?;
        }
        self.step(|session| session.each(sql, params, take))
    }
}

impl group::Connection for Writing {
    fn begin(&self) -> Stored<()> {
        self.trouble.set(None);
        self.server.refusal()?;
        let silences = self.server.silences();
        let is_old = self.is_lost.get() || self.is_read_only.get() || self.silences.get() != silences;
        if is_old || self.session.borrow().is_none() {
            *self.session.borrow_mut() = None;
            *self.session.borrow_mut() = Some(self.server.connect()?);
            self.is_lost.set(false);
            self.is_read_only.set(false);
            self.silences.set(silences);
        }
        self.step(|session| session.control_unsettled("BEGIN"))
    }

    fn lock(&self, locks: &[&Lock]) -> Stored<()> {
        if cfg!(debug_assertions) {
            *self.locked.borrow_mut() = links(locks).map(str::to_owned).collect();
        }
        self.step(|session| session.lock(locks))
    }

    fn commit(&self) -> Stored<()> {
        // What is unsettled may fail for others' sake; the commit itself is asked for once.
        self.step(Session::settle)?;
        let committed = self.step(|session| session.control("COMMIT"));
        if matches!(self.trouble.get(), Some(Trouble::Lost | Trouble::Silent)) {
            self.trouble.set(Some(Trouble::Other));
            let unknown = "the connection was lost in the commit: look whether the change was made";
            return committed.map_err(|_| StoreError::Unavailable(unknown.into()));
        }
        committed
    }

    fn roll_back(&self) -> Stored<()> {
        self.step(|session| session.control_anyway("ROLLBACK"))
    }

    fn mark(&self) -> Stored<()> {
        self.step(|session| session.control_unsettled("SAVEPOINT one_write"))
    }

    fn undo(&self) -> Stored<()> {
        self.step(|session| session.control_anyway("ROLLBACK TO SAVEPOINT one_write"))
    }

    fn unmark(&self) -> Stored<()> {
        self.step(|session| session.control_unsettled("RELEASE SAVEPOINT one_write"))
    }

    fn may_succeed_again(&self) -> bool {
        matches!(self.trouble.get(), Some(Trouble::Lost | Trouble::Raced | Trouble::Outdated))
    }
}

/// Brings the tables up to date, while other servers may do the same: each migration is one transaction, and whoever
/// was slower looks again at what is left to do.
fn migrate(server: &Server) -> Stored<()> {
    let mut connection = server.connection()?;
    connection.be_patient(MIGRATION);
    let failed = |error: QueryError| StoreError::Unavailable(trouble::reason(&error, "server").into());
    if let Some(neighbour) = neighbours::of_central(&mut connection).map_err(failed)? {
        return Err(StoreError::Unavailable(neighbour.into()));
    }
    let mut attempts = 1;
    loop {
        let migrated = connection.with_client(async |client| embedded::migrations::runner().run_async(client).await);
        match migrated.map_err(failed)? {
            Ok(_) => return Ok(()),
            Err(error) if attempts < ATTEMPTS && was_made_by_another(&error) => attempts += 1,
            Err(error) => return Err(StoreError::Unavailable(Box::new(error))),
        }
    }
}

fn was_made_by_another(error: &refinery::Error) -> bool {
    let source = std::error::Error::source(error.kind());
    let code = source.and_then(|source| source.downcast_ref::<tokio_postgres::Error>()).and_then(|error| error.code());
    code.is_some_and(trouble::is_of_another)
}

/// The statement with the placeholders of PostgreSQL: `$1` where there is `?1`. A question mark stands nowhere else.
fn placeholders(sql: &str) -> String {
    sql.replace('?', "$")
}
