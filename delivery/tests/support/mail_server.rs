//! A real mail server (aiosmtpd, from `target/python`) of a test's own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Lines, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// A mail server that runs until it is dropped.
pub struct MailServer {
    process: Child,
    lines: Lines<String>,
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
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (send, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let port = lines.recv().expect("its port").parse().expect("a port");
        Self { process, lines, port }
    }

    /// A server without encryption.
    pub fn plain() -> Self {
        Self::start(&json!({"security": "plain"}))
    }

    /// The next mail that it takes.
    pub fn mail(&mut self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_secs(60)).expect("a mail within a minute");
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
