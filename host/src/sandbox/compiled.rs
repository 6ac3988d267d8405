//! Compiled code that outlives the process, and the only unsafe line of Seatline.
//!
//! Loading compiled code is running it: wasmtime trusts it. So it is accepted only with a MAC that this host made, with
//! a key that never leaves its directory (mode 0600), over everything that the code depends on: the digest of the
//! component, and the fingerprint of wasmtime's version, the target and the configuration. Whatever does not fit is
//! compiled anew. Compiled code from anywhere else is never accepted, in no form.
#![allow(unsafe_code)]

use std::hash::{Hash, Hasher};

use hmac::{Hmac, KeyInit as _, Mac as _};
use seatline_protocol::Digest;
use seatline_protocol::pairing::Secret;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What the MAC says that it is about.
const PURPOSE: &[u8] = b"seatline compiled code 1";
/// The bytes of a MAC, in front of the code.
const MAC: usize = 32;

/// `component`, compiled from the bytes with `digest`, as bytes to keep: a MAC with `key`, then the code.
///
/// # Errors
/// When there is no memory for it.
pub(crate) fn keep(
    engine: &Engine,
    key: &Secret,
    digest: &Digest,
    component: &Component,
) -> Result<Vec<u8>, wasmtime::Error> {
    let code = component.serialize()?;
    let mut kept = Vec::with_capacity(MAC + code.len());
    kept.extend_from_slice(&mac(engine, key, digest, &code).finalize().into_bytes());
    kept.extend_from_slice(&code);
    Ok(kept)
}

/// The component that [`keep`] made `kept` of; none if it was made with another key, for another component, version,
/// target or configuration, or was changed in any bit.
pub(crate) fn load(engine: &Engine, key: &Secret, digest: &Digest, kept: &[u8]) -> Option<Component> {
    let (tag, code) = kept.split_at_checked(MAC)?;
    mac(engine, key, digest, code).verify_slice(tag).ok()?;
    // SAFETY: the MAC shows that `code`, these very bytes in memory, came from `Component::serialize` in `keep`, with
    // an engine of the same version, target and configuration. The key is readable by this host's user alone.
    unsafe { Component::deserialize(engine, code) }.ok()
}

fn mac(engine: &Engine, key: &Secret, digest: &Digest, code: &[u8]) -> Hmac<Sha256> {
    // Every part but the last has a fixed length, so no two messages have the same bytes.
    Hmac::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length")
        .chain_update(PURPOSE)
        .chain_update(digest.as_str())
        .chain_update(fingerprint(engine))
        .chain_update(code)
}

/// Everything of an engine that compiled code depends on: wasmtime's full version, the target with its CPU features,
/// and all settings that touch compilation.
fn fingerprint(engine: &Engine) -> [u8; 32] {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        /// Nobody asks: the whole digest is taken.
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    sha.0.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::engine;

    #[test]
    fn only_the_hosts_own_code_for_this_very_component_and_engine_is_loaded() {
        let engine = engine().expect("an engine");
        let (key, other_key) = (Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32]));
        let bytes = wat::parse_str("(component)").expect("a component");
        let (digest, other_digest) = (Digest::of(&bytes), Digest::of(b"another"));
        let component = Component::from_binary(&engine, &bytes).expect("it compiles");
        let kept = keep(&engine, &key, &digest, &component).expect("it serialises");

        assert!(load(&engine, &key, &digest, &kept).is_some());
        assert!(load(&engine, &other_key, &digest, &kept).is_none(), "another host's");
        assert!(load(&engine, &key, &other_digest, &kept).is_none(), "another component's");
        assert!(load(&Engine::default(), &key, &digest, &kept).is_none(), "another configuration's");
        assert!(load(&engine, &key, &digest, &component.serialize().expect("code")).is_none(), "without a MAC");
        for at in [0, MAC, kept.len() / 2, kept.len() - 1] {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            assert!(load(&engine, &key, &digest, &changed).is_none(), "changed at {at}");
        }
        for length in [0, 1, MAC, kept.len() - 1] {
            assert!(load(&engine, &key, &digest, &kept[..length]).is_none(), "cut off at {length}");
        }
    }
}
