//! Running the real binaries.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a story waits for something that must happen, before it fails. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The directory of the workspace's binaries: the target directory that the test itself was built in.
pub fn binaries() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    test.parent().and_then(|deps| deps.parent()).expect("a test lies in target/PROFILE/deps").to_owned()
}

/// A binary of the workspace.
pub(crate) fn binary(name: &str) -> PathBuf {
    let path = binaries().join(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask test`, or `cargo build`", path.display());
    path
}

/// A built plugin: `license-visibility.wasm`, or one of the fixtures as `fixtures/NAME.wasm`.
pub fn plugin(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/plugins").join(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask build-plugin --fixtures`", path.display());
    path
}

/// Waits until `condition` gives something, and fails with `what` if it never does.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.stdin(Stdio::null()).output().expect("the binary starts");
        Self::from(output)
    }

    /// What a command left behind that was given `input` on standard input.
    pub(crate) fn with_input(mut command: Command, input: &str) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary starts");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads its input");
        Self::from(child.wait_with_output().expect("its output"))
    }

    /// Asserts that the command succeeded, and gives its output.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "the command failed\n{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Asserts that the command succeeded, and gives its JSON.
    pub fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("not JSON ({error}): {out}"))
    }

    /// Asserts that the command failed with `code` in its one line of error, and gives that line.
    pub fn refused(self, code: &str) -> String {
        assert_ne!(self.code, 0, "the command succeeded\n{}", self.stdout);
        let line = self.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default().to_owned();
        assert!(line.ends_with(&format!("[{code}]")), "expected [{code}]\n{}{}", self.stdout, self.stderr);
        line
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A process that runs until it is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("the binary starts"))
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it as `kill -9` does: it gets no chance to finish anything.
    pub fn kill(mut self) {
        self.stop();
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(killed.expect("kill starts").success());
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) {
        until("the process to end", || self.has_ended().then_some(()));
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child can be asked").is_some()
    }

    /// Asks it to end, as a service manager does, and gives how it ended.
    pub fn terminate(mut self) -> Finished {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().expect("kill starts").success());
        let status = until("the process to end", || self.0.try_wait().expect("a child can be asked"));
        let mut stderr = String::new();
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("its log is text");
        }
        Finished { code: status.code().unwrap_or(-1), stdout: String::new(), stderr }
    }

    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
