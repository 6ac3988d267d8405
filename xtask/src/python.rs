//! Python packages that the tests need, in a virtual environment of their own: the pinned ones of `tests/python.txt`.

use std::path::Path;
use std::process::Command;

use crate::command;
use crate::debian;
use crate::failure::{Context as _, Failure};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Sees to it that the packages are installed in `target/python`, whose `bin/python` the tests run.
///
/// # Errors
/// When there is no Python, or a package cannot be installed: the message names the command that failed.
pub fn ensure(workspace: &Workspace, progress: &Progress) -> Result<(), Failure> {
    let list = workspace.root().join("tests/python.txt");
    let wanted = std::fs::read_to_string(&list).context(list.display().to_string())?;
    let environment = workspace.root().join("target/python");
    let installed = environment.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !has_venv() {
        debian::ensure(&["python3-venv"], "the tests' Python packages", progress)?;
    }
    progress.say("installing the Python packages of the tests");
    create(&environment)?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    command::run(pip.arg(&list))?;
    std::fs::write(&installed, wanted).context(installed.display().to_string())
}

/// Debian's Python comes without the part that fills a new environment.
fn has_venv() -> bool {
    command::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

fn create(environment: &Path) -> Result<(), Failure> {
    command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))
}
