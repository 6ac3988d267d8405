//! Node packages that the tests need, in a directory of their own: the pinned ones of `tests/node.txt`.

use std::process::Command;

use crate::command;
use crate::debian;
use crate::failure::{Context as _, Failure};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Sees to it that the packages are installed in `target/node`.
///
/// # Errors
/// When there is no npm, or a package cannot be installed: the message names the command that failed.
pub fn ensure(workspace: &Workspace, progress: &Progress) -> Result<(), Failure> {
    let list = workspace.root().join("tests/node.txt");
    let wanted = std::fs::read_to_string(&list).context(list.display().to_string())?;
    let place = workspace.root().join("target/node");
    let installed = place.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let has = |program: &str| command::succeeds(Command::new(program).arg("--version"));
    let missing = ["nodejs", "npm"].into_iter().zip(["node", "npm"]).filter(|(_, program)| !has(program));
    debian::ensure(&missing.map(|(package, _)| package).collect::<Vec<_>>(), "the tests' Node packages", progress)?;
    progress.say("installing the Node packages of the tests");
    std::fs::create_dir_all(&place).context(place.display().to_string())?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel", "error"]);
    command::run(npm.arg("--prefix").arg(&place).args(wanted.split_whitespace()))?;
    std::fs::write(&installed, wanted).context(installed.display().to_string())
}
