//! Where things are in the repository, and how cargo is called for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::command;
use crate::failure::{Context as _, Failure};

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
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
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
