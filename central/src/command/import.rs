//! `import`: an exchange by file (`g4`). The same documents, the same rules and the same code as online.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use seatline_protocol::exchange::MAX_REQUEST_BYTES;

use super::Failure;
use super::output::print;
use super::place::Place;
use crate::link::{Toll, exchange, parse};
use crate::private_file;

/// The exit status of an import in which some documents were refused.
const SOME_REFUSED: u8 = 3;

/// Take an exchange that was brought as a file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central import reports.json --out receipts.json\n\n\
                        Take the answer back with `seatline report import-receipts receipts.json`.")]
pub(super) struct Import {
    /// The file that `seatline report export` wrote, or - for standard input
    file: PathBuf,
    /// Where the answer is written, for its owner alone; standard output where absent, or -
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Import {
    pub(super) async fn run(self, place: &Place) -> Result<u8, Failure> {
        let request = parse(&read(&self.file)?)?;
        let central = place.central().await?;
        let response = exchange(&central, request, &mut Toll::free()).await?;
        let json =
            serde_json::to_string_pretty(&response).map_err(|error| Failure::new("output", error.to_string()))?;
        match &self.out {
            // It holds the only receipts that the product will see, and in a welcome the fleet's key for pseudonyms.
            Some(out) if out.as_os_str() != "-" => private_file::write(out, format!("{json}\n").as_bytes())
                .map_err(|error| Failure::new("file", format!("{}: {error}", out.display())))?,
            _ => print(&format!("{json}\n"))?,
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
