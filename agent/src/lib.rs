//! The agent: the host beside any product, and the whole command line `seatline`.
//!
//! The product's accounts and dimensions are read from its own database ([`accounts`]), as `seatline.toml` says
//! ([`config`]); [`product::ConfiguredProduct`] is the port through which the host sees them. Each group of commands is a
//! file under [`commands`].
#![forbid(unsafe_code)]

pub mod accounts;
pub mod config;
pub mod product;
