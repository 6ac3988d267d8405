//! What `seatline run` answers over HTTP: the local API (`g7`) and the pages, on this machine alone unless configured
//! otherwise.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | the service, with a runtime of its own |
//! | [`unopened`] | what is answered while the instance cannot be opened |
//! | [`app`] | what every handler works with |
//! | [`memory`] | what is answered without asking the host |
//! | [`routes`] | what is answered, and what stands around it |
//! | [`hosts`] | the names that the agent is called by, against DNS rebinding |
//! | [`guard`] | the tokens of programs |
//! | [`api`] | the local API |
//! | [`metrics`](mod@metrics) | the metrics |
//! | [`job`], [`synchronising`] | work that was asked for and takes long, and the synchronisation that is such work |
//!
//! The runtime is one thread. The host blocks, so a handler calls it through [`App::ask`], on another thread.

pub mod api;
pub mod app;
pub mod errors;
pub mod guard;
pub mod hosts;
pub mod job;
pub mod memory;
pub mod metrics;
pub mod routes;
pub mod server;
pub mod synchronising;
pub mod unopened;

pub use app::{App, RequestLimits};
pub use routes::router;
pub use server::HttpServer;
pub use unopened::Unopened;
