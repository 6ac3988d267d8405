//! The Seatline central server: takes the reports of linked products, keeps them, and shows what is used.
//!
//! | module | job |
//! |---|---|
//! | [`domain`] | what is known, as plain values, and the view of the Licenses tab |
//! | [`store`] | where it is kept: traits by subject, a database of SQL behind them |
//! | [`keyring`] | the server's secrets, in private files |
//! | [`central`] | store, secrets and clock together |
//! | [`actions`] | what administrators do with them, by subject |
//! | [`jobs`] | what the server does by itself: the review of the fleet |
//! | [`link`] | the door to the products: joins and reports in, welcomes and receipts out |
//! | [`evidence`] | sealed reports of a period as a file, and its verification |
//! | [`auth`] | administrators, their sessions and tokens, and the guard before everything else |
//! | [`postman`] | alerts on their way, by mail and webhook |
//! | [`secrets`] | secrets that the store keeps encrypted |
//! | [`sso`] | single sign-on by OpenID Connect |
//! | [`metrics`] | what this process has done and how the fleet stands, for Prometheus |
//! | [`api`] | the JSON API |
//! | [`pages`] | the pages |
//! | [`server`] | the routes, the headers, and the listener |
//! | [`command`] | the command line |
//!
//! An exchange flows [`link`] → [`store`] → receipt: seals are opened before anything is believed, the chain's rule is
//! applied in the commit, and the answer is given after it.
#![forbid(unsafe_code)]
// What cannot be written there would end the program: `tell` goes on.
#![deny(clippy::print_stderr)]

pub mod actions;
pub mod api;
pub mod auth;
pub mod central;
pub mod command;
pub mod domain;
pub mod evidence;
pub mod jobs;
mod kept;
pub mod keyring;
pub mod link;
pub mod metrics;
pub mod pages;
pub mod postman;
mod private_file;
pub mod secrets;
pub mod server;
pub mod sso;
pub mod store;

pub use central::Central;
