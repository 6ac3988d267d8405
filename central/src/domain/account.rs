//! Who may look: accounts with their roles, their sessions, and the tokens of programs.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
pub use seatline_web::AccountName;
use serde::Serialize;

use super::ids::{SessionId, TokenHash, TokenId};
use super::role::{Role, Scopes};

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Account {
    /// The name, unique.
    #[schema(value_type = String)]
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// How its owner proves who he is.
    #[serde(flatten)]
    pub proof: Proof,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When its owner signed in last.
    pub last_sign_in_at: Option<Timestamp>,
}

/// How the owner of an account proves who he is.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "sign_in", rename_all = "kebab-case")]
pub enum Proof {
    /// By a password of his own.
    Password {
        /// Its argon2id hash, as a PHC string.
        #[serde(skip)]
        hash: String,
    },
    /// By single sign-on (`g10`).
    SingleSignOn(Subject),
}

/// Somebody as a provider of single sign-on knows him.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
pub struct Subject {
    /// The provider.
    pub issuer: String,
    /// His id there, which is never given to anybody else.
    pub subject: String,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password { .. } => f.write_str("Password"),
            Self::SingleSignOn(subject) => subject.fmt(f),
        }
    }
}

impl Account {
    /// The hash of the password, where it has one.
    pub fn password(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password { hash } => Some(hash),
            Proof::SingleSignOn(_) => None,
        }
    }
}

/// Somebody who signs in by single sign-on, as the provider names him now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOn {
    /// Who he is there.
    pub subject: Subject,
    /// What he is called.
    pub name: AccountName,
    /// What his groups allow.
    pub role: Role,
}

/// Why a change of accounts is refused by their rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// Nobody could look after the server any more.
    #[error("this is the last administrator: make another one first")]
    LastAdministrator,
    /// The provider of single sign-on decides.
    #[error("the account comes from single sign-on: its role follows its groups there, and it has no password here")]
    SingleSignOn,
    /// Another account has the name that the provider gives.
    #[error(
        "another account has this name already: an administrator can remove it, or the provider name this one differently"
    )]
    NameTaken,
}

impl AccountRefusal {
    /// A stable code for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::LastAdministrator => "last-administrator",
            Self::SingleSignOn => "of-single-sign-on",
            Self::NameTaken => "name-taken",
        }
    }
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The hash of the cookie's secret.
    pub token: TokenHash,
    /// Whose it is.
    pub account: AccountName,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it ends by itself at the latest.
    pub expires_at: Timestamp,
    /// Where from.
    pub address: IpAddr,
    /// What the browser says of itself, as one bounded line.
    pub browser: String,
}

/// A session that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    #[schema(value_type = String)]
    pub account: AccountName,
    /// What he may do at this moment.
    #[serde(skip)]
    pub role: Role,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to a minute.
    pub last_used_at: Timestamp,
    /// When it ends by itself at the latest.
    pub expires_at: Timestamp,
    /// Where it began.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// What the browser says of itself.
    pub browser: String,
    /// Until when its owner needs not prove again who he is, before he changes accounts.
    #[serde(skip)]
    pub confirmed_until: Option<Timestamp>,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// The longest, from the sign-in on.
    pub longest: SignedDuration,
    /// Without a request.
    pub idle: SignedDuration,
}

impl Default for SessionLife {
    fn default() -> Self {
        Self { longest: SignedDuration::from_hours(12), idle: SignedDuration::from_hours(2) }
    }
}

/// A token with which a program uses the API in somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// The hash of its secret.
    #[serde(skip)]
    pub token: TokenHash,
    /// In whose name it acts. It never may more than its owner at that moment.
    #[schema(value_type = String)]
    pub account: AccountName,
    /// What it is for, in one line.
    pub label: String,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself; absent where it does not.
    pub expires_at: Option<Timestamp>,
    /// The day on which it was used last, at its beginning in UTC; absent before the first time.
    pub last_used_day: Option<Timestamp>,
}

/// A token that was presented, with what its owner may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedToken {
    /// The token.
    pub token: ApiToken,
    /// The role of its owner.
    pub role: Role,
    /// When the provider of single sign-on last vouched for its owner; absent for who has a password here.
    pub vouched_at: Option<Timestamp>,
}
