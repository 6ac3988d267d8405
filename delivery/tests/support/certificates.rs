//! Certificates of an authority of a test's own.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Writes an authority (`ca.pem`), and its certificates with their keys, for localhost (`server.pem`) and for another
/// host (`other.pem`), into `dir`.
pub fn write_certificates(dir: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    std::fs::write(dir.join("ca.pem"), authority.pem()).expect("the authority's file");
    for (file, name) in [("server.pem", "localhost"), ("other.pem", "other.test")] {
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new([name.to_owned()]).expect("a name");
        let server = server.signed_by(&key, &authority).expect("a certificate");
        std::fs::write(dir.join(file), key.serialize_pem() + &server.pem()).expect("the server's file");
    }
}
