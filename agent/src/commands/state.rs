//! `seatline state …`

use std::path::Path;

use clap::Subcommand;
use jiff::Timestamp;
use seatline_host::store::{Directory, StoreError};
use serde::Serialize;

use super::Context;
use crate::cluster::{Left, MoveError, PostgresStore, copy_into, node_name};
use crate::config::{Config, State};
use crate::failure::Failure;
use crate::instance::{STATE, check_user};

/// Move the state into the database of a cluster, and back
#[derive(Debug, Subcommand)]
pub enum Command {
    Move(MoveOptions),
    Fetch(FetchOptions),
}

/// Bring the state back from the database that [state] of seatline.toml names, into the data directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline state fetch

It comes as a whole, with its server ID, and this can be run again where it was interrupted. The tables stay, and are
not used any more: no node can. Then remove the section [state] from seatline.toml, and start the agent.")]
pub struct FetchOptions {}

/// Move the state from the data directory into the database that [state] of seatline.toml names
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline state move

It moves as a whole, with its server ID, and can be run again where it was interrupted. The files stay, and are not
used any more. An agent that still runs on them does nothing until it is started again.")]
pub struct MoveOptions {}

#[derive(Serialize)]
struct Shown {
    from: String,
    to: String,
}

/// Runs a command.
pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let dir = context.dir()?;
    check_user(&dir)?;
    let config = Config::load(&dir)?;
    let State::Postgres(state) = &config.state else {
        return Err(Failure::new(
            "no-database",
            "seatline.toml names no database for the state: write into its section [state] where it is to be, or is",
        ));
    };
    let database = PostgresStore::open(state)?;
    let files = dir.join(STATE);
    let place = format!("{} of the node {}", files.display(), node_name(&config)?);
    match command {
        Command::Move(MoveOptions {}) => move_in(context, &config, &database, &files, place),
        Command::Fetch(FetchOptions {}) => fetch(context, &config, &database, &files, &place),
    }
}

fn move_in(
    context: &Context,
    config: &Config,
    database: &PostgresStore,
    from: &Path,
    place: String,
) -> Result<(), Failure> {
    match leave(from, &place, database, config) {
        Ok(true) => {
            database.settle(&place)?;
        }
        Ok(false) => {
            let nothing = format!("there is no state in {}: nothing is to be moved", from.display());
            return Err(Failure::new("nothing-to-move", nothing));
        }
        // An earlier attempt may have come to here.
        Err(MoveError::Store(moved @ StoreError::Moved { .. })) => {
            if !database.settle(&place)? {
                return Err(moved.into());
            }
        }
        Err(error) => return Err(error.into()),
    }
    let shown = Shown { from: from.display().to_string(), to: database.place() };
    context.output.show(&shown, |page| {
        page.line(format_args!("The state lives in {} now.", shown.to));
        page.line(format_args!(
            "The files in {} are not used any more: remove them when you have a backup of the database.",
            shown.from
        ));
    })
}

/// Brings the state in the directory `from` into the database, and leaves it there. Gives whether there was one.
fn leave(from: &Path, place: &str, database: &PostgresStore, config: &Config) -> Result<bool, MoveError> {
    if !from.is_dir() {
        return Ok(false);
    }
    let directory = Directory::open(from)?;
    if !Directory::lives_in(from)? {
        return Ok(false);
    }
    directory.move_away(|state| -> Result<String, MoveError> {
        database.take_in(state, place, &config.product.id)?;
        Ok(database.place())
    })?;
    Ok(true)
}

/// Brings the state of the database into the directory `to`.
fn fetch(context: &Context, config: &Config, database: &PostgresStore, to: &Path, place: &str) -> Result<(), Failure> {
    if Directory::lives_in(to)? {
        let message = format!("there is a state in {} already: remove that directory if it is of no use", to.display());
        return Err(Failure::new("state-in-two-places", message));
    }
    let arriving = to.with_extension("arriving");
    let io = |what: &'static str| |error: std::io::Error| Failure::io(what, &arriving, &error);
    let left = database.leave(place, &config.product.id, |state| {
        // What an earlier attempt has left there may be torn, and is not the state.
        let _ = std::fs::remove_dir_all(&arriving);
        copy_into(&Directory::open(arriving.clone())?, state)
    })?;
    let is_there = arriving.try_exists().map_err(io("find"))?;
    match left {
        Left::Nothing => {
            let nothing = format!("there is no state in {}: nothing is to be fetched", database.place());
            return Err(Failure::new("nothing-to-move", nothing));
        }
        Left::Before if !is_there => {
            let gone = format!(
                "the state was brought into {}, and is gone from there: restore it from a backup",
                to.display()
            );
            return Err(Failure::new("state-missing", gone));
        }
        Left::Now | Left::Before => {}
    }
    if to.try_exists().map_err(io("find"))? {
        // The files of before it was moved into the database: whoever wants them finds them.
        let before = to.with_extension(format!("before-{}", Timestamp::now().as_second()));
        std::fs::rename(to, &before).map_err(io("make room for"))?;
    }
    std::fs::rename(&arriving, to).map_err(io("move"))?;
    let shown = Shown { from: database.place(), to: to.display().to_string() };
    context.output.show(&shown, |page| {
        page.line(format_args!("The state lives in {} now.", shown.to));
        page.line("Remove the section [state] from seatline.toml, and start the agent again.");
        page.line(format_args!("What is in {} is not used any more.", shown.from));
    })
}

/// Where a state is to be, as options of a command name it.
pub struct StatePlace<'o> {
    /// The database.
    pub url: &'o str,
    /// The file with its password.
    pub password_file: Option<&'o Path>,
    /// The authority of its certificate.
    pub ca_file: Option<&'o Path>,
    /// The schema.
    pub schema: Option<&'o str>,
}

impl StatePlace<'_> {
    /// The section of seatline.toml that says so.
    ///
    /// # Errors
    /// When a file is named where there is no present directory.
    pub fn section(&self) -> Result<String, Failure> {
        let mut text = format!("\n[state]\nstore = \"postgresql\"\ndatabase = {}\n", quoted(self.url));
        for (key, file) in [("password_file", self.password_file), ("tls_ca_file", self.ca_file)] {
            if let Some(file) = file {
                // Paths in seatline.toml are relative to its own directory.
                let file = std::path::absolute(file).map_err(|error| Failure::io("find", file, &error))?;
                text.push_str(&format!("{key} = {}\n", quoted(&file.to_string_lossy())));
            }
        }
        if let Some(schema) = self.schema {
            text.push_str(&format!("schema = {}\n", quoted(schema)));
        }
        Ok(text)
    }
}

/// Text as TOML has it.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
