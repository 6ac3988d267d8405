//! How a command ends when it does not end well: one clear line, a stable code, and an exit status.

use std::error::Error;

use seatline_host::exchange::ExchangeError;
use seatline_host::held::HoldError;
use seatline_host::host::{CollectError, ConfirmError, HostError};
use seatline_host::licenses::SetLicenseError;
use seatline_host::link::LinkError;
use seatline_host::plugins::PluginError;
use seatline_host::store::StoreError;
use seatline_protocol::{IdError, KeyError, OpenError, RequestError};

use crate::cluster::MoveError;
use crate::config::ConfigError;
use crate::notices::SettingsError;
use crate::tokens::TokenError;
use crate::users::UserError;

/// The exit status of a command that failed.
pub const FAILED: u8 = 1;
/// The exit status of a command that nobody has confirmed: nothing was changed.
pub const NOT_CONFIRMED: u8 = 3;

/// The most characters of a message.
const MAX_MESSAGE: usize = 1000;

/// Why a command did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable, for machines.
    pub code: String,
    /// One line: what, why, and the way out.
    pub message: String,
    /// The exit status.
    pub exit: u8,
    /// Whether the result that was shown says so already: then `--json` shows no second value.
    pub is_shown: bool,
}

impl Failure {
    /// A failure with a code and a line. What a file, a path or the network has put into the message reaches the
    /// terminal without control characters.
    pub fn new(code: impl Into<String>, message: impl AsRef<str>) -> Self {
        let message = seatline_protocol::text::line(message.as_ref(), MAX_MESSAGE);
        Self { code: code.into(), message, exit: FAILED, is_shown: false }
    }

    /// A failure of an error and what caused it.
    pub fn of(code: &str, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        Self::new(code, message)
    }

    /// A command that needs a confirmation which was not given.
    pub fn not_confirmed(message: &str) -> Self {
        Self { exit: NOT_CONFIRMED, ..Self::new("not-confirmed", message) }
    }

    /// A file that cannot be read or written; `-` is standard input.
    pub fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::FileTooLarge => "too-large",
            std::io::ErrorKind::InvalidData => "not-utf8",
            _ => "file",
        };
        let path = if path == std::path::Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
        Self::new(code, format!("cannot {action} {path}: {error}"))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Turns the errors of every stage into failures.
macro_rules! failures {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::of(error.code(), &error)
            }
        })+
    };
}

failures!(
    CollectError,
    ConfigError,
    ConfirmError,
    ExchangeError,
    HoldError,
    HostError,
    IdError,
    KeyError,
    LinkError,
    MoveError,
    OpenError,
    PluginError,
    RequestError,
    SetLicenseError,
    SettingsError,
    StoreError,
    TokenError,
    UserError,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_without_control_characters() {
        let path = std::path::Path::new("a\u{1b}[2J\nb\u{202e}");
        let failure = Failure::io("read", path, &std::io::Error::other("gone"));
        assert_eq!(failure.message, "cannot read a [2J b : gone");
        assert_eq!(Failure::new("x", "y".repeat(5000)).message.chars().count(), MAX_MESSAGE);
    }

    #[test]
    fn a_failure_names_its_causes_once() {
        let source = std::io::Error::other("disk on fire");
        let error = ConfigError::Unreadable { path: "x".into(), source };
        assert_eq!(Failure::from(error), Failure::new("config-unreadable", "cannot read x: disk on fire"));
    }
}
