//! Who may look: administrators, their sessions, and the tokens of programs.

use jiff::Timestamp;
use serde::Serialize;

use super::ids::{TokenHash, TokenId};

seatline_protocol::checked_string!(
    /// The name of an administrator. Letters in upper case are taken as lower case: `Ada` and `ada` are one person.
    AdminName,
    "an administrator's name",
    "1 to 64 characters of a-z 0-9 . _ - @ that start with a letter or digit",
    |name| (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@')),
    |text| text.trim().to_ascii_lowercase()
);

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
