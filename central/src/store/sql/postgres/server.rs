//! The server: its connections, and whether it is asked at all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use seatline_postgres::trouble::Trouble;
use seatline_postgres::{Connection, PATIENCE, PostgresAddress, Silence, silent};

use super::MIGRATION;
use super::session::PostgresSession;
use crate::store::{StoreError, Stored};

/// What every connection begins with. The server ends what takes too long before we have lost our patience: then it is
/// known how it ended. Where commits were not waited for at all, or not by synchronous standbys, they are: a receipt
/// follows, which must outlive this server. What was set otherwise stays.
const GREETING: &str = "
    SET statement_timeout = '12s'; SET lock_timeout = '8s'; SET idle_in_transaction_session_timeout = '12s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// A server of PostgreSQL, and the database on it.
#[derive(Debug)]
pub(in crate::store::sql) struct Server {
    address: PostgresAddress,
    idle: Mutex<Vec<PostgresSession>>,
    silence: Silence,
    /// How often it did not answer.
    silences: AtomicU64,
}

impl Server {
    /// No connections yet.
    pub(super) fn new(address: PostgresAddress) -> Self {
        Self { address, idle: Mutex::default(), silence: Silence::default(), silences: AtomicU64::default() }
    }

    /// A connection without limits on its statements.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(super) fn connection(&self) -> Stored<Connection> {
        self.silence.connect(&self.address).map_err(|error| StoreError::Unavailable(error.to_string().into()))
    }

    /// A connection for transactions and questions. Whoever wants one has asked [`Self::refusal`] before.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(super) fn connect(&self) -> Stored<PostgresSession> {
        let session = PostgresSession::new(self.connection()?);
        session.control(GREETING)?;
        Ok(session)
    }

    /// A connection for what may take long. Nobody waits for it.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(super) fn unhurried(&self) -> Stored<PostgresSession> {
        let mut connection = self.connection()?;
        connection.be_patient(MIGRATION);
        Ok(PostgresSession::new(connection))
    }

    /// A connection that waited for its next use.
    pub(super) fn waiting(&self) -> Option<PostgresSession> {
        self.idle().pop()
    }

    /// Takes back a connection that is in no transaction.
    pub(super) fn give_back(&self, session: PostgresSession) {
        self.idle().push(session);
    }

    /// Refuses at once where the server has not answered a moment ago. Whoever is not refused asks, and tells with
    /// [`Self::heard`] how it went.
    pub(super) fn refusal(&self) -> Stored<()> {
        self.silence.refusal().map_or(Ok(()), |reason| Err(StoreError::Unavailable(reason.into())))
    }

    /// Hears how the last question went, which was put at `asked`: a server that did not answer is left alone for a
    /// while.
    pub(super) fn heard(&self, trouble: Option<Trouble>, asked: Instant) {
        match trouble {
            Some(Trouble::Silent) => {
                // Those that wait may be as dead, and so may those that somebody keeps.
                drop(std::mem::take(&mut *self.idle()));
                self.silences.fetch_add(1, Ordering::AcqRel);
                self.silence.is_kept(silent(PATIENCE), asked, self.address.hosts());
            }
            _ => self.silence.is_broken(),
        }
    }

    /// How often it did not answer. A connection from before may lead to a host that stands still.
    pub(super) fn silences(&self) -> u64 {
        self.silences.load(Ordering::Acquire)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PostgresSession>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut *self.idle());
        // A connection has a runtime of its own, which must not end inside another one.
        std::thread::spawn(move || drop(idle));
    }
}
