//! A few connections that wait for their next use. One that has died meanwhile is replaced without anybody noticing.

use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use seatline_host::store::StoreError;
use seatline_postgres::{Connection, PATIENCE, QueryError, Silence, place, silent};

use super::trouble;
use crate::config::PostgresState;

/// How many connections wait at the most: a node reads with one and changes with another.
const MOST_IDLE: usize = 2;
/// A server that lets whoever connects wait for longer, and then fails, is silent.
const SLOW: Duration = Duration::from_secs(5);

/// The connections to the database of a state.
pub struct Pool {
    state: PostgresState,
    idle: Mutex<Vec<Connection>>,
    silence: Mutex<Silence>,
}

impl Pool {
    /// No connections yet.
    pub fn new(state: PostgresState) -> Self {
        Self { state, idle: Mutex::default(), silence: Mutex::default() }
    }

    /// Where the state is, for an administrator.
    pub fn place(&self) -> String {
        let schema = &self.state.schema;
        match self.state.address() {
            Ok(address) => format!("the schema `{schema}` of the database {}", place(&address.config)),
            Err(_) => format!("the schema `{schema}`"),
        }
    }

    /// Runs `work` with a connection. Where a waiting one turns out to have died, it is run again with a new one: it
    /// must do no harm twice.
    ///
    /// # Errors
    /// When there is no connection, or the work fails; at once where the server has not answered a moment ago.
    pub fn with<T: Send>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, QueryError> + Sync,
    ) -> Result<T, StoreError> {
        let (value, client) = self.begin(work)?;
        self.give_back(client);
        Ok(value)
    }

    /// As [`with`](Self::with), and hands over the connection.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn begin<T: Send>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, QueryError> + Sync,
    ) -> Result<(T, Connection), StoreError> {
        if let Some(reason) = self.silence().refusal(Instant::now()) {
            return Err(self.unavailable(reason));
        }
        loop {
            let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_new = waiting.is_none();
            let client = waiting.map_or_else(|| self.connect(), Ok)?;
            match apart(|| run(client, &work)) {
                Ok(done) => {
                    self.silence().is_broken(Instant::now());
                    return Ok(done);
                }
                Err(error) if !is_new && seatline_postgres::trouble::ends_connection(&error) => {}
                Err(error) => return Err(self.trouble(&error)),
            }
        }
    }

    /// What the error of a statement means. A server that has not answered it is left alone for a while.
    pub fn trouble(&self, error: &QueryError) -> StoreError {
        let now = Instant::now();
        match error {
            QueryError::Silent(patience) => {
                // Those that wait may be as dead.
                self.forget();
                let asked = now.checked_sub(*patience).unwrap_or(now);
                self.silence().is_kept(silent(*patience), asked, now);
            }
            QueryError::Failed(_) => self.silence().is_broken(now),
        }
        trouble::of_statement(error, &self.place())
    }

    /// Takes back a connection that is in no transaction.
    pub fn give_back(&self, mut client: Connection) {
        client.be_patient(PATIENCE);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            return idle.push(client);
        }
        drop(idle);
        apart(|| drop(client));
    }

    /// Closes what waits.
    fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        if !idle.is_empty() {
            apart(|| drop(idle));
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let address = self.state.address().map_err(|error| self.unavailable(error.to_string()))?;
        let asked = Instant::now();
        let connected = apart(|| Connection::open(&address));
        let now = Instant::now();
        match &connected {
            Err(error) if now - asked >= SLOW => self.silence().is_kept(error.to_string(), asked, now),
            _ => self.silence().is_broken(now),
        }
        connected.map_err(|error| self.unavailable(error.to_string()))
    }

    fn unavailable(&self, reason: String) -> StoreError {
        StoreError::Unavailable { what: self.place(), reason }
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A connection that failed is closed here, apart from any runtime.
fn run<T>(
    mut client: Connection,
    work: &impl Fn(&mut Connection) -> Result<T, QueryError>,
) -> Result<(T, Connection), QueryError> {
    let value = work(&mut client)?;
    Ok((value, client))
}

/// Runs `work` where it may block. The client of PostgreSQL has a runtime of its own, and panics where a thread is in
/// another one already, as the handlers of the HTTP server are.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
