//! Where the target `wasm32-unknown-unknown` comes from: the Rust that is there, rustup, or Debian's packages.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::debian;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";

/// What builds the target where it is not installed: a Rust with the sources of its standard library, and a linker.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// The ways to get the target, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The target is installed in the Rust that runs this
    Installed,
    /// `rustup target add`
    Rustup,
    /// Debian's packages rustc-web, cargo-web, rust-web-src and lld, which build the standard library too
    Debian,
}

/// The option of every task that builds plugins.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Source {
    /// Where the WebAssembly target comes from [default: the first that is there]
    #[arg(long, value_enum, env = "SEATLINE_WASM_TOOLCHAIN")]
    toolchain: Option<Choice>,
}

/// A way to build WebAssembly that is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The cargo that runs this task.
    Present,
    /// Debian's.
    Debian,
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Present => "with the installed wasm32-unknown-unknown",
            Self::Debian => "with Debian's rustc-web; the first time takes about two minutes",
        })
    }
}

impl Toolchain {
    /// The toolchain that `source` names, or the first that can be had.
    ///
    /// # Errors
    /// When it cannot be had. The message says what to install.
    pub fn choose(source: Source, progress: &Progress) -> Result<Self, Failure> {
        match source.toolchain {
            Some(Choice::Installed) if is_installed() => Ok(Self::Present),
            Some(Choice::Installed) => Err(Failure::new(format!("{TARGET} is not installed: {}", advice()))),
            Some(Choice::Rustup) => add_by_rustup(progress),
            Some(Choice::Debian) => debian_packages(progress),
            None if is_installed() => Ok(Self::Present),
            None => add_by_rustup(progress).or_else(|rustup| {
                progress.say(&format!("{rustup}; trying Debian's packages"));
                debian_packages(progress)
            }),
        }
    }

    /// Builds the workspace of `manifest`, or only `package` of it, and gives the folder that holds the core modules.
    ///
    /// # Errors
    /// When it does not build.
    pub fn build(self, workspace: &Workspace, manifest: &Path, package: Option<&str>) -> Result<PathBuf, Failure> {
        // A folder for each toolchain, so that changing between them builds nothing twice.
        let (mut cargo, target_dir) = match self {
            Self::Present => (workspace.cargo(), workspace.target().join("wasm")),
            Self::Debian => (debian_cargo(workspace), workspace.target().join("wasm-debian")),
        };
        let profile = if package.is_some() { "plugin" } else { "release" };
        cargo
            .args(["build", "--lib", "--locked", "--target", TARGET, "--profile", profile, "--manifest-path"])
            .arg(manifest);
        cargo.arg("--target-dir").arg(&target_dir);
        match package {
            Some(package) => cargo.args(["--package", package]),
            None => cargo.arg("--workspace"),
        };
        if self == Self::Debian {
            cargo.args(["-Z", "build-std=std,panic_abort"]);
        }
        command::run(&mut cargo)?;
        Ok(target_dir.join(TARGET).join(profile))
    }
}

/// Whether the Rust that runs this task has the target's standard library.
fn is_installed() -> bool {
    let libraries = command::captured(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    libraries.is_some_and(|path| Path::new(path.trim()).is_dir())
}

fn add_by_rustup(progress: &Progress) -> Result<Toolchain, Failure> {
    progress.say(&format!("rustup target add {TARGET}"));
    // A machine without a way out must not wait for long: `timeout` is in coreutils.
    let mut rustup = Command::new("timeout");
    rustup.args(["120", "rustup", "target", "add", TARGET]);
    command::run(&mut rustup).map_err(|error| Failure::new(format!("rustup has no {TARGET} ({error})")))?;
    Ok(Toolchain::Present)
}

fn debian_packages(progress: &Progress) -> Result<Toolchain, Failure> {
    debian::ensure(&DEBIAN_PACKAGES, &format!("building for {TARGET} without rustup's target"), progress)
        .map_err(|error| Failure::new(format!("{error}. Or: {}", advice())))?;
    Ok(Toolchain::Debian)
}

fn advice() -> String {
    format!("run `rustup target add {TARGET}`, or install {} on Debian 12", DEBIAN_PACKAGES.join(" "))
}

/// Debian's cargo and rustc, kept apart from a rustup that may have started this task.
fn debian_cargo(workspace: &Workspace) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut cargo = workspace.program("/usr/bin/cargo");
    cargo
        .env("PATH", format!("/usr/bin:{path}"))
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
    for inherited in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTDOC", "LD_LIBRARY_PATH"] {
        cargo.env_remove(inherited);
    }
    cargo
}
