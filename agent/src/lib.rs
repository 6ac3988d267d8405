//! The agent: the host beside any product, and the whole command line `seatline`.
//!
//! The product's accounts and dimensions are read from its own database ([`accounts`]), as `seatline.toml` says
//! ([`config`]); [`product::ConfiguredProduct`] is the port through which the host sees them. Each group of commands is
//! a file under [`commands`], what `seatline run` does all the time a file under [`services`], what it answers over
//! HTTP stands in [`http`], and `docs/command-line.md`
//! documents what the commands take and give.
#![forbid(unsafe_code)]
// What cannot be written there would end the program: `tell` goes on.
#![deny(clippy::print_stderr)]

pub mod accounts;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod confirmation;
mod dates;
pub mod doctor;
pub mod failure;
mod files;
pub mod http;
pub mod instance;
mod log;
pub mod metrics;
pub mod notices;
pub mod output;
pub mod pages;
pub mod product;
pub mod progress;
pub mod services;
mod standing_page;
pub mod support_file;
pub mod system_info;
pub mod tokens;
pub mod users;

pub use commands::main;
