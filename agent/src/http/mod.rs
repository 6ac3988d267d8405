//! What `seatline run` answers over HTTP: the local API (`g7`) and the pages, on this machine alone unless configured
//! otherwise.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | the service, with a runtime of its own |
//! | [`app`] | what every handler works with |
//! | [`routes`] | what is answered, and what stands around it |
//! | [`hosts`] | the names that the agent is called by, against DNS rebinding |
//!
//! The runtime is one thread. The host blocks, so a handler calls it through [`App::ask`], on another thread.

pub mod app;
pub mod hosts;
pub mod routes;
pub mod server;

pub use app::App;
pub use routes::router;
pub use server::HttpServer;
