//! `command`: a program of this machine that prints accounts, or a number.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::document::{Found, Problem};
use super::fields::Fields;

/// The keys of the section, without those of accounts.
pub(super) const KEYS: [&str; 2] = ["run", "environment"];
/// The variables that every command is given.
const USUAL_ENVIRONMENT: [&str; 6] = ["HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER"];

/// A program, and what it is started with. No shell is between.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program: a path, or a name that is looked for in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The names of the environment variables that it is given, of those that the agent has.
    pub environment: Vec<String>,
    /// Where it runs.
    pub dir: PathBuf,
}

/// A program that prints accounts.
#[derive(Debug, Clone)]
pub struct AccountCommand {
    /// The program.
    pub command: Command,
    /// Where the fields of an account are; none: each has the name that it has in Seatline, and there are no others.
    pub fields: Option<Fields>,
}

impl Command {
    /// Of the section of a dimension; paths are relative to `base`, where the program runs.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        Self::of(&found.section(&KEYS)?, base)
    }

    fn of(section: &super::super::document::Section<'_>, base: &Path) -> Result<Self, Problem> {
        let run = section.require("run")?;
        let words = run.texts()?;
        let [program, arguments @ ..] = &words[..] else {
            return Err(run.refuse("must name a program, and its arguments behind it: [\"list-accounts\", \"--json\"]"));
        };
        let named = section.find("environment").map(|found| found.texts()).transpose()?.unwrap_or_default();
        Ok(Self {
            program: if program.contains('/') { base.join(program).into() } else { program.into() },
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: USUAL_ENVIRONMENT.iter().copied().chain(named).map(str::to_owned).collect(),
            dir: base.to_owned(),
        })
    }
}

impl AccountCommand {
    /// Of the section of accounts.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&[&KEYS[..], &["fields"]].concat())?;
        let fields = section.find("fields").map(|found| Fields::read(&found, None)).transpose()?;
        Ok(Self { command: Command::of(&section, base)?, fields })
    }
}
