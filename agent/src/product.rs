//! The product beside which the agent runs, as `seatline.toml` describes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seatline_host::ports::{Account, AccountSink, DatabaseIdentity, Description, Node, PortError, Product};
use seatline_protocol::Dimension;

use crate::accounts::{self, Looks, SourceError};
use crate::cluster::Cluster;
use crate::config::Config;

/// A [`Product`] whose facts come from the configuration, and whose counts come from its databases.
pub struct ConfiguredProduct {
    config: Config,
    cluster: Option<Arc<Cluster>>,
    accounts_read: AccountsRead,
    looks: Looks,
}

/// How many accounts the current pass has read, for those who wait.
#[derive(Debug, Clone, Default)]
pub struct AccountsRead(Arc<AtomicU64>);

impl AccountsRead {
    /// Notes that one more was read.
    pub fn count_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts what it passes on.
struct Counting<'a> {
    sink: &'a mut dyn AccountSink,
    read: &'a AtomicU64,
}

impl AccountSink for Counting<'_> {
    fn push(&mut self, account: Account<'_>) -> Result<(), PortError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.sink.push(account)
    }
}

impl ConfiguredProduct {
    /// The product of `config`.
    pub fn new(config: Config) -> Self {
        Self { config, cluster: None, accounts_read: AccountsRead::default(), looks: Looks::default() }
    }

    /// The same, whose nodes are those of `cluster` if there is one.
    pub fn on(self, cluster: Option<Arc<Cluster>>) -> Self {
        Self { cluster, ..self }
    }

    /// The running nodes: as they are configured, else those whose agents run.
    fn nodes(&self) -> Result<Vec<Node>, PortError> {
        let product = &self.config.product;
        let node = |id: &String| Node { id: id.clone(), version: product.version.clone() };
        match (&product.nodes, &self.cluster) {
            (Some(nodes), _) => Ok(nodes.iter().map(node).collect()),
            (None, Some(cluster)) => cluster.running().map_err(PortError::new),
            (None, None) => Ok(vec![node(&"main".to_owned())]),
        }
    }

    /// How many accounts the current pass has read.
    pub fn accounts_read(&self) -> AccountsRead {
        self.accounts_read.clone()
    }
}

impl Product for ConfiguredProduct {
    fn describe(&self) -> Result<Description, PortError> {
        let product = &self.config.product;
        Ok(Description {
            id: product.id.clone(),
            name: product.name.clone(),
            version: product.version.clone(),
            edition: product.edition.clone(),
            released: product.released,
            nodes: self.nodes()?,
        })
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        let Some(accounts) = &self.config.accounts else {
            return Err(PortError::new("no accounts are set up: write the section [accounts] into seatline.toml"));
        };
        let read = &*self.accounts_read.0;
        read.store(0, Ordering::Relaxed);
        match accounts::read(accounts, &mut Counting { sink, read }) {
            Ok(_) => Ok(()),
            Err(SourceError::Stopped(error)) => Err(error),
            Err(error) => Err(port_error(&error)),
        }
    }

    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        self.config
            .dimensions
            .iter()
            .map(|dimension| {
                let number = accounts::measure(dimension);
                (dimension.name.clone(), number.map_err(|error| port_error(&error)))
            })
            .collect()
    }

    fn database(&self) -> Result<Option<DatabaseIdentity>, PortError> {
        let binding = self.config.identity.binding.as_ref();
        binding.map(|binding| self.looks.look(binding)).transpose().map_err(|error| port_error(&error))
    }
}

/// One line, with the code first so that no shortening cuts it off. What it is about is named by who shows it.
fn port_error(error: &SourceError) -> PortError {
    PortError::new(format_args!("[{}] {error}", error.code()))
}
