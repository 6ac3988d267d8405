//! The link: the one door that is open to the world. Products come with sealed documents, and go with sealed answers.
//!
//! [`mod@exchange`] is the conversation itself, the same online and by file (`g4`); [`http`] is the door.

pub mod exchange;
pub mod http;
mod join;
mod reports;
mod statements;

pub use exchange::{ExchangeError, exchange, parse};
