//! Asking a person before something is changed.

use std::io::{BufRead as _, IsTerminal as _};

use crate::failure::Failure;
use crate::output::tell;

/// Asks `question` on the terminal, unless `--yes` was given.
///
/// # Errors
/// When the answer is not yes, or there is no terminal to ask on.
pub fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::not_confirmed(
            "nothing was changed: there is no terminal to ask on, so confirm with --yes",
        ));
    }
    tell(format_args!("{question} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(Failure::not_confirmed("nothing was changed")),
    }
}
