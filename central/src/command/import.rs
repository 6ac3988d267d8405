//! `import`: an exchange by file (`g4`). The same documents, the same rules and the same code as online.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use seatline_protocol::exchange::MAX_REQUEST_BYTES;

use super::Failure;
use super::output::print;
use super::place::Place;
use crate::link::{exchange, parse};

/// The exit status of an import in which some documents were refused.
const SOME_REFUSED: u8 = 3;

/// Take an exchange that was brought as a file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central import reports.json --out receipts.json\n\n\
                        Take the answer back with `seatline report import-receipts receipts.json`.")]
pub(super) struct Import {
    /// The file that `seatline report export` wrote, or - for standard input
    file: PathBuf,
    /// Where the answer is written; standard output where absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Import {
    pub(super) async fn run(self, place: &Place) -> Result<u8, Failure> {
        let request = parse(&read(&self.file)?)?;
        let central = place.central().await?;
        let response = exchange(&central, request).await?;
        let json =
            serde_json::to_string_pretty(&response).map_err(|error| Failure::new("output", error.to_string()))?;
        match &self.out {
            Some(out) => write(out, &json)?,
            None => print(&format!("{json}\n"))?,
        }
        Ok(if response.refusals.is_empty() { 0 } else { SOME_REFUSED })
    }
}

/// The bytes of the file, and one more than is allowed where it is larger.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let input: io::Result<Box<dyn Read>> = match path.as_os_str() == "-" {
        true => Ok(Box::new(io::stdin())),
        false => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
    };
    let mut bytes = Vec::new();
    input
        .and_then(|input| input.take(MAX_REQUEST_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::new("file", format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// Writes the answer whole or not at all: it holds the only receipts that the product will see.
fn write(path: &Path, json: &str) -> Result<(), Failure> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    fs::write(&draft, format!("{json}\n"))
        .and_then(|()| fs::rename(&draft, path))
        .map_err(|error| Failure::new("file", format!("{}: {error}", path.display())))
}
