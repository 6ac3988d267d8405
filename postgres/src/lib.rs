//! Connections to PostgreSQL, for whatever the agent and the central server read or keep there.
//!
//! | module | job |
//! |---|---|
//! | `address` | where a database is, and how it is reached: by TLS with a checked certificate unless the address says otherwise |
//! | `connection` | a connection whose every step ends |
//! | `hosts` | several hosts in one address, of which one takes changes |
//! | [`neighbours`] | who else lives in a database: the state of an agent, a central server |
//! | `silence` | whether a server that did not answer is asked again |
//! | [`trouble`] | what is in the way, in the words of an administrator |
//! | [`tls`] | TLS whose certificate is always checked |
#![forbid(unsafe_code)]

mod address;
mod connection;
mod hosts;
pub mod neighbours;
mod silence;
pub mod tls;
pub mod trouble;

pub use address::{ConnectError, PostgresAddress, is_loopback, place};
pub use connection::{Connection, PATIENCE, Parameter, QueryError, silent};
pub use silence::Silence;
