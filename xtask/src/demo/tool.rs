//! Calling a binary of Seatline for its `--json` answer.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command;
use crate::failure::{Context as _, Failure};

/// A binary with its data directory.
pub struct Tool {
    program: PathBuf,
    dir: PathBuf,
}

impl Tool {
    /// `program`, whose data is in `dir`.
    pub fn new(program: PathBuf, dir: PathBuf) -> Self {
        Self { program, dir }
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Calls it with `arguments`, `--dir` and `--json`, and gives its answer.
    ///
    /// # Errors
    /// When it ends with another status than 0, or prints no JSON: the message has what it printed.
    pub fn json(&self, arguments: &[&str]) -> Result<Value, Failure> {
        self.json_with_input(arguments, "")
    }

    /// The same with `input` as its standard input: what must not stand in a list of processes.
    ///
    /// # Errors
    /// As [`Tool::json`].
    pub fn json_with_input(&self, arguments: &[&str], input: &str) -> Result<Value, Failure> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--json").arg("--dir").arg(&self.dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context(command::line(&command))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may be gone by now; its status says whether that is an error.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().context(command::line(&command))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if !output.status.success() {
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            return Err(Failure::new(format!(
                "`{}` failed ({}): {out}\n{err}",
                command::line(&command),
                output.status
            )));
        }
        serde_json::from_slice(&output.stdout).context(format_args!(
            "`{}` printed no JSON: {}",
            command::line(&command),
            text(&output.stdout)
        ))
    }
}

/// The text at `pointer` (RFC 6901) of `answer`.
///
/// # Errors
/// When there is no text: the message shows the answer.
pub fn text<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| Failure::new(format!("there is no text at {pointer} in {answer}")))
}
