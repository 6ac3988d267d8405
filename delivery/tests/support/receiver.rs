//! A real receiver of webhooks of a test's own, which verifies with the reference library in Python.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Lines, channel};
use std::time::Duration;

use serde_json::Value;

use super::mail_server::python;

/// A receiver that runs until it is dropped.
pub struct Receiver {
    process: Child,
    lines: Lines<String>,
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
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (send, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let port = lines.recv().expect("its port").parse().expect("a port");
        let scheme = if wish.get("certificate").is_some() { "https" } else { "http" };
        Self { process, lines, port, scheme }
    }

    /// Where it is called.
    pub fn url(&self) -> String {
        format!("{}://localhost:{}/hook", self.scheme, self.port)
    }

    /// The next call that it hears.
    pub fn call(&mut self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_secs(120)).expect("a call within two minutes");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
