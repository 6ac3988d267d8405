//! The Seatline central server: takes the reports of linked products, keeps them, and shows what is used.
//!
//! | module | job |
//! |---|---|
//! | [`domain`] | what is known, as plain values, and the view of the Licenses tab |
//! | [`store`] | where it is kept: traits by subject, SQLite behind them |
//! | [`central`] | the server's own keys, store and clock, and what administrators do with them |
//!
//! An exchange flows [`link`] → [`store`] → receipt: seals are opened before anything is looked up, the chain's rule is
//! applied in the commit, and the answer is given after it.
#![forbid(unsafe_code)]

pub mod central;
pub mod domain;
pub mod keyring;
pub mod store;

pub use central::Central;
