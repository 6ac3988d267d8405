//! Who may look: administrators, their sessions, and the tokens of programs.

use jiff::Timestamp;
pub use seatline_web::AccountName as AdminName;
use serde::Serialize;

use super::ids::{TokenHash, TokenId};

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
