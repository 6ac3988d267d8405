//! Whose certificates are accepted. A certificate is always checked: a connection that is encrypted and not checked can
//! be read by whoever stands between.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The most bytes of the certificates of authorities.
pub const MAX_PEM: usize = 64 * 1024;

/// Whether a text that somebody has set holds certificates of authorities.
///
/// # Errors
/// The rule, in one line.
pub fn check_pem(pem: &str) -> Result<(), String> {
    if pem.len() > MAX_PEM {
        return Err(format!("must have at most {MAX_PEM} bytes"));
    }
    Trust::of_pem(pem.as_bytes()).map(|_| ())
}

/// The authorities whose certificates are accepted.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those of the system.
    #[default]
    System,
    /// These alone.
    Authorities(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// The authorities of a PEM file, or else those of the system.
    ///
    /// # Errors
    /// One line that continues the sentence "the file …".
    pub fn of(ca_file: Option<&Path>) -> Result<Self, String> {
        let Some(path) = ca_file else { return Ok(Self::System) };
        Self::of_pem(&std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?)
    }

    /// The authorities of a PEM text.
    ///
    /// # Errors
    /// One line that continues the sentence "the text …".
    pub fn of_pem(pem: &[u8]) -> Result<Self, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|error| format!("is not PEM: {error}"))?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| format!("holds what is no certificate: {error}"))?;
        }
        if certificates.is_empty() {
            Err("holds no certificate".to_owned())
        } else {
            Ok(Self::Authorities(certificates))
        }
    }

    /// For a TLS client of our own.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let verified = match self {
            Self::System => builder.with_platform_verifier()?,
            Self::Authorities(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates {
                    roots.add(certificate.clone())?;
                }
                builder.with_root_certificates(roots)
            }
        };
        Ok(Arc::new(verified.with_no_client_auth()))
    }

    /// For calls over HTTP.
    pub(crate) fn tls_config(&self) -> TlsConfig {
        let roots = match self {
            Self::System => RootCerts::PlatformVerifier,
            Self::Authorities(certificates) => {
                let certificates = certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
                RootCerts::from(certificates.collect::<Vec<_>>())
            }
        };
        TlsConfig::builder().root_certs(roots).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_authority_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ca.pem");
        assert!(Trust::of(Some(&path)).expect_err("missing").starts_with("cannot be read: "));
        std::fs::write(&path, "").expect("a file");
        assert_eq!(Trust::of(Some(&path)).expect_err("empty"), "holds no certificate");
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("a file");
        assert!(Trust::of(Some(&path)).expect_err("rubbish").starts_with("holds what is no certificate: "));
    }

    #[test]
    fn a_text_of_authorities_has_a_greatest_length() {
        assert_eq!(check_pem(&" ".repeat(MAX_PEM)), Err("holds no certificate".to_owned()));
        assert_eq!(check_pem(&" ".repeat(MAX_PEM + 1)), Err("must have at most 65536 bytes".to_owned()));
    }
}
