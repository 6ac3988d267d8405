//! A few connections that wait for their next use. One that has died meanwhile is replaced without anybody noticing.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use seatline_host::store::StoreError;
use seatline_postgres::{Connection, PATIENCE, QueryError, Silence, place, silent, trouble};

use crate::config::PostgresState;

/// How many connections wait at the most: a node reads with one and changes with another.
const MOST_IDLE: usize = 2;

/// The connections to the database of a state.
pub struct Pool {
    state: PostgresState,
    idle: Mutex<Vec<Connection>>,
    silence: Silence,
}

impl Pool {
    /// No connections yet.
    pub fn new(state: PostgresState) -> Self {
        Self { state, idle: Mutex::default(), silence: Silence::default() }
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
        if let Some(reason) = self.silence.refusal() {
            return Err(self.unavailable(reason));
        }
        loop {
            let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_new = waiting.is_none();
            let client = waiting.map_or_else(|| self.connect(), Ok)?;
            match apart(|| run(client, &work)) {
                Ok(done) => {
                    self.silence.is_broken();
                    return Ok(done);
                }
                Err(error) if !is_new && trouble::ends_connection(&error) => {}
                Err(error) => return Err(self.trouble(&error)),
            }
        }
    }

    /// What the error of a statement means. A server that has not answered it is left alone for a while.
    pub fn trouble(&self, error: &QueryError) -> StoreError {
        match error {
            QueryError::Silent(patience) => {
                // Those that wait may be as dead.
                self.forget();
                let (now, hosts) = (Instant::now(), self.state.address().map_or(1, |address| address.hosts()));
                self.silence.is_kept(silent(*patience), now.checked_sub(*patience).unwrap_or(now), hosts);
            }
            QueryError::Failed(_) => self.silence.is_broken(),
        }
        self.unavailable(trouble::reason(error, "node"))
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
        apart(|| self.silence.connect(&address)).map_err(|error| self.unavailable(error.to_string()))
    }

    fn unavailable(&self, reason: String) -> StoreError {
        StoreError::Unavailable { what: self.place(), reason }
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
