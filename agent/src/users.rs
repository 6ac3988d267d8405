//! Who signs in to the pages: a few people, with a role and a password each.
//!
//! They are kept in the state, as the hash of their password: the same on all nodes of a cluster, and in no backup a
//! secret. A product that mounts the pages has its own people, and none of these.

use std::fmt;

use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::store::{Slot, StoreError};
use seatline_protocol::IdError;
use seatline_web::AccountName;
use seatline_web::password::{self, PasswordError};
use serde::{Deserialize, Serialize};

/// The most users of an instance.
pub const MAX_USERS: usize = 200;

/// What somebody may do on the pages. Whoever has no role sees none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// To look at everything.
    Viewer,
    /// To look at everything, and to change it.
    Administrator,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Administrator => "administrator",
        })
    }
}

/// A user as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name to sign in with, unique.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its password was set.
    pub password_set_at: Timestamp,
}

/// A user as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptUser {
    /// What is shown of it.
    #[serde(flatten)]
    pub user: User,
    /// The argon2id hash of the password, as a PHC string.
    pub password: String,
}

/// Why a user was not added, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name breaks its rule.
    #[error(transparent)]
    Name(#[from] IdError),
    /// The password breaks its rule, or cannot be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// There is one of this name.
    #[error("there is a user called `{0}`; remove it first, or set another password with `seatline user password {0}`")]
    Exists(AccountName),
    /// There are too many.
    #[error("there are {MAX_USERS} users, the most that are kept; remove one first")]
    TooMany,
    /// There is none of this name.
    #[error("there is no user called `{0}`; `seatline user list` shows them")]
    Unknown(AccountName),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UserError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(error) => error.code(),
            Self::Password(PasswordError::Length | PasswordError::Unprintable) => "password",
            Self::Password(PasswordError::Random(_)) => "no-randomness",
            Self::Password(PasswordError::Hash(_)) => "internal",
            Self::Exists(_) => "user-exists",
            Self::TooMany => "too-many-users",
            Self::Unknown(_) => "user-unknown",
            Self::Store(error) => error.code(),
        }
    }
}

/// Adds a user at `now`.
///
/// # Errors
/// See [`UserError`]. Then nothing has changed.
pub fn add(host: &Host, name: &str, role: Role, password: &str, now: Timestamp) -> Result<User, UserError> {
    let user = User { name: name.parse()?, role, created_at: now, password_set_at: now };
    let kept = KeptUser { user: user.clone(), password: password::hash(password)? };
    host.change_kept(Slot::Users, |users: &mut Vec<KeptUser>| {
        if users.iter().any(|other| other.user.name == user.name) {
            return Err(UserError::Exists(user.name.clone()));
        }
        if users.len() >= MAX_USERS {
            return Err(UserError::TooMany);
        }
        users.push(kept);
        Ok(user)
    })
}

/// All users, the oldest first.
///
/// # Errors
/// When the state cannot be read.
pub fn list(host: &Host) -> Result<Vec<User>, StoreError> {
    Ok(kept(host)?.into_iter().map(|kept| kept.user).collect())
}

/// All users with the hash of their password.
///
/// # Errors
/// When the state cannot be read.
pub fn kept(host: &Host) -> Result<Vec<KeptUser>, StoreError> {
    Ok(host.kept(Slot::Users)?.unwrap_or_default())
}

/// Sets another password of a user. The sessions that were begun with the one before end.
///
/// # Errors
/// See [`UserError`]. Then the one before stays.
pub fn set_password(host: &Host, name: &str, password: &str, now: Timestamp) -> Result<User, UserError> {
    let (name, hash): (AccountName, String) = (name.parse()?, password::hash(password)?);
    host.change_kept(Slot::Users, |users: &mut Vec<KeptUser>| {
        let Some(kept) = users.iter_mut().find(|kept| kept.user.name == name) else {
            return Err(UserError::Unknown(name));
        };
        kept.password = hash;
        kept.user.password_set_at = now;
        Ok(kept.user.clone())
    })
}

/// Removes a user, whose sessions end.
///
/// # Errors
/// When there is none of this name, or the state cannot be written.
pub fn remove(host: &Host, name: &str) -> Result<User, UserError> {
    let name: AccountName = name.parse()?;
    host.change_kept(Slot::Users, |users: &mut Vec<KeptUser>| {
        match users.iter().position(|kept| kept.user.name == name) {
            Some(at) => Ok(users.remove(at).user),
            None => Err(UserError::Unknown(name)),
        }
    })
}
