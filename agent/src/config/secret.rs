//! Where a secret is kept: never in `seatline.toml` itself.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::document::{Problem, Section};
use crate::files;

/// Where a secret is kept. It is read when it is used, so that it can be renewed without a restart.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The environment variable of this name.
    Environment(String),
    /// This file.
    File(PathBuf),
}

/// Why a secret is not to be had. It holds nothing of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no such variable.
    #[error("the environment variable {0} is not set, or not UTF-8")]
    Unset(String),
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// One line.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
}

impl SecretSource {
    /// The secret of `section` that lies in the variable under the key `environment`, or in the file under the key
    /// `file`, relative to `base`.
    ///
    /// # Errors
    /// When both are named.
    pub(super) fn of(
        section: &Section<'_>,
        environment: &'static str,
        file: &'static str,
        base: &Path,
    ) -> Result<Option<Self>, Problem> {
        match (section.find(environment), section.find(file)) {
            (None, None) => Ok(None),
            (Some(name), None) => Ok(Some(Self::Environment(name.text()?.to_owned()))),
            (None, Some(path)) => Ok(Some(Self::File(base.join(path.text()?)))),
            (Some(_), Some(_)) => Err(section.refuse(file, format_args!("cannot stand beside `{environment}`"))),
        }
    }

    /// The secret, without the line break at its end.
    ///
    /// # Errors
    /// When it is not to be had.
    pub fn read(&self) -> Result<Zeroizing<String>, SecretError> {
        let (secret, place) = match self {
            Self::Environment(name) => {
                let secret = std::env::var(name).map_err(|_| SecretError::Unset(name.clone()))?;
                (Zeroizing::new(secret), format!("the environment variable {name}"))
            }
            Self::File(path) => {
                let shown = path.display().to_string();
                let unreadable =
                    |error: std::io::Error| SecretError::Unreadable { path: shown.clone(), reason: error.to_string() };
                (files::read_text(path).map_err(unreadable)?, format!("the file {shown}"))
            }
        };
        let trimmed = secret.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() { Err(SecretError::Empty(place)) } else { Ok(Zeroizing::new(trimmed.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_not_to_be_had_says_where_it_was_looked_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("password");
        let source = SecretSource::File(path.clone());
        let text = |source: &SecretSource| source.read().expect_err("no secret").to_string();
        assert!(text(&source).ends_with("password cannot be read: No such file or directory (os error 2)"));
        std::fs::write(&path, "\r\n").expect("an empty secret");
        assert!(text(&source).ends_with("password is empty"));
        std::fs::write(&path, " hunter 2 \r\n").expect("a secret");
        assert_eq!(*source.read().expect("the secret"), " hunter 2 ");
        let unset = SecretSource::Environment("SEATLINE_TEST_UNSET".to_owned());
        assert_eq!(text(&unset), "the environment variable SEATLINE_TEST_UNSET is not set, or not UTF-8");
    }
}
