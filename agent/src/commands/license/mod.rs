//! `seatline license …`

mod inspect;
mod issue;
mod keygen;
mod preview;
mod request;
mod set;
mod show;

use super::Context;
use crate::failure::Failure;

/// Issue, look at and set license keys
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Keygen(keygen::Options),
    Issue(Box<issue::Options>),
    Inspect(inspect::Options),
    Preview(preview::Options),
    Set(set::Options),
    Show(show::Options),
    History(show::HistoryOptions),
    Request(request::Options),
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Keygen(options) => keygen::run(context, &options),
        Command::Issue(options) => issue::run(context, &options),
        Command::Inspect(options) => inspect::run(context, &options),
        Command::Preview(options) => preview::run(context, &options),
        Command::Set(options) => set::run(context, &options),
        Command::Show(_) => show::run(context),
        Command::History(_) => show::history(context),
        Command::Request(options) => request::run(context, &options),
    }
}
