//! Who may look: administrators, their sessions, and the tokens of programs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{TokenHash, TokenId};

/// The name of an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdminName(String);

/// A text is not the name of an administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an administrator's name is 1 to 64 characters of a-z 0-9 . _ - @ that start with a letter or digit")]
pub struct AdminNameError;

impl AdminName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdminName {
    type Err = AdminNameError;
    /// Letters in upper case are taken as lower case: `Ada` and `ada` are one person.
    fn from_str(text: &str) -> Result<Self, AdminNameError> {
        let name = text.trim().to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
        if (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(allowed)
        {
            Ok(Self(name))
        } else {
            Err(AdminNameError)
        }
    }
}

impl TryFrom<String> for AdminName {
    type Error = AdminNameError;
    fn try_from(text: String) -> Result<Self, AdminNameError> {
        text.parse()
    }
}

impl From<AdminName> for String {
    fn from(name: AdminName) -> String {
        name.0
    }
}

impl fmt::Display for AdminName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An administrator of the central server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The name, unique.
    pub name: AdminName,
    /// The argon2id hash of the password, as a PHC string.
    pub password: String,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The hash of the cookie's secret.
    pub token: TokenHash,
    /// Whose it is.
    pub admin: AdminName,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A session that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub admin: AdminName,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A token with which a program uses the API in an administrator's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// The hash of its secret.
    #[serde(skip)]
    pub token: TokenHash,
    /// In whose name it acts.
    pub admin: AdminName,
    /// What it is for, in one line.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
}
