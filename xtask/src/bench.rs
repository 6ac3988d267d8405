//! `cargo xtask bench`: builds everything in the release profile and starts the measurements of `examples/bench`.

use crate::command;
use crate::failure::Failure;
use crate::plugin;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only the measurements whose name begins so: counting, exchange, memory, sync, accounts, api, crashes; or
    /// those of fleets, which are not measured otherwise: central-1000, central-100000, central-1000000,
    /// central-postgresql (a thousand on PostgreSQL), central-replicas (with two servers on it)
    #[arg(value_name = "NAME")]
    pub only: Option<String>,
    /// By what the plugins are built.
    #[command(flatten)]
    pub source: plugin::Source,
}

/// Measures; the figures go to standard output, and as JSON into `target/bench.json`.
///
/// # Errors
/// When something does not build, cannot be measured, or does not reach its goal.
pub fn bench(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    let progress = Progress::start();
    plugin::build(workspace, &plugin::Options { fixtures: false, source: options.source }, &progress)?;
    progress.say("building in the release profile");
    // The binaries and the measurements in one call, so that the features of their dependencies are the same.
    let build = ["build", "--release", "--locked", "--workspace", "--bins", "--example", "bench"];
    command::run(workspace.cargo().args(build))?;
    let binaries = workspace.target().join("release");
    let out = workspace.target().join("bench.json");
    let mut measure = workspace.program(binaries.join("examples/bench"));
    measure.arg("--binaries").arg(&binaries);
    measure.arg("--plugin").arg(workspace.stock_plugin()).arg("--out").arg(&out);
    if let Some(only) = &options.only {
        measure.args(["--only", only]);
    }
    command::run(&mut measure)
}
