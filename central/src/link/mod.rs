//! The link: the one door that is open to the world. Products come with sealed documents, and go with sealed answers.
//!
//! [`mod@exchange`] is the conversation itself, the same online and by file (`g4`); [`http`] is the door. Beside it,
//! products [wait] for news.

pub mod exchange;
pub mod http;
mod join;
mod removed;
mod reports;
mod rotation;
pub mod settings;
mod statements;
mod strangers;
mod toll;
pub mod wait;
pub mod waiting;

pub use exchange::{ExchangeError, exchange, parse};
pub use toll::{Payer, Toll};
