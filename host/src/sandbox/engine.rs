//! The one engine, and the one function that configures it.
//!
//! Whatever touches compilation stands here, so that code which was compiled and kept by one process loads in the next.

use wasmtime::{Config, Engine, OptLevel};

use super::LoadError;

/// The stack that compiled plugin code may use, in bytes. A run takes place on its caller's thread, and Rust gives a
/// thread 2 MiB: three quarters remain for the host. Against deep recursion.
pub(crate) const STACK: usize = 512 * 1024;

/// The version of wasmtime that runs plugins.
pub const VERSION: &str = "48.0.8";

/// A new engine.
pub(crate) fn engine() -> Result<Engine, LoadError> {
    Engine::new(&config()).map_err(|error| LoadError::Engine(format!("{error:#}")))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        // Deadlines: every loop and every function of a plugin looks at the epoch, see `deadline`.
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        // What the contract does not need is no attack surface: 64-bit memories outgrow the guard pages and cost bounds
        // checks, relaxed SIMD computes differently from machine to machine, threads and shared memories would leave
        // the limiter. Garbage collection is not even built in.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .concurrency_support(false)
        // The same plugin gives the same numbers on every machine.
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        // A fresh instance maps its first memory copy-on-write: a run starts in microseconds.
        .memory_init_cow(true);
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::component::Component;

    #[test]
    fn s1_the_versions_that_are_shown_are_those_that_were_built() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"\n")), "{VERSION}");
        let contract = format!("package {}@{};", super::super::contract::PACKAGE, super::super::CONTRACT_VERSION);
        assert!(include_str!("../../../wit/v1/license-visibility.wit").contains(&contract), "{contract}");
    }

    #[test]
    fn compiled_code_loads_in_every_engine_of_the_program() {
        let hash = |engine: &Engine| {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        let (one, other) = (engine().expect("an engine"), engine().expect("an engine"));
        assert_eq!(hash(&one), hash(&other));
        assert_ne!(hash(&one), hash(&Engine::default()), "the settings are part of the fingerprint");
    }

    #[test]
    fn what_the_contract_does_not_need_is_refused_by_the_engine() {
        let engine = engine().expect("an engine");
        for (text, feature) in [
            ("(core module (memory i64 1))", "memory64"),
            ("(core module (memory 1 1 shared))", "threads"),
            ("(core module (type (struct (field i32))))", "gc types"),
            (
                "(core module (func (param v128 v128) (result v128)
                    local.get 0 local.get 1 i8x16.relaxed_swizzle))",
                "relaxed SIMD",
            ),
            ("(core module (func return_call 0))", "tail calls"),
            ("(core module (tag))", "exceptions"),
            (
                "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
                (func async (canon lift (core func $i \"f\") async))",
                "component model async",
            ),
        ] {
            let bytes = wat::parse_str(format!("(component {text})")).expect("well-formed text");
            let error = Component::from_binary(&engine, &bytes).map(drop).expect_err(feature);
            assert!(format!("{error:#}").contains(feature), "{error:#}");
        }
    }
}
