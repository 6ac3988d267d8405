//! The command line. Each group of commands is a file; this one says what there is.

mod accounts;
mod doctor;
mod held;
mod init;
mod license;
mod link;
mod nodes;
mod notices;
mod plugin;
mod reference;
mod report;
mod run;
mod server_id;
mod state;
mod status;
mod support_file;
mod sync;
mod system_info;
mod token;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::instance::{Instance, data_directory};
use crate::log;
use crate::output::Output;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

const EXAMPLES: &str = "\
Examples:
  seatline init --product acme-wiki --name 'Acme Wiki' --version 4.2.0
  seatline license set @license.key
  seatline plugin install license-visibility.wasm
  seatline link accept @invite.txt
  seatline run

Exit status: 0 done, 1 failed with one line of the form `error: … [code]`, 2 wrong usage, 3 not confirmed.";

/// What your self-hosted product really uses of its licenses
#[derive(Debug, Parser)]
#[command(name = "seatline", version, styles = STYLES, max_term_width = 100, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
struct CommandLine {
    /// The data directory; the default is /var/lib/seatline for root, else $XDG_DATA_HOME/seatline or
    /// ~/.local/share/seatline
    #[arg(
        long,
        global = true,
        env = "SEATLINE_DIR",
        value_name = "DIR",
        hide_env_values = true,
        help_heading = "Everywhere"
    )]
    dir: Option<PathBuf>,
    /// Show the result as JSON, for machines
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Options),
    ServerId(server_id::Options),
    #[command(subcommand)]
    License(license::Command),
    #[command(subcommand)]
    Plugin(plugin::Command),
    #[command(subcommand)]
    Link(link::Command),
    #[command(subcommand)]
    Accounts(accounts::Command),
    Sync(sync::Options),
    Run(run::Options),
    #[command(subcommand)]
    Report(report::Command),
    #[command(subcommand)]
    Notices(notices::Command),
    #[command(subcommand)]
    Token(token::Command),
    #[command(subcommand)]
    User(user::Command),
    Status(status::Options),
    SystemInfo(system_info::Options),
    SupportFile(support_file::Options),
    Nodes(nodes::Options),
    #[command(subcommand)]
    State(state::Command),
    Doctor(doctor::Options),
    Completions(reference::CompletionsOptions),
    Man(reference::ManOptions),
}

/// What every command is given.
struct Context {
    dir: Option<PathBuf>,
    output: Output,
}

impl Context {
    /// The data directory.
    fn dir(&self) -> Result<PathBuf, Failure> {
        data_directory(self.dir.clone())
    }

    /// The instance in the data directory, with a license that lies in its file or environment variable set (`g2`).
    fn instance(&self) -> Result<Instance, Failure> {
        Instance::open(&self.dir()?)
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let CommandLine { dir, json, command } = CommandLine::parse();
    let context = Context { dir, output: Output { json } };
    if !matches!(command, Command::Run(_)) {
        log::start_quietly();
    }
    let result = match command {
        Command::Init(options) => init::run(&context, &options),
        Command::ServerId(options) => server_id::run(&context, &options),
        Command::License(command) => license::run(&context, command),
        Command::Plugin(command) => plugin::run(&context, command),
        Command::Link(command) => link::run(&context, command),
        Command::Accounts(command) => accounts::run(&context, command),
        Command::Sync(_) => sync::run(&context),
        Command::Run(options) => run::run(&context, &options),
        Command::Report(command) => report::run(&context, command),
        Command::Notices(command) => notices::run(&context, command),
        Command::Token(command) => token::run(&context, command),
        Command::User(command) => user::run(&context, command),
        Command::Status(_) => status::run(&context),
        Command::SystemInfo(_) => system_info::run(&context),
        Command::SupportFile(options) => support_file::run(&context, &options),
        Command::Nodes(_) => nodes::run(&context),
        Command::State(command) => state::run(&context, command),
        Command::Doctor(_) => doctor::run(&context),
        Command::Completions(options) => reference::completions(&context, &options),
        Command::Man(options) => reference::man(&context, &options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.output.fail(&failure);
            ExitCode::from(failure.exit)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::CommandLine::command().debug_assert();
    }
}
