//! Debian packages that a task needs: found, installed where that is allowed, or else named.

use std::process::Command;

use crate::command;
use crate::failure::Failure;
use crate::progress::Progress;

/// Sees to it that `packages` are installed, which `purpose` needs.
///
/// # Errors
/// Where they are missing and this user may not install them, or apt fails: the message says what to install.
pub fn ensure(packages: &[&str], purpose: &str, progress: &Progress) -> Result<(), Failure> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let advice =
        format!("{purpose} needs the Debian packages {list}; install them with `apt-get install {list}` as root");
    let Some(privilege) = Privilege::of_this_user() else {
        return Err(Failure::new(format!("{advice}, then try again")));
    };
    progress.say(&format!("installing {list} ({purpose})"));
    command::run(privilege.apt_get().arg("update"))
        .and_then(|()| {
            command::run(privilege.apt_get().args(["install", "--yes", "--no-install-recommends"]).args(&missing))
        })
        .map_err(|error| Failure::new(format!("{advice}, then try again: {error}")))
}

/// Whether dpkg has `package` installed and configured.
pub fn is_installed(package: &str) -> bool {
    let query =
        command::captured(Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]));
    query.is_some_and(|status| status == "installed")
}

/// How this user may install packages.
enum Privilege {
    Root,
    Sudo,
}

impl Privilege {
    /// None where there is no apt, or neither root nor a sudo that asks no password.
    fn of_this_user() -> Option<Self> {
        if !command::succeeds(Command::new("apt-get").arg("--version")) {
            None
        } else if command::captured(Command::new("id").arg("--user")).is_some_and(|id| id.trim() == "0") {
            Some(Self::Root)
        } else if command::succeeds(Command::new("sudo").args(["--non-interactive", "true"])) {
            Some(Self::Sudo)
        } else {
            None
        }
    }

    fn apt_get(&self) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["--non-interactive", "env"]);
                sudo
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
        command
    }
}
