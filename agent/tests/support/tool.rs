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

/// Has systemd verify a unit of `packaging/` that starts `installed` with `arguments`, and look what it leaves to reach.
/// The binary `built` takes the place of the installed one: systemd looks whether it is there.
pub fn hold_unit(name: &str, (installed, arguments): (&str, &str), built: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let unit = std::fs::read_to_string(packaging("systemd").join(name)).expect("the unit");
    assert!(unit.contains(&format!("ExecStart={installed} {arguments}\n")), "{unit}");
    let path = dir.path().join(name);
    std::fs::write(&path, unit.replace(installed, built)).expect("the unit");
    let analyze = || Command::new("systemd-analyze");
    let verified = tool("systemd", analyze().args(["verify", "--man=no"]).arg(&path));
    assert!(verified.status.success() && text(&verified).is_empty(), "{}", text(&verified));
    // The exposure in tenths: 0 is nothing at all, 100 everything.
    let secure =
        tool("systemd", analyze().args(["security", "--offline=true", "--no-pager", "--threshold=15"]).arg(&path));
    assert!(secure.status.success(), "{}", text(&secure));
}

/// The line of the users of a machine for `user`, which systemd has made by a file of `packaging/`.
pub fn user_made(name: &str, user: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("etc")).expect("a root of its own");
    let root = format!("--root={}", dir.path().display());
    let sysusers = packaging("systemd").join(name);
    let made = tool("systemd", Command::new("systemd-sysusers").arg(root).arg(sysusers));
    assert!(made.status.success(), "{}", text(&made));
    let users = std::fs::read_to_string(dir.path().join("etc/passwd")).expect("the users");
    let line = users.lines().find(|line| line.starts_with(&format!("{user}:")));
    line.expect("its user").to_owned()
}
