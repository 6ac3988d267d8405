//! `seatline run`, as a process that is started and stopped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use super::agent::Agent;

/// A running agent and its log, one JSON object a line.
pub struct Running {
    process: Child,
    log: std::io::Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts the agent with more arguments and environment.
    pub fn start(agent: &Agent, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = agent.command(&[&["run"], arguments].concat());
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let log = BufReader::new(process.stderr.take().expect("its log")).lines();
        Self { process, log }
    }

    /// Reads the log up to the line with this message.
    pub fn until(&mut self, message: &str) -> Value {
        loop {
            let entry = self.entry();
            if entry["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return entry;
            }
        }
    }

    /// Reads the next line of the log.
    pub fn entry(&mut self) -> Value {
        let line = self.log.next().expect("the log has not ended").expect("a line of the log");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill").success());
    }

    /// Waits for its end, and gives its exit status.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.wait().expect("its end").code()
    }
}

impl Running {
    /// Where it listens; read from its log.
    pub fn address(&mut self) -> String {
        self.until("listening")["address"].as_str().expect("an address").to_owned()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
