//! Tools that Debian packages bring.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a tool to its end that a Debian package brings.
///
/// # Panics
/// When it is not installed, with what to do.
pub fn tool(package: &str, command: &mut Command) -> Output {
    tool_with_input(package, command, "")
}

/// The same with `input` on its standard input.
pub fn tool_with_input(package: &str, command: &mut Command, input: &str) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!("{name}: {error}; Debian's package `{package}` is needed for this test: `cargo xtask test` installs it")
    });
    // One that reads nothing may have ended already.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("its output")
}

/// Everything that a tool wrote.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A file of `packaging/`.
pub fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(name)
}
