//! The stock license-visibility plugin: it counts the accounts of a product by class, gathers the other dimensions and
//! the licenses, and submits one report.
//!
//! The logic is plain Rust and is tested natively: [`tally`] counts, `collect` asks the host and makes the report.
//! `component`, which is compiled for WebAssembly alone, connects them to the contract `wit/v1`.
//!
//! It asks for no more than it needs: the interface `product` is not imported.

mod bindings;
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only the component calls it"))]
mod collect;
#[cfg(target_family = "wasm")]
mod component;
mod remarks;
pub mod tally;
