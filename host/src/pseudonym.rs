//! Pseudonyms: equal for the same person in all products of a fleet, and for nobody else to turn back into a name.
//!
//! A pseudonym is the first 64 bits, big endian, of HMAC-SHA-256 over the normalised identity: the mail address or login
//! without surrounding white space, in lower case (Unicode's, without locale). The key is the fleet's, which the central
//! server hands out when the link is made; who has no key cannot test a guessed address.

use hmac::{Hmac, KeyInit as _, Mac as _};
use seatline_protocol::pairing::Secret;
use sha2::Sha256;

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
}

impl Pseudonyms {
    /// The pseudonyms of `key`.
    pub fn new(key: &Secret) -> Self {
        Self { keyed: Hmac::new_from_slice(key.expose()).expect("HMAC takes a key of any length") }
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
        let mut mac = self.keyed.clone();
        if identity.is_ascii() {
            lower_ascii(identity.as_bytes(), |bytes| mac.update(bytes));
        } else {
            mac.update(identity.to_lowercase().as_bytes());
        }
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Gives `bytes` in lower case to `take`, in pieces, without allocating: nearly every identity takes this way.
fn lower_ascii(bytes: &[u8], mut take: impl FnMut(&[u8])) {
    let mut buffer = [0; 128];
    for piece in bytes.chunks(buffer.len()) {
        let lower = &mut buffer[..piece.len()];
        lower.copy_from_slice(piece);
        lower.make_ascii_lowercase();
        take(lower);
    }
}

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
        fn the_short_way_for_ascii_gives_what_the_long_way_gives(identity in "[ -~]{0,300}") {
            let mut mac = pseudonyms().keyed.clone();
            mac.update(identity.trim().to_lowercase().as_bytes());
            let long = <[u8; 32]>::from(mac.finalize().into_bytes());
            prop_assert_eq!(&pseudonyms().of(&identity).to_be_bytes(), &long[..8]);
        }
    }
}
