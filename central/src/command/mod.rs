//! The command line. Commands work on the data directory itself, also while the server runs.

mod alerts;
mod applications;
mod database;
mod evidence;
mod fleet;
mod history;
mod import;
mod licenses;
mod links;
mod output;
mod people;
mod place;
mod pseudonyms;
mod retention;
mod serve;
mod single_sign_on;
mod tokens;
mod transfer;
mod user;
mod users;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use output::{Failure, Output};
use place::Place;

/// The central server of Seatline: takes the reports of linked products, and shows what is used of their licenses.
#[derive(Debug, Parser)]
#[command(name = "seatline-central", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    /// The data directory; the default is /var/lib/seatline-central for root, else $XDG_DATA_HOME/seatline-central or
    /// ~/.local/share/seatline-central
    #[arg(long, global = true, env = "SEATLINE_CENTRAL_DIR", value_name = "DIR", hide_env_values = true)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    database: database::DatabaseOptions,
    /// Print one JSON value instead of text, also for errors
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  seatline-central admin create ada
  seatline-central serve --listen 127.0.0.1:8095
  seatline-central application add 'Company wiki' --product acme-wiki --url https://wiki.example.org
  seatline-central invite --application 'Company wiki'
  seatline-central licenses 'Company wiki' --json

Exit status: 0 done, 1 not done (the reason is on standard error), 2 wrong usage,
3 an import in which some documents were refused, or a file of evidence that holds and shows gaps or forks.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages, the API and the link until SIGINT or SIGTERM
    Serve(serve::Serve),
    /// The first administrator, who signs in to the pages and adds the others
    #[command(subcommand)]
    Admin(users::AdminCommand),
    /// Who signs in, and what he may do
    #[command(subcommand)]
    User(users::UserCommand),
    /// Single sign-on by OpenID Connect
    #[command(subcommand)]
    SingleSignOn(single_sign_on::SingleSignOnCommand),
    /// API tokens, with which programs use the API in somebody's name
    #[command(subcommand)]
    Token(tokens::TokenCommand),
    /// Applications: the products whose licenses are looked after
    #[command(subcommand)]
    Application(applications::ApplicationCommand),
    /// Make an invite, to be accepted in a product within 30 minutes
    Invite(links::Invite),
    /// Application links
    #[command(subcommand)]
    Link(links::LinkCommand),
    /// Show what an application uses of its licenses, as on its Licenses tab
    Licenses(licenses::Show),
    /// Alerts: what is open, who knows of it, and who is told
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// All applications, as they were reviewed last
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),
    History(history::Show),
    People(people::Show),
    /// Take an exchange that was brought as a file, and give the answer to take back
    Import(import::Import),
    /// Write the sealed reports of a period to a file of evidence
    Evidence(evidence::Export),
    /// Verify a file of evidence, with public keys alone: no data directory is needed
    Verify(evidence::Verify),
    /// Carry all data from one database to another, which must be new
    Migrate(transfer::Migrate),
    /// Write all data into a new file; the server may run meanwhile
    Backup(transfer::Backup),
    /// Read a backup into a database, which must be new
    Restore(transfer::Restore),
    /// Show or set how long what was reported is kept
    Retention(retention::Keep),
    /// The key that pseudonyms are made with, by which people are counted once over products
    #[command(subcommand)]
    PseudonymKey(pseudonyms::PseudonymKeyCommand),
}

impl Command {
    /// Whether it makes a data directory that is not there: what a new server begins with. For all else, a directory
    /// that is not there is a mistyped one.
    fn may_begin(&self) -> bool {
        matches!(
            self,
            Self::Serve(_)
                | Self::Admin(users::AdminCommand::Create(_))
                | Self::User(users::UserCommand::Add { .. })
                | Self::Application(applications::ApplicationCommand::Add { .. })
                | Self::Restore(_)
        )
    }
}

/// The failure of a value that breaks its rule.
fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Failure {
    crate::central::ActionError::invalid(field, reason).into()
}

impl Arguments {
    /// Where results go.
    pub fn output(&self) -> Output {
        Output { json: self.json }
    }

    /// Runs the command, and gives the exit status.
    ///
    /// # Errors
    /// The reason why it could not be done.
    pub async fn run(self) -> Result<u8, Failure> {
        let output = self.output();
        let open = if self.command.may_begin() { Place::make } else { Place::open };
        let place = || open(self.dir, &self.database);
        match self.command {
            Command::SingleSignOn(command) => command.run(output).await.map(|()| 0),
            Command::Serve(serve) => serve.run(&place()?, output).await.map(|()| 0),
            Command::Admin(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::User(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Token(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Application(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Invite(invite) => invite.run(&place()?, output).await.map(|()| 0),
            Command::Link(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Licenses(show) => show.run(&place()?, output).await.map(|()| 0),
            Command::Alerts(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Fleet(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::History(show) => show.run(&place()?, output).await.map(|()| 0),
            Command::People(show) => show.run(&place()?, output).await.map(|()| 0),
            Command::Import(import) => import.run(&place()?).await,
            Command::Evidence(export) => export.run(&place()?, output).await.map(|()| 0),
            Command::Verify(verify) => verify.run(output),
            Command::Migrate(migrate) => migrate.run(&self.database, output).await.map(|()| 0),
            Command::Backup(backup) => backup.run(&place()?, output).await.map(|()| 0),
            Command::PseudonymKey(command) => command.run(&place()?, output).await.map(|()| 0),
            Command::Retention(keep) => keep.run(&place()?, output).await.map(|()| 0),
            Command::Restore(restore) => restore.run(&place()?, output).await.map(|()| 0),
        }
    }
}
