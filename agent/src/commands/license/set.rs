//! `seatline license set`

use seatline_protocol::{License, Standing};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::files::read_pasted;
use crate::standing_page;

/// Set a license key; one that is refused changes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license set @license.key
  seatline license set - < mail.txt
  seatline license set @license.key --node node-2

A key that wraps over lines, or stands in a mail between BEGIN and END lines, is accepted as it is.
`seatline license preview` shows beforehand what would change.")]
pub struct Options {
    /// The key, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// Set it for this node of a cluster alone, or for this one too; without it, for all nodes
    #[arg(long)]
    node: Option<String>,
}

#[derive(Serialize)]
struct Set<'a> {
    license: &'a License,
    was_set: bool,
    standing: &'a Standing,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let pasted = read_pasted(&options.key)?;
    let instance = context.instance()?;
    let change = instance.host.set_license_for(&pasted, options.node.as_deref())?;
    let standing = instance.host.standing()?;
    let set = Set { license: &change.license, was_set: change.was_set, standing: &standing };
    context.output.show(&set, |page| {
        let id = &change.license.id;
        let place = options.node.as_ref().map_or(String::new(), |node| format!(" for the node {node}"));
        match change.was_set {
            true => page.line(format_args!("The license {id} was set{place} already; nothing has changed.")),
            false => page.line(format_args!("The license {id} is set{place}.")),
        }
        standing_page::verdict(page, &standing);
        standing_page::limits(page, &standing);
    })
}
