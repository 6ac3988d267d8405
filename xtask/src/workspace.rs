//! Where things are in the repository, and how cargo is called for it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::command;
use crate::failure::{Context as _, Failure};

/// How the variables begin that cargo sets for a program that it runs, and that tell of its package.
const SET_BY_CARGO: [&str; 5] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];

/// The repository.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The repository that this program was built from.
    pub fn here() -> Self {
        // Cargo sets the variable for what it runs; the value of the build serves where it was started without cargo.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest_dir).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self { root }
    }

    /// The top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds. This program is there itself, in the folder of its profile: so it holds
    /// whatever says where that is, the environment or a configuration of cargo.
    pub fn target(&self) -> PathBuf {
        let this = std::env::current_exe().ok();
        let target = this.as_deref().and_then(|program| program.ancestors().nth(2));
        target.map_or_else(|| self.root.join("target"), Path::to_path_buf)
    }

    /// Where `cargo xtask build-plugin` puts components, wherever cargo builds: the tests and the guides name it.
    pub fn plugins(&self) -> PathBuf {
        self.root.join("target/plugins")
    }

    /// The stock plugin as a component.
    pub fn stock_plugin(&self) -> PathBuf {
        self.plugins().join("license-visibility.wasm")
    }

    /// The manifest of the workspace that holds the test plugins.
    pub fn fixtures(&self) -> PathBuf {
        self.root.join("tests/plugins/Cargo.toml")
    }

    /// A binary of the dev profile.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target().join("debug").join(name)
    }

    /// The cargo that runs this task, called in the top folder.
    pub fn cargo(&self) -> Command {
        self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// A program that calls cargo, or is one, called in the top folder as a developer would call it: without the
    /// variables that cargo has set for this program. Build scripts look at some of them, and would build their crates,
    /// and all that stands on these, anew at every change between cargo itself and a task.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| SET_BY_CARGO.iter().any(|set| name.starts_with(set))) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Builds all binaries in the profile of the tests. Always the whole workspace, so that the features of the
    /// dependencies, and with them their builds, are the same for every task.
    ///
    /// # Errors
    /// When something does not build, or `Cargo.lock` is not up to date.
    pub fn build_binaries(&self) -> Result<(), Failure> {
        command::run(self.cargo().args(["build", "--workspace", "--bins", "--locked"]))
    }

    /// The packages of the workspace whose manifest is `manifest`.
    ///
    /// # Errors
    /// When cargo cannot read the workspace.
    pub fn packages(&self, manifest: &Path) -> Result<Vec<Package>, Failure> {
        let mut cargo = self.cargo();
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(manifest);
        let metadata: Metadata = serde_json::from_str(&command::output(&mut cargo)?).context("cargo metadata")?;
        Ok(metadata.packages)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// What a `Cargo.toml` says of a package.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its one-line description.
    pub description: Option<String>,
    /// The license under which it is published, an SPDX expression.
    pub license: Option<String>,
    /// Who publishes it.
    #[serde(default)]
    pub authors: Vec<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Package {
    /// The file name of the core WebAssembly module that is built from it, if it is a `cdylib`.
    pub fn module(&self) -> Option<String> {
        let library = self.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
        Some(format!("{}.wasm", library.name.replace('-', "_")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_stock_plugin_is_a_module_that_says_who_publishes_it() {
        let workspace = Workspace::here();
        let packages = workspace.packages(&workspace.root().join("Cargo.toml")).expect("the workspace");
        let stock = packages.iter().find(|package| package.name == "license-visibility").expect("the stock plugin");
        assert_eq!(stock.module().as_deref(), Some("license_visibility.wasm"));
        assert!(stock.description.is_some() && stock.license.is_some() && !stock.authors.is_empty());
        let xtask = packages.iter().find(|package| package.name == "xtask").expect("this program");
        assert_eq!(xtask.module(), None);
    }

    /// Cargo runs this test with its variables, as it runs the tasks.
    #[test]
    fn what_a_task_calls_does_not_know_that_cargo_called_the_task() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "cargo has set its variables");
        let printed = command::output(&mut Workspace::here().program("env")).expect("the variables");
        let left: Vec<_> =
            printed.lines().filter(|line| line.starts_with("CARGO_PKG") || line.contains("MANIFEST")).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(printed.lines().any(|line| line.starts_with("PATH=")), "the rest stays");
    }

    /// A dependency whose features the tests change is built for them once more, with everything that stands on it.
    #[test]
    fn the_tests_use_the_builds_of_the_demo() {
        let packages = |more: &[&str]| -> BTreeSet<String> {
            let mut cargo = Workspace::here().cargo();
            cargo.args(["tree", "--workspace", "--locked", "--prefix", "none", "--format", "{p} features: {f}"]);
            let tree = command::output(cargo.args(more)).expect("the tree of dependencies");
            tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
        };
        let (demo, tests) = (packages(&["--edges", "no-dev"]), packages(&[]));
        assert!(demo.len() > 100, "the tree has its packages: {demo:?}");
        let others: Vec<_> = demo.difference(&tests).collect();
        assert!(others.is_empty(), "the tests build these with other features: {others:#?}");
    }

    #[test]
    fn cargo_xtask_uses_the_builds_of_the_demo() {
        let config = std::fs::read_to_string(Workspace::here().root().join(".cargo/config.toml")).expect("the alias");
        let alias = config.lines().find(|line| line.starts_with("xtask = ")).expect("the alias");
        assert_eq!(alias, "xtask = \"run --bin xtask --\"", "with --package it would resolve other features");
    }
}
