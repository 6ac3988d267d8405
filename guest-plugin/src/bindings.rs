//! The contract as Rust types, generated from `wit/v1`. The imports can be called in WebAssembly only.
#![allow(unsafe_code, missing_docs, dead_code, clippy::all)]

wit_bindgen::generate!({
    path: "../wit/v1",
    world: "license-visibility",
});
