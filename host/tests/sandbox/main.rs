//! Stories of the sandbox (`b5`, `b6`): real components, built from source, in the real engine.
//!
//! Every hostile plugin has a story that says what the run came to in one line, and that the product goes on: after
//! each, an honest plugin runs in the same process and the same sandbox.
//!
//! The components come from `tests/plugins`, built by `cargo xtask build-plugin --fixtures`; those that no compiler
//! would make are written as text in `shape`.

mod appetite;
mod bounds;
mod compat;
mod honest;
mod lies;
mod shape;
mod stage;
mod troubled;
