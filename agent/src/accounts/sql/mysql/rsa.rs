//! Encrypting a password for the public key of a server: RSAES-OAEP with SHA-1 (RFC 8017, section 7.1), as MySQL's
//! `caching_sha2_password` wants it on a connection without TLS.
//!
//! Only the public half is here. It protects the password from who reads along; who can pose as the server is kept away
//! by TLS alone, which is why a connection in clear goes to this machine unless the address says otherwise.

use num_bigint::BigUint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use crate::accounts::ber::{BIT_STRING, Elements, INTEGER};

/// The bytes of a SHA-1 digest.
const HASH: usize = 20;
/// The bytes that a key may have: 1024 to 8192 bits. A longer one would only make us compute.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 128..=1024;

/// A public key of RSA.
pub struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
    /// Of the modulus.
    bytes: usize,
}

impl PublicKey {
    /// The key in a PEM text `PUBLIC KEY`.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        let mut info = Elements(der.as_ref()).sequence()?;
        info.sequence()?;
        // The first byte tells how many bits at the end are unused.
        let mut key = Elements(info.expect(BIT_STRING)?.strip_prefix(&[0])?).sequence()?;
        let modulus = BigUint::from_bytes_be(key.expect(INTEGER)?);
        let exponent = BigUint::from_bytes_be(key.expect(INTEGER)?);
        let bytes = modulus.bits().div_ceil(8) as usize;
        let is_usual = KEY_BYTES.contains(&bytes) && (3..=32).contains(&exponent.bits().max(3)) && modulus.bit(0);
        is_usual.then_some(Self { modulus, exponent, bytes })
    }

    /// `message` for the owner of the key alone; none if it is too long for the key, or the system gives no randomness.
    pub fn encrypt(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut seed = [0; HASH];
        getrandom::fill(&mut seed).ok()?;
        self.encrypt_with(message, seed)
    }

    fn encrypt_with(&self, message: &[u8], mut seed: [u8; HASH]) -> Option<Vec<u8>> {
        let mut block = vec![0; self.bytes.checked_sub(HASH + 1)?];
        let begin = block.len().checked_sub(message.len()).filter(|begin| *begin > HASH)?;
        block[..HASH].copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref());
        block[begin - 1] = 1;
        block[begin..].copy_from_slice(message);
        mask(&mut block, &seed);
        mask(&mut seed, &block);
        let encoded = zeroize::Zeroizing::new([&[0], &seed[..], &block].concat());
        let encrypted = BigUint::from_bytes_be(&encoded).modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut whole = vec![0; self.bytes - encrypted.len()];
        whole.extend(encrypted);
        Some(whole)
    }
}

/// Masks `bytes` by what MGF1 with SHA-1 makes of `seed` (RFC 8017, appendix B.2.1).
fn mask(bytes: &mut [u8], seed: &[u8]) {
    for (counter, piece) in (0_u32..).zip(bytes.chunks_mut(HASH)) {
        let mask = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[seed, &counter.to_be_bytes()].concat());
        piece.iter_mut().zip(mask.as_ref()).for_each(|(byte, mask)| *byte ^= mask);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = openssl.spawn().expect("Debian's package `openssl` is needed for this test");
        child.stdin.take().expect("its input").write_all(input).expect("the input");
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success(), "openssl {arguments:?}");
        output.stdout
    }

    #[test]
    fn what_is_encrypted_is_decrypted_by_openssl() {
        let dir = tempfile::tempdir().expect("a directory");
        let secret = dir.path().join("key.pem");
        let secret = secret.to_str().expect("a path");
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", secret], b"");
        let key = PublicKey::from_pem(&openssl(&["pkey", "-in", secret, "-pubout"], b"")).expect("a key");
        for message in [&b"hunter2\0"[..], b"", &[7; 214]] {
            let encrypted = key.encrypt(message).expect("it has room");
            let decrypt = ["pkeyutl", "-decrypt", "-inkey", secret, "-pkeyopt", "rsa_padding_mode:oaep"];
            assert_eq!(openssl(&decrypt, &encrypted), message);
        }
        assert!(key.encrypt(&[7; 215]).is_none(), "OAEP takes 42 bytes of 256");
    }

    #[test]
    fn what_is_no_usual_key_is_none() {
        for pem in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "hunter2"] {
            assert!(PublicKey::from_pem(pem.as_bytes()).is_none(), "{pem}");
        }
    }

    #[test]
    fn a_key_that_is_too_short_or_would_only_make_us_compute_is_none() {
        let key = |modulus: usize, exponent: &[u8]| {
            let element = |tag: u8, content: &[u8]| {
                let [a, b] = u16::try_from(content.len()).expect("short").to_be_bytes();
                [&[tag, 0x82, a, b], content].concat()
            };
            let numbers = [element(INTEGER, &vec![0x55; modulus]), element(INTEGER, exponent)].concat();
            let bits = [&[0], &element(0x30, &numbers)[..]].concat();
            let der = element(0x30, &[element(0x30, &[]), element(BIT_STRING, &bits)].concat());
            let text = STANDARD.encode(der);
            PublicKey::from_pem(format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").as_bytes())
        };
        let usual = [1, 0, 1];
        let is_taken = |modulus, exponent: &[u8]| key(modulus, exponent).is_some();
        assert!(is_taken(128, &usual) && is_taken(1024, &usual) && is_taken(256, &[3]));
        assert!(!is_taken(127, &usual) && !is_taken(1025, &usual) && !is_taken(256, &[1, 0, 0, 0, 1]));
    }
}
