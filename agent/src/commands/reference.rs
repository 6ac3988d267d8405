//! `seatline completions` and `seatline man`: what a package installs beside the program, made of the command line
//! itself.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{CommandLine, Context};
use crate::failure::Failure;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline completions bash > /usr/share/bash-completion/completions/seatline
  seatline completions zsh > /usr/share/zsh/vendor-completions/_seatline
  seatline completions fish > /usr/share/fish/vendor_completions.d/seatline.fish")]
pub struct CompletionsOptions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write it and those of all commands into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline man | man -l -
  seatline man --out /usr/share/man/man1")]
pub struct ManOptions {
    /// The directory for seatline.1, seatline-license-set.1 and so on; it must be there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn completions(context: &Context, options: &CompletionsOptions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut CommandLine::command(), "seatline", &mut script);
    context.output.raw(&String::from_utf8_lossy(&script))
}

pub fn man(context: &Context, options: &ManOptions) -> Result<(), Failure> {
    let mut command = CommandLine::command();
    command.build();
    match &options.out {
        None => {
            let mut text = Vec::new();
            page(command).render(&mut text).map_err(|error| Failure::of("output", &error))?;
            context.output.raw(&String::from_utf8_lossy(&text))
        }
        Some(dir) => write_pages(&command, dir).map_err(|error| Failure::io("write manual pages into", dir, &error)),
    }
}

/// The page of a command and those of the commands in it.
fn write_pages(command: &clap::Command, dir: &Path) -> std::io::Result<()> {
    command.get_subcommands().try_for_each(|inner| write_pages(inner, dir))?;
    page(command.clone()).generate_to(dir).map(drop)
}

fn page(command: clap::Command) -> Man {
    // An empty date as it is written in a page: what is generated has none that would say anything.
    Man::new(command).date("\"\"").source(concat!("seatline ", env!("CARGO_PKG_VERSION"))).manual("Seatline")
}
