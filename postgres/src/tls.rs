//! TLS towards a product's database or directory, whose certificate is always checked: a connection that is encrypted
//! and not checked can be read by whoever stands between.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How a client connects that trusts the authorities in `ca_file`, or else those of the system.
///
/// # Errors
/// One line, when they cannot be read.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let verified = match ca_file {
        None => builder.with_platform_verifier().map_err(|error| error.to_string())?,
        Some(path) => {
            let roots = read_roots(path).map_err(|reason| format!("the tls_ca_file {} {reason}", path.display()))?;
            builder.with_root_certificates(roots)
        }
    };
    Ok(verified.with_no_client_auth())
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| format!("cannot be read: {error}"))? {
        let certificate = certificate.map_err(|error| format!("is not PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("holds what is no certificate: {error}"))?;
    }
    if roots.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_no_certificate_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let reason = client_config(Some(file.path())).expect_err("a refusal");
        assert_eq!(reason, format!("the tls_ca_file {} holds no certificate", file.path().display()));
    }
}
