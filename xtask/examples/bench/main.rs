//! The measurements of `cargo xtask bench`, which builds this in the release profile and starts it.
//!
//! An example of `xtask` and not a part of it, so that the other tasks do not have to build the host. Each measurement
//! has a file of its own.
#![forbid(unsafe_code)]

mod accounts;
mod agent;
mod api;
mod counting;
mod crashes;
mod exchange;
mod figure;
mod fleet;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use figure::Figure;

/// Whatever keeps a measurement from being made.
type Problem = Box<dyn std::error::Error>;

/// Measures Seatline; started by `cargo xtask bench`
#[derive(Parser)]
struct Bench {
    /// The folder of the release binaries
    #[arg(long)]
    binaries: PathBuf,
    /// The stock plugin
    #[arg(long)]
    plugin: PathBuf,
    /// Where the figures are written as JSON
    #[arg(long)]
    out: PathBuf,
    /// Only the measurements whose name begins so: counting, exchange, memory, sync, accounts, api, crashes; or the
    /// fleets, which are measured only when they are asked for: central-1000, central-100000, central-1000000,
    /// central-postgresql, a thousand on PostgreSQL, and central-replicas, with two servers on it
    #[arg(long)]
    only: Option<String>,
    /// Do about a hundredth of everything, and hold nothing to its goal: so the tests see that each measurement works
    #[arg(long)]
    briefly: bool,
}

impl Bench {
    /// How many of so many are done.
    fn part(&self, whole: usize) -> usize {
        if self.briefly { whole.div_ceil(100) } else { whole }
    }

    /// How long of so long something is done.
    fn span(&self, whole: Duration) -> Duration {
        if self.briefly { whole / 100 } else { whole }
    }
}

/// A measurement: its name, and the function that makes it.
type Measurement = (&'static str, fn(&Bench) -> Result<Vec<Figure>, Problem>);

const MEASUREMENTS: [Measurement; 7] = [
    ("counting", counting::measure),
    ("exchange", exchange::measure),
    ("memory", agent::memory),
    ("sync", agent::sync),
    ("accounts", accounts::measure),
    ("api", api::measure),
    ("crashes", crashes::measure),
];

/// The measurements of whole fleets, which take up to an hour and some gigabytes.
const FLEETS: [Measurement; 5] = [
    ("central-1000", fleet::thousand),
    ("central-100000", fleet::hundred_thousand),
    ("central-1000000", fleet::million),
    ("central-postgresql", fleet::postgresql),
    ("central-replicas", fleet::replicas),
];

fn main() -> ExitCode {
    let bench = Bench::parse();
    match measure(&bench) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the measurements, shows and writes the figures, and says whether every goal was reached.
fn measure(bench: &Bench) -> Result<bool, Problem> {
    let chosen = chosen(bench.only.as_deref().unwrap_or_default());
    if chosen.is_empty() {
        return Err("no measurement begins so: see --help for their names".into());
    }
    let mut figures = Vec::new();
    for (name, measurement) in chosen {
        eprintln!("measuring {name}");
        for figure in measurement(bench).map_err(|problem| format!("{name}: {problem}"))? {
            println!("{}", figure.row());
            figures.push(figure);
        }
    }
    std::fs::write(&bench.out, serde_json::to_string_pretty(&figures)?)?;
    eprintln!("the figures are in {}", bench.out.display());
    Ok(bench.briefly || figures.iter().all(|figure| figure.reached != Some(false)))
}

/// The measurements whose name begins with `only`. A fleet's full name is its own alone, though another's begins with
/// it.
fn chosen(only: &str) -> Vec<Measurement> {
    let fleets = FLEETS.into_iter().filter(|_| !only.is_empty());
    let all: Vec<Measurement> = MEASUREMENTS.into_iter().chain(fleets).collect();
    match all.iter().find(|(name, _)| *name == only) {
        Some(one) => vec![*one],
        None => all.into_iter().filter(|(name, _)| name.starts_with(only)).collect(),
    }
}
