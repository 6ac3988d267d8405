//! A real receiver of webhooks of a test's own, which verifies with the reference library in Python.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::mail_server::python;

/// A receiver that runs until it is dropped.
pub struct Receiver {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    port: u16,
    scheme: &'static str,
}

impl Receiver {
    /// A receiver as `wish` describes it: `secret`, and perhaps `certificate`, `answers` and `port`.
    pub fn start(wish: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../delivery/tests/support/receiver.py");
        let mut command = Command::new(python());
        command.arg(script).arg(wish.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let port = lines.next().expect("its port").expect("a line").parse().expect("a port");
        let scheme = if wish.get("certificate").is_some() { "https" } else { "http" };
        Self { process, lines, port, scheme }
    }

    /// Where it is called.
    pub fn url(&self) -> String {
        format!("{}://localhost:{}/hook", self.scheme, self.port)
    }

    /// The next call that it hears.
    pub fn call(&mut self) -> Value {
        let line = self.lines.next().expect("the receiver runs").expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
