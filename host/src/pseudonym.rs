//! Pseudonyms: equal for the same person in all products of a fleet, and for nobody else to turn back into a name.
//!
//! A pseudonym is the first 64 bits, big endian, of HMAC-SHA-256 over the normalised identity: the mail address or
//! login without surrounding white space, in lower case (Unicode's, without locale). The key is the fleet's, which the
//! central server hands out when the link is made; who has no key cannot test a guessed address.

use hmac::{Hmac, KeyInit as _, Mac as _};
use seatline_protocol::pairing::Secret;
use sha2::Sha256;
use sha2::block_api::compress256;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::slots;
use crate::store::{Slot, StateStore, StoreError, change};

/// The key for pseudonyms while there is no link: random, and the same for as long as the instance lives.
pub(crate) fn local_key(store: &dyn StateStore) -> Result<Secret, StoreError> {
    if let Some(key) = slots::read(store, Slot::LocalPseudonymKey)? {
        return Ok(key);
    }
    change(store, |locked| {
        if let Some(key) = slots::read(locked.store(), Slot::LocalPseudonymKey)? {
            return Ok(key);
        }
        let key = Secret::from_bytes(slots::random()?);
        slots::write(locked, Slot::LocalPseudonymKey, &key)?;
        Ok(key)
    })
}

/// Makes the pseudonyms of one key.
#[derive(Clone)]
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
    short: ShortHmac,
}

impl Pseudonyms {
    /// The pseudonyms of `key`.
    pub fn new(key: &Secret) -> Self {
        let keyed = Hmac::new_from_slice(key.expose()).expect("HMAC takes a key of any length");
        Self { keyed, short: ShortHmac::new(key.expose()) }
    }

    /// The pseudonym of `identity`.
    ///
    /// ```
    /// use seatline_host::pseudonym::Pseudonyms;
    /// use seatline_protocol::pairing::Secret;
    ///
    /// let pseudonyms = Pseudonyms::new(&Secret::from_bytes([7; 32]));
    /// assert_eq!(pseudonyms.of(" Ann@Example.org\n"), pseudonyms.of("ann@example.org"));
    /// ```
    pub fn of(&self, identity: &str) -> u64 {
        let identity = identity.trim();
        if identity.is_ascii() && identity.len() <= ShortHmac::MAX_BYTES {
            return self.short.of_lower_case(identity.as_bytes());
        }
        let mut mac = self.keyed.clone();
        mac.update(identity.to_lowercase().as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// HMAC-SHA-256 of messages that fit into one block, as nearly every mail address does: two compressions from the
/// states that the key leaves behind, and nothing else. With a million accounts, the general way through buffers and
/// copies of states that are wiped again costs half as much once more as the compressions.
///
/// Source: RFC 2104, section 4 (the states are computed once), and FIPS 180-4, section 5.1.1 (the padding).
#[derive(Clone, ZeroizeOnDrop)]
struct ShortHmac {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl ShortHmac {
    const BLOCK: usize = 64;
    /// What the end mark and the length leave of a block.
    const MAX_BYTES: usize = Self::BLOCK - 9;

    fn new(key: &[u8; 32]) -> Self {
        let after = |pad: u8| {
            let mut block = [pad; Self::BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            block.zeroize();
            state
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    /// The first 64 bits for `message` in lower case, of at most [`Self::MAX_BYTES`] bytes of ASCII.
    fn of_lower_case(&self, message: &[u8]) -> u64 {
        let mut block = [0; Self::BLOCK];
        let text = &mut block[..message.len()];
        text.copy_from_slice(message);
        text.make_ascii_lowercase();
        let mut digest = [0; Self::BLOCK];
        let words = end(&self.inner, block, message.len());
        digest.chunks_exact_mut(4).zip(words).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
        let [a, b, ..] = end(&self.outer, digest, 32);
        (u64::from(a) << 32) | u64::from(b)
    }
}

/// The state after the last block, which holds `length` bytes behind the block of the key.
fn end(keyed: &[u32; 8], mut block: [u8; ShortHmac::BLOCK], length: usize) -> [u32; 8] {
    let bits = 8 * (ShortHmac::BLOCK + length) as u64;
    block[length] = 0x80;
    block[ShortHmac::MAX_BYTES + 1..].copy_from_slice(&bits.to_be_bytes());
    let mut state = *keyed;
    compress256(&mut state, &[block]);
    state
}

/// Where SHA-256 begins (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&Secret::from_bytes(std::array::from_fn(|i| i as u8)))
    }

    #[test]
    fn a_pseudonym_is_the_start_of_the_published_function() {
        // In Python: hmac.new(bytes(range(32)), identity.lower().encode(), "sha256").hexdigest()[:16]
        for (identity, expected) in [
            ("ann@example.org", 0x824f_e6c7_fa82_cc7d),
            ("", 0xd38b_4209_6d80_f45f),
            ("jörg.müller@example.org", 0x0f52_fc76_f1e9_0719),
            ("ΟΔΥΣΣΕΥΣ@example.gr", 0xf047_b276_96b3_193f),
        ] {
            assert_eq!(pseudonyms().of(identity), expected, "{identity}");
        }
    }

    #[test]
    fn an_identity_is_the_same_however_it_is_written() {
        let pseudonyms = pseudonyms();
        assert_eq!(pseudonyms.of("\u{a0}JÖRG.Müller@Example.org\t"), pseudonyms.of("jörg.müller@example.org"));
        assert_eq!(pseudonyms.of(" ANN@example.ORG "), pseudonyms.of("ann@example.org"));
        assert_ne!(pseudonyms.of("ann@example.org"), pseudonyms.of("anne@example.org"));
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        let other = Pseudonyms::new(&Secret::from_bytes([9; 32]));
        assert_ne!(other.of("ann@example.org"), pseudonyms().of("ann@example.org"));
    }

    proptest! {
        #[test]
        fn the_short_way_gives_what_the_long_way_gives(identity in "[ -~]{0,120}") {
            let mut mac = pseudonyms().keyed.clone();
            mac.update(identity.trim().to_lowercase().as_bytes());
            let long = <[u8; 32]>::from(mac.finalize().into_bytes());
            prop_assert_eq!(&pseudonyms().of(&identity).to_be_bytes(), &long[..8]);
        }
    }
}
