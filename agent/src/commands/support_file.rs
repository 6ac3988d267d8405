//! `seatline support-file` (`s11`)

use std::path::PathBuf;

use jiff::Timestamp;

use super::Context;
use crate::failure::Failure;
use crate::files;
use crate::instance::Instance;
use crate::support_file::SupportFile;

/// Print the Support Information File, or write it: what the vendor's support asks for, without secrets and personal
/// data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline support-file --out support.json
  seatline support-file | less")]
pub struct Options {
    /// Write it into this file, new or in the place of an older one
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let file = SupportFile::of(&instance.host, Timestamp::now());
    let text = file.to_text().map_err(|error| Failure::of("output", &error))?;
    match &options.out {
        None => context.output.raw(&text),
        Some(path) => {
            files::write_private(path, text.as_bytes())?;
            context.output.show(&file, |page| page.line(format_args!("Written to {}.", path.display())))
        }
    }
}
