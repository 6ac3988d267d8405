//! A program that is read from, and that does not outlive it: it has a process group of its own, which is killed when
//! it has ended, takes too long, or is not wanted any more.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::error::{CommandEnd, SourceError};
use super::{TimeLimit, short, wire};
use crate::config::accounts::command::Command;

/// The bytes at the end of standard error that are kept.
const SAID_BYTES: usize = 1024;
/// How often an end is looked for that nothing announces: of a program that has closed its outputs, and goes on.
const LOOK: Duration = Duration::from_millis(20);

/// A running program. Reading it gives its standard output.
pub struct Process {
    child: Child,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    said: Vec<u8>,
    limit: TimeLimit,
}

impl Process {
    /// Starts `command` without a shell and without an input, with the environment that it is given and no other.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &Command, limit: TimeLimit) -> Result<Self, SourceError> {
        let mut process = std::process::Command::new(&command.program);
        process.args(&command.arguments).current_dir(&command.dir).process_group(0).env_clear();
        for name in &command.environment {
            if let Some(value) = std::env::var_os(name) {
                process.env(name, value);
            }
        }
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let unreachable = |reason: &str| SourceError::Unreachable {
            place: format!("the command {}", short(&command.program.to_string_lossy())),
            reason: reason.to_owned(),
        };
        let mut child = process.spawn().map_err(|error| unreachable(&short(&error.to_string())))?;
        match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), stderr) => Ok(Self { child, stdout, stderr, said: Vec::new(), limit }),
            (None, _) => Err(unreachable("its output is not to be had")),
        }
    }

    /// Waits for the end of the program, whose output has been read to its end.
    ///
    /// # Errors
    /// When it takes too long, or does not end well: then nothing of what it wrote counts.
    pub fn finish(mut self) -> Result<(), SourceError> {
        while !self.has_ended() {
            self.limit.left()?;
            self.hear(LOOK);
        }
        self.kill();
        // What it said last, and no more than a pipe holds: a stranger may hold the other end, and never stop.
        for _ in 0..64 {
            self.hear(Duration::ZERO);
        }
        let status = self.child.wait().map_err(|error| wire::read_error(&error, self.limit, 0))?;
        if status.success() { Ok(()) } else { Err(SourceError::Command(self.end(status))) }
    }

    /// Whether it has ended. It stays a zombie, so that its number, which is that of its group, is not given to
    /// another.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let ended = Pid::from_raw(self.child.id().cast_signed()).map(|pid| waitid(WaitId::Pid(pid), options));
        !matches!(ended, Some(Ok(None)))
    }

    /// Listens to standard error for at most `wait`.
    fn hear(&mut self, wait: Duration) {
        let Some(stderr) = &mut self.stderr else { return std::thread::sleep(wait) };
        let time = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        if !matches!(poll(&mut [PollFd::new(stderr, PollFlags::IN)], Some(&time)), Ok(1)) {
            return;
        }
        let mut buffer = [0; SAID_BYTES];
        match stderr.read(&mut buffer) {
            Ok(0) | Err(_) => self.stderr = None,
            Ok(read) => self.said.extend(&buffer[..read]),
        }
        self.said.drain(..self.said.len().saturating_sub(SAID_BYTES));
    }

    /// Ends everything of the program that still runs.
    fn kill(&self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // There may be nobody left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn end(&self, status: ExitStatus) -> CommandEnd {
        let said = String::from_utf8_lossy(&self.said);
        let last = said.lines().rev().map(short).find(|line| !line.is_empty());
        let status = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with the exit status {code}"),
            (None, Some(signal)) => format!("was ended by the signal {signal}"),
            (None, None) => "did not end well".to_owned(),
        };
        CommandEnd { status, said: last }
    }
}

impl Read for Process {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = Timespec::try_from(self.limit.remaining()?).map_err(io::Error::other)?;
            let out = PollFd::new(&self.stdout, PollFlags::IN);
            let (is_said, is_written) = match &self.stderr {
                None => {
                    let mut both = [out];
                    poll(&mut both, Some(&left))?;
                    (false, !both[0].revents().is_empty())
                }
                Some(stderr) => {
                    let mut both = [out, PollFd::new(stderr, PollFlags::IN)];
                    poll(&mut both, Some(&left))?;
                    (!both[1].revents().is_empty(), !both[0].revents().is_empty())
                }
            };
            if is_said {
                self.hear(Duration::ZERO);
            }
            if is_written {
                return self.stdout.read(buffer);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Killed, it ends at once; not waited for, it would stay a zombie.
        let _ = self.child.wait();
    }
}
