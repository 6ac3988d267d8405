//! `seatline license request` (`s10`)

use std::path::PathBuf;

use seatline_protocol::ProductId;
use seatline_protocol::request::MAX_WISH;

use super::Context;
use crate::failure::Failure;
use crate::files;
use crate::instance::Instance;

/// Show a request for a license to send to its vendor, and write it as a file for the vendor's tool
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license request --out request.json
  seatline license request --wish '600 users from July on' --out request.json
  seatline license request --add-on acme-mail

Send the text, and attach the file: the vendor answers it with `seatline license issue --request request.json`.")]
pub struct Options {
    /// Write the request as a file too, new or in the place of an older one
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ask for a license of this add-on instead of the product's
    #[arg(long, value_name = "ID")]
    add_on: Option<ProductId>,
    /// What else the vendor should know, on one line
    #[arg(long, value_name = "TEXT", value_parser = wish)]
    wish: Option<String>,
}

fn wish(text: &str) -> Result<String, String> {
    let is_fit = !text.is_empty() && seatline_protocol::text::is_line(text, MAX_WISH);
    let rule = || format!("a wish is one line of 1 to {MAX_WISH} characters, without control characters");
    if is_fit { Ok(text.to_owned()) } else { Err(rule()) }
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let request = instance.host.license_request(options.add_on.clone(), options.wish.as_deref())?;
    if let Some(path) = &options.out {
        let json = serde_json::to_string_pretty(&request).map_err(|error| Failure::of("output", &error))?;
        files::write_private(path, format!("{json}\n").as_bytes())?;
    }
    context.output.show(&request, |page| page.line(request.to_text().trim_end()))
}
