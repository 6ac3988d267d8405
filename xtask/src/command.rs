//! Calling other programs: their output streams to the terminal, or is taken; a failure names the whole command.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::failure::{Context as _, Failure};

/// Runs `command` to its end; what it prints goes where this program prints.
///
/// # Errors
/// When it cannot be started, or ends with another status than 0.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().context(line(command))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}` failed: {status}", line(command)))) }
}

/// Runs `command` to its end and gives what it printed to standard output; its standard error streams.
///
/// # Errors
/// When it cannot be started, ends with another status than 0, or prints no UTF-8.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context(line(command))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`{}` failed: {}", line(command), output.status)));
    }
    String::from_utf8(output.stdout).context(line(command))
}

/// Whether `command` can be started and ends well; what it prints is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    captured(command).is_some()
}

/// What `command` printed to standard output, if it could be started and ended well.
pub fn captured(command: &mut Command) -> Option<String> {
    let Output { status, stdout, .. } = command.stdin(Stdio::null()).output().ok()?;
    status.success().then(|| String::from_utf8_lossy(&stdout).into_owned())
}

/// The command as one would type it.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
