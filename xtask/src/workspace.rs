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

    /// Where everything built is put, as cargo sees it.
    pub fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), |dir| self.root.join(dir))
    }

    /// Where `cargo xtask build-plugin` puts components.
    pub fn plugins(&self) -> PathBuf {
        self.target().join("plugins")
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
}
