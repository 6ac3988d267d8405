//! Two hundred synchronisations in which the agent or the central server is killed: the story of the tests, with all of
//! its rounds.

use std::process::Command;

use crate::figure::Figure;
use crate::{Bench, Problem};

const ROUNDS: u32 = 200;

/// How many kills the chain survived whole: all, or an error.
pub fn measure(_: &Bench) -> Result<Vec<Figure>, Problem> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--release", "--locked", "--package", "seatline-tests", "--test", "crashes", "--quiet"]);
    // The figures alone go to standard output.
    let status = cargo.env("SEATLINE_CRASH_ROUNDS", ROUNDS.to_string()).stdout(std::io::stderr()).status()?;
    if !status.success() {
        return Err(format!("the chain was not whole after the kills: {status}").into());
    }
    Ok(vec![Figure::new("kills of either side after which the chain was whole", f64::from(ROUNDS), "of 200")])
}
