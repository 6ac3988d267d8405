//! An HTTP server of a test's own, which answers as the test says, also as no server should.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A running server, for as long as the test runs.
pub struct HttpServer {
    /// The port, on 127.0.0.1.
    pub port: u16,
    /// What was asked: of every request its first line, and its header `Authorization` behind.
    pub asked: Arc<Mutex<Vec<String>>>,
}

/// What a connection is written to.
pub type Out<'o> = &'o mut dyn Write;

impl HttpServer {
    /// Starts a server that gives the path and query of every request to `answer`, which writes the whole answer. After
    /// each the connection is closed.
    pub fn start(answer: impl Fn(&str, Out<'_>) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        Self::over(None, answer)
    }

    /// The same by TLS, with the certificate in `dir`.
    pub fn start_tls(
        dir: &Path,
        answer: impl Fn(&str, Out<'_>) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let certificate = CertificateDer::from_pem_file(dir.join("server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(dir.join("server.key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            config.expect("TLS").with_no_client_auth().with_single_cert(vec![certificate], key).expect("a pair");
        Self::over(Some(Arc::new(config)), answer)
    }

    fn over(
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&str, Out<'_>) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, log, answer) = (tls.clone(), Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || {
                    // A client that goes away is its own affair.
                    let _ = match tls {
                        None => serve(stream, &log, &*answer),
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(config).expect("TLS");
                            serve(rustls::StreamOwned::new(connection, stream), &log, &*answer)
                        }
                    };
                });
            }
        });
        Self { port, asked }
    }

    /// The address of `path` on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the log").clone()
    }
}

fn serve(
    stream: impl Read + Write,
    log: &Mutex<Vec<String>>,
    answer: &dyn Fn(&str, Out<'_>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut authorization) = (String::new(), String::new());
    stream.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("private-token") {
            authorization = format!(" {value}");
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().expect("the log").push(format!("{path}{authorization}"));
    let out = stream.get_mut();
    answer(&path, out)?;
    out.flush()
}

/// Writes a whole answer of JSON.
pub fn json(out: Out<'_>, body: &str) -> std::io::Result<()> {
    with_head(out, "200 OK", "", body)
}

/// Writes a whole answer with a status, and lines of the head.
pub fn with_head(out: Out<'_>, status: &str, head: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(out, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{head}\r\n{body}")
}
