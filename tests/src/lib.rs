//! Stories across the crates of Seatline, told through the real binaries: a central server, a product with a real
//! database, the agent beside it, a vendor. This library is the stage; the stories are in `tests/`.
//!
//! The binaries and the plugins are built by `cargo xtask test`; a story that misses one says so.
#![forbid(unsafe_code)]

mod agent;
mod browser;
mod central;
mod clock;
pub mod patroni;
mod place;
pub mod postgres;
mod process;
pub mod schema;
pub mod server;
pub mod tinyproxy;
mod wiki;

pub use agent::{Agent, PASSWORD, Serving, Vendor};
pub use browser::{Chromium, Look};
pub use central::Central;
pub use clock::clock;
pub use place::Disk;
pub use process::{Finished, Running, binaries, plugin, until};
pub use wiki::Wiki;
