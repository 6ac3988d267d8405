//! Accounts that a program prints: JSON Lines, one object for each account.

use std::io::{BufRead as _, BufReader, Read as _};

use super::error::SourceError;
use super::process::Process;
use super::record::Records;
use super::wire::read_error;
use super::{Pass, TimeLimit};
use crate::config::accounts::command::{AccountCommand, Command};

/// The most bytes of a line: an account with everything that a program may know of it.
pub const MAX_LINE_BYTES: u64 = 256 * 1024;
/// The most bytes of a number, with the white space around it.
const MAX_NUMBER_BYTES: u64 = 64;

/// Gives every account that the program prints to `pass`, and returns how many there were.
pub fn read_accounts(command: &AccountCommand, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let mut output = BufReader::with_capacity(64 * 1024, Process::start(&command.command, limit)?);
    let mut records = Records::of(command.fields.as_ref());
    let mut line = Vec::new();
    loop {
        line.clear();
        let rows = records.count();
        let read = (&mut output).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| read_error(&error, limit, rows))? == 0 {
            output.into_inner().finish()?;
            return Ok(rows);
        }
        if line.len() as u64 > MAX_LINE_BYTES {
            return Err(SourceError::TooLarge { rows, what: "a line", bytes: MAX_LINE_BYTES });
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        // An unreadable line is a row like any other, and is refused as one. The parser's words could quote a value.
        let record: serde_json::Value = serde_json::from_slice(&line).unwrap_or_default();
        pass.take(records.account(&record))?;
    }
}

/// The one number that the program prints.
pub fn measure(command: &Command, limit: TimeLimit) -> Result<u64, SourceError> {
    let mut process = Process::start(command, limit)?;
    let mut text = Vec::new();
    let read = (&mut process).take(MAX_NUMBER_BYTES + 1).read_to_end(&mut text);
    read.map_err(|error| read_error(&error, limit, 0))?;
    if text.len() as u64 > MAX_NUMBER_BYTES {
        return Err(SourceError::NoNumber("the command"));
    }
    process.finish()?;
    let number = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
    number.ok_or(SourceError::NoNumber("the command"))
}
