//! `seatline run`, as a process that is started and stopped.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::agent::Agent;
use super::wait::{PATIENCE, until};

/// A running agent and its log, one JSON object a line.
pub struct Running {
    process: Child,
    log: Receiver<String>,
}

impl Running {
    /// Starts the agent with more arguments and environment.
    pub fn start(agent: &Agent, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut process = Self::process(agent, arguments, environment, Stdio::piped());
        let lines = BufReader::new(process.stderr.take().expect("its log")).lines();
        let (line, log) = channel();
        // It is read to its end, so that the agent never waits for a test that reads no more of it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|read| drop(line.send(read))));
        Self { process, log }
    }

    /// Starts the agent with a full disk below its log.
    pub fn start_without_log(agent: &Agent) -> Self {
        let full = File::options().write(true).open("/dev/full").expect("a file that is full");
        Self { process: Self::process(agent, &[], &[], full.into()), log: channel().1 }
    }

    fn process(agent: &Agent, arguments: &[&str], environment: &[(&str, &str)], log: Stdio) -> Child {
        let mut command = agent.command(&[&["run"], arguments].concat());
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(log);
        command.spawn().expect("the binary starts")
    }

    /// Reads the log up to the line with this message.
    pub fn until(&mut self, message: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let entry = self.entry();
            if entry["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return entry;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain for the line `{message}`; the last was {entry}");
        }
    }

    /// Reads the next line of the log.
    pub fn entry(&mut self) -> Value {
        let line = self.log.recv_timeout(PATIENCE).expect("another line of the log");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill").success());
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        self.process.try_wait().expect("its state").is_none()
    }

    /// Waits for its end, and gives its exit status.
    pub fn ended(&mut self) -> Option<i32> {
        until("the end of the agent", || self.process.try_wait().expect("its state")).code()
    }

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
