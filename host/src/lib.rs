//! What a product embeds to show its license use: ports, sandbox, plugin store, license state, report chain and outbox,
//! link client.
//!
//! A product implements [`ports::Product`].
#![warn(missing_docs)]

pub mod ports;
