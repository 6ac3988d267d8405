//! A real mail server (aiosmtpd, from `target/python`) of a test's own, and certificates of an authority of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};

/// A mail server that runs until it is dropped.
pub struct MailServer {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// Its port, on 127.0.0.1.
    pub port: u16,
}

impl MailServer {
    /// A server as `wish` describes it: `security`, `certificate`, `users`, `refuse`, `greylist`, `without`, `port`.
    ///
    /// # Panics
    /// When the Python packages are not installed, with what to do.
    pub fn start(wish: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../delivery/tests/support/mail_server.py");
        let mut command = Command::new(python());
        command.arg(script).arg(wish.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let port = lines.next().expect("its port").expect("a line").parse().expect("a port");
        Self { process, lines, port }
    }

    /// A server without encryption.
    pub fn plain() -> Self {
        Self::start(&json!({"security": "plain"}))
    }

    /// The next mail that it takes.
    pub fn mail(&mut self) -> Value {
        let line = self.lines.next().expect("the server runs").expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python of the tests.
pub fn python() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(path.exists(), "aiosmtpd is needed for this test: `cargo xtask test` installs it into target/python");
    path
}

/// Writes an authority (`ca.pem`), and its certificates with their keys, for localhost (`server.pem`) and for another host
/// (`other.pem`), into `dir`.
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
