//! The agent: the host beside any product, and the whole command line `seatline`.
//!
//! The product's accounts and dimensions are read from its own database ([`accounts`]), as `seatline.toml` says
//! ([`config`]); [`product::ConfiguredProduct`] is the port through which the host sees them. Each group of commands is a
//! file under [`commands`], and `docs/command-line.md` documents what they take and give.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod commands;
pub mod config;
pub mod confirmation;
pub mod failure;
pub mod instance;
mod log;
pub mod output;
mod pasted;
pub mod product;
pub mod progress;
pub mod schedule;
mod standing_page;

pub use commands::main;
