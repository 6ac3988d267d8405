//! What the nodes of a cluster share: the state in PostgreSQL, the list of the nodes, and whose turn it is to synchronise.

mod change;
mod layout;
mod pool;
mod store;
mod trouble;
mod walk;

pub use store::PostgresStore;
