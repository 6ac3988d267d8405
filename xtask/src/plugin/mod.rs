//! `cargo xtask build-plugin`: the stock plugin, and the fixtures of the tests, as WebAssembly components.

mod component;
mod toolchain;

use std::fs;
use std::path::Path;

use crate::failure::{Context as _, Failure};
use crate::progress::Progress;
use crate::workspace::{Package, Workspace};

pub use toolchain::Source;
use toolchain::Toolchain;

/// What to build, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Also build the test plugins of `tests/plugins/`
    #[arg(long)]
    pub fixtures: bool,
    /// By what the plugins are built.
    #[command(flatten)]
    pub source: Source,
}

/// Builds the stock plugin, and the fixtures where they are asked for; a component that has not changed is left alone.
///
/// # Errors
/// When no toolchain can be had, or something does not build or is not a component.
pub fn build(workspace: &Workspace, options: &Options, progress: &Progress) -> Result<(), Failure> {
    let toolchain = Toolchain::choose(options.source, progress)?;
    progress.say(&format!("building the stock plugin ({toolchain})"));
    let modules = toolchain.build(workspace, &workspace.root().join("Cargo.toml"), Some("license-visibility"))?;
    let packages = workspace.packages(&workspace.root().join("Cargo.toml"))?;
    let stock = packages.iter().find(|package| package.name == "license-visibility");
    let stock = stock.ok_or_else(|| Failure::new("the workspace has no package license-visibility"))?;
    encode(stock, &modules, &workspace.plugins())?;
    if options.fixtures {
        fixtures(workspace, &toolchain, progress)?;
    }
    Ok(())
}

fn fixtures(workspace: &Workspace, toolchain: &Toolchain, progress: &Progress) -> Result<(), Failure> {
    let manifest = workspace.fixtures();
    if !manifest.exists() {
        progress.say("there are no fixtures: tests/plugins/Cargo.toml is missing");
        return Ok(());
    }
    progress.say("building the fixtures of tests/plugins");
    let modules = toolchain.build(workspace, &manifest, None)?;
    for package in workspace.packages(&manifest)? {
        encode(&package, &modules, &workspace.plugins().join("fixtures"))?;
    }
    Ok(())
}

/// Turns the module of `package` in `modules` into `out/NAME.wasm`, and leaves the file alone where it says the same.
fn encode(package: &Package, modules: &Path, out: &Path) -> Result<(), Failure> {
    let Some(file) = package.module() else { return Ok(()) };
    let path = modules.join(file);
    let module = fs::read(&path).context(path.display())?;
    let component = component::encode(&module, package).context(&package.name)?;
    let path = out.join(format!("{}.wasm", package.name));
    if fs::read(&path).is_ok_and(|present| present == component) {
        return Ok(());
    }
    fs::create_dir_all(out).context(out.display())?;
    // Another process may be reading it: the file is always whole.
    let new = path.with_extension("wasm.new");
    fs::write(&new, &component).and_then(|()| fs::rename(&new, &path)).context(path.display())?;
    println!("{} ({} bytes)", path.display(), component.len());
    Ok(())
}
