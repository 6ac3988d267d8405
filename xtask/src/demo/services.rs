//! Processes that the demo starts, and that never outlive it.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::failure::{Context as _, Failure};

/// How long a process may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that runs beside the demo. Dropping it stops it, also when the demo fails or panics; and the kernel stops
/// it when the demo itself is killed.
pub struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `program` with `arguments`; what it prints goes into `log`.
    ///
    /// # Errors
    /// When it cannot be started, or its log cannot be written.
    pub fn start(name: &'static str, program: &Path, arguments: &[&str], log: PathBuf) -> Result<Self, Failure> {
        let out = File::create(&log).context(log.display())?;
        let err = out.try_clone().context(log.display())?;
        // setpriv (util-linux) asks the kernel for a signal to the child when this process dies, however it dies.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(program).args(arguments);
        // A process group of its own, so that Ctrl-C reaches the demo alone, which then stops everything in order.
        let child = command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        Ok(Self { name, child: child.context(command::line(&command))?, log })
    }

    /// Waits until `ready` says that the service answers.
    ///
    /// # Errors
    /// When the service ends before, or 60 seconds pass: the message has the last lines of its log.
    pub fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<(), Failure> {
        let begun = Instant::now();
        while !ready() {
            if let Some(status) = self.ended() {
                return Err(Failure::new(format!("{} ended with {status}:\n{}", self.name, self.last_lines())));
            }
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(Failure::new(format!("{} does not answer:\n{}", self.name, self.last_lines())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last lines that it printed.
    pub fn last_lines(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        // The standard library can only kill; the shell's `kill` asks first.
        let _ = command::captured(Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]));
        let asked = Instant::now();
        while self.ended().is_none() && asked.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_running(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_service_is_stopped_when_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let service = Service::start("sleep", Path::new("sleep"), &["600"], log).expect("started");
        let pid = service.child.id();
        assert!(is_running(pid));
        drop(service);
        assert!(!is_running(pid));
    }

    #[test]
    fn a_service_that_ends_before_it_is_ready_tells_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let arguments = ["-c", "echo the port is taken >&2; exit 3"];
        let mut service = Service::start("central", Path::new("sh"), &arguments, log).expect("started");
        let error = service.wait_until(|| false).expect_err("it ended").to_string();
        assert!(error.contains("central ended with exit status: 3"), "{error}");
        assert!(error.contains("the port is taken"), "{error}");
    }
}
