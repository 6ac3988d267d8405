//! `seatline state …`

use std::path::Path;

use clap::Subcommand;
use seatline_host::store::{Directory, StoreError};
use serde::Serialize;

use super::Context;
use crate::cluster::{MoveError, PostgresStore, node_name};
use crate::config::{Config, State};
use crate::failure::Failure;
use crate::instance::{STATE, check_user};

/// Move the state into the database of a cluster
#[derive(Debug, Subcommand)]
pub enum Command {
    Move(MoveOptions),
}

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
    let Command::Move(MoveOptions {}) = command;
    let dir = context.dir()?;
    check_user(&dir)?;
    let config = Config::load(&dir)?;
    let State::Postgres(state) = &config.state else {
        return Err(Failure::new(
            "no-database",
            "seatline.toml names no database for the state: write into its section [state] where it is to be",
        ));
    };
    let from = dir.join(STATE);
    let place = format!("{} of the node {}", from.display(), node_name(&config)?);
    let database = PostgresStore::open(state)?;
    match leave(&from, &place, &database, &config) {
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
