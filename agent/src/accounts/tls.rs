//! TLS towards PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use postgres::config::{Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::SourceError;

/// The connector for `config`, or none where TLS is off. The mode is made definite: without `sslmode`, a socket or the
/// loopback interface is reached in clear, and everything else by TLS with a checked certificate. There is no mode that
/// encrypts and does not check, because such a connection can be read by whoever stands between.
///
/// # Errors
/// When the certificate authorities, of `ca_file` or else of the system, cannot be read.
pub fn connector(
    config: &mut postgres::Config,
    ca_file: Option<&Path>,
) -> Result<Option<MakeRustlsConnect>, SourceError> {
    if config.get_ssl_mode() == SslMode::Prefer {
        let mode = if is_local(config) && ca_file.is_none() { SslMode::Disable } else { SslMode::Require };
        config.ssl_mode(mode);
    }
    if config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    client_config(ca_file)
        .map(|tls| Some(MakeRustlsConnect::new(tls)))
        .map_err(|reason| SourceError::Unreachable { database: "by TLS".to_owned(), reason })
}

fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
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

/// Whether every host is this machine.
fn is_local(config: &postgres::Config) -> bool {
    let is_loopback =
        |name: &str| name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => is_loopback(name) || !config.get_hostaddrs().is_empty(),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(address: &str) -> SslMode {
        let mut config: postgres::Config = address.parse().expect("an address");
        connector(&mut config, None).expect("a connector");
        config.get_ssl_mode()
    }

    #[test]
    fn another_machine_is_reached_by_tls_unless_the_address_says_otherwise() {
        assert_eq!(mode("host=db.example.org dbname=wiki"), SslMode::Require);
        assert_eq!(mode("host=db.example.org hostaddr=192.0.2.7"), SslMode::Require);
        assert_eq!(mode("host=db.example.org sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://127.0.0.1/wiki"), SslMode::Disable);
        assert_eq!(mode("postgres://localhost/wiki?sslmode=require"), SslMode::Require);
    }

    #[test]
    fn an_authority_that_is_no_certificate_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut config: postgres::Config = "host=db.example.org".parse().expect("an address");
        let error = connector(&mut config, Some(file.path())).err().expect("a refusal");
        assert!(error.to_string().ends_with("holds no certificate"), "{error}");
    }
}
