//! What a command prints: text for people, or one JSON value for programs.

use std::fmt::Display;
use std::io::{self, Write as _};

use seatline_web::ServeError;
use serde::Serialize;

use crate::actions::accounts::AccountError;
use crate::actions::counts::CountError;
use crate::central::ActionError;
use crate::evidence::period::PeriodError;
use crate::evidence::{ExportError, Unreadable};
use crate::keyring::KeyringError;
use crate::link::ExchangeError;
use crate::sso::SsoError;
use crate::store::StoreError;

/// Why a command was not done: a stable code, and one line that names the thing, the reason and the way out.
#[derive(Debug)]
pub struct Failure {
    code: &'static str,
    message: String,
    /// Whether the one JSON value is printed already: the result that says so itself.
    has_result: bool,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), has_result: false }
    }

    /// As [`Self::new`], of a command that has shown its result, which tells of it.
    pub(super) fn beside_result(code: &'static str, message: impl Into<String>) -> Self {
        Self { has_result: true, ..Self::new(code, message) }
    }
}

/// Errors that have a code of their own.
macro_rules! coded {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string())
            }
        }
    )*};
}

coded!(
    AccountError,
    ActionError,
    CountError,
    ExportError,
    KeyringError,
    PeriodError,
    ServeError,
    SsoError,
    StoreError,
    Unreadable
);

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        Self::new(error.code().name(), error.to_string())
    }
}

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Shows `value` as JSON, or else `text`, which ends with a line break.
    pub(super) fn show(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if !self.json {
            return print(&text());
        }
        let json = serde_json::to_string_pretty(value).map_err(|error| Failure::new("output", error.to_string()))?;
        print(&format!("{json}\n"))
    }

    /// Tells why a command was not done: a line on standard error, and as JSON on standard output where that was asked
    /// and nothing else was printed.
    pub fn fail(self, failure: &Failure) {
        let Failure { code, message, has_result } = failure;
        tell(format_args!("error: {message} [{code}]"));
        if self.json && !has_result {
            // There is nowhere left to complain to.
            let _ = print(&format!("{:#}\n", serde_json::json!({ "error": { "code": code, "message": message } })));
        }
    }
}

/// Tells something beside the result: a line on standard error. Where it cannot be written, such as to a file on a full
/// disk, there is nobody to hear it, and the command goes on all the same.
pub(super) fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes to standard output. Whoever reads it may have seen enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new("output", error.to_string())),
        _ => Ok(()),
    }
}

/// Rows under heads, each column as wide as it needs to be.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(heads.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}
