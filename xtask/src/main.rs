//! The commands that build, show, test and measure Seatline: `cargo xtask --help`.
#![forbid(unsafe_code)]

mod bench;
mod command;
mod debian;
mod demo;
mod failure;
mod node;
mod plugin;
mod progress;
mod python;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use progress::Progress;
use workspace::Workspace;

/// Builds, shows, tests and measures Seatline
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the stock plugin as a WebAssembly component: target/plugins/license-visibility.wasm
    BuildPlugin(plugin::Options),
    /// Live through the whole job: product, license, plugin, link, report; then serve until Ctrl-C
    Demo(demo::Options),
    /// Install what the tests need, build everything, and run every check
    Test(test::Options),
    /// Measure what matters, with what it is compared to in the same run; in the release profile
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<(), Failure> {
    let workspace = Workspace::here();
    match task {
        Task::BuildPlugin(options) => plugin::build(&workspace, &options, &Progress::start()),
        Task::Demo(options) => demo::demo(&workspace, &options),
        Task::Test(options) => test::test(&workspace, &options),
        Task::Bench(options) => bench::bench(&workspace, &options),
    }
}
