//! A connection whose every step ends in bounded time.
//!
//! A server that stands still, as one does whose disk or machine hangs, breaks no connection and answers nothing, and
//! no setting of its own helps. So nobody waits for an answer for longer than a connection's patience.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::address::{ConnectError, PostgresAddress, place, prepared};
use crate::hosts;

/// How long an answer may take where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long a connection takes to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A value and its type.
pub type Parameter<'p> = (&'p (dyn ToSql + Sync), Type);

/// Why a statement has given nothing.
#[derive(Debug)]
pub enum QueryError {
    /// The server refuses it, or the connection broke.
    Failed(Error),
    /// The server has not answered in time.
    Silent(Duration),
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Silent(patience) => f.write_str(&silent(*patience)),
        }
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A connection.
pub struct Connection {
    runtime: Runtime,
    /// None when it is being dropped.
    client: Option<Arc<Client>>,
    carrying: JoinHandle<()>,
    patience: Duration,
}

impl Connection {
    /// Connects to the database at `address`: of several hosts to the one that takes changes.
    ///
    /// # Errors
    /// When it cannot be reached, does not let us in, or does not answer in time.
    pub fn open(address: &PostgresAddress) -> Result<Self, ConnectError> {
        let mut address = address.clone();
        hosts::mean_the_one_that_takes_changes(&mut address.config);
        Self::open_within(&address, PATIENCE)
    }

    /// Connects to the database at `address` within `patience`: of several hosts to whichever lets us in first.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(address: &PostgresAddress, patience: Duration) -> Result<Self, ConnectError> {
        let (config, tls) = prepared(address)?;
        let unreachable =
            |reason: String| ConnectError::Unreachable { place: format!("the database {}", place(&config)), reason };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| unreachable(error.to_string()))?;
        let connected = runtime.block_on(async {
            Ok::<_, ConnectError>(match tls {
                Some(tls) => {
                    let (client, connection) = hosts::connect(&config, tls, patience).await?;
                    (client, tokio::spawn(carry(connection)))
                }
                None => {
                    let (client, connection) = hosts::connect(&config, tokio_postgres::NoTls, patience).await?;
                    (client, tokio::spawn(carry(connection)))
                }
            })
        });
        let (client, carrying) = match connected {
            Ok(connected) => connected,
            Err(error) => {
                // A name that is still being looked up keeps nobody waiting.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        Ok(Self { runtime, client: Some(Arc::new(client)), carrying, patience: PATIENCE })
    }

    /// Waits for answers so long from now on.
    pub fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The rows that a statement gives.
    pub fn query(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, QueryError> {
        self.within(async |client| client.query_typed(statement, parameters).await)
    }

    /// The only row that a statement gives, if it gives one.
    pub fn query_opt(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Option<Row>, QueryError> {
        self.within(async |client| client.query_typed_opt(statement, parameters).await)
    }

    /// The only row that a statement gives.
    pub fn query_one(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Row, QueryError> {
        self.within(async |client| client.query_typed_one(statement, parameters).await)
    }

    /// Runs a statement, and gives how many rows it has changed.
    pub fn execute(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<u64, QueryError> {
        self.within(async |client| client.execute_typed(statement, parameters).await)
    }

    /// Runs statements without parameters.
    pub fn batch(&mut self, statements: &str) -> Result<(), QueryError> {
        self.within(async |client| client.batch_execute(statements).await)
    }

    /// Does `work` in a transaction that begins with `begin`, and is undone where the work fails.
    pub fn transaction<T>(
        &mut self,
        begin: &str,
        work: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.batch(begin)?;
        match work(self) {
            Ok(value) => self.batch("COMMIT").map(|()| value),
            Err(error) => {
                // Whoever does not answer is not asked again: the connection is of no further use.
                if !matches!(error, QueryError::Silent(_)) {
                    let _ = self.batch("ROLLBACK");
                }
                Err(error)
            }
        }
    }

    /// Asks by `ask`, and waits for the answer in bounded time. What asks may keep the client, to ask on with the next.
    pub fn within<T>(&self, ask: impl AsyncFnOnce(&Arc<Client>) -> Result<T, Error>) -> Result<T, QueryError> {
        let Some(client) = &self.client else { return Err(QueryError::Silent(Duration::ZERO)) };
        let answered = self.runtime.block_on(async { tokio::time::timeout(self.patience, ask(client)).await });
        Ok(answered.map_err(|_| QueryError::Silent(self.patience))??)
    }
}

impl Connection {
    /// The client, for what outlives a single question. There is one until the connection is dropped.
    pub fn client(&self) -> Option<&Arc<Client>> {
        self.client.as_ref()
    }

    /// Does `work` with the client to itself, in bounded time.
    ///
    /// # Errors
    /// When it took too long, or somebody else has kept the client.
    pub fn with_client<T>(&mut self, work: impl AsyncFnOnce(&mut Client) -> T) -> Result<T, QueryError> {
        let Some(client) = self.client.as_mut().and_then(Arc::get_mut) else {
            return Err(QueryError::Silent(Duration::ZERO));
        };
        let done = self.runtime.block_on(async { tokio::time::timeout(self.patience, work(client)).await });
        done.map_err(|_| QueryError::Silent(self.patience))
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.client.take());
        let carrying = &mut self.carrying;
        let _ = self.runtime.block_on(async { tokio::time::timeout(GOODBYE, carrying).await });
    }
}

/// Carries a connection's bytes while somebody waits for an answer.
async fn carry<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    tokio_postgres::Connection<S, T>: Future<Output = Result<(), Error>>,
{
    // Whoever waits for an answer is told.
    let _ = connection.await;
}

/// That the server has not answered for so long.
pub fn silent(patience: Duration) -> String {
    format!("the server has not answered for {} seconds; look whether it stands still", patience.as_secs())
}
