//! API tokens: what a program beside the agent carries as `Authorization: Bearer sla_…` to use the local API (`g7`).
//!
//! A token is 32 random bytes, of which the state keeps the hash: on all nodes of a cluster, and in no backup a secret.

use std::fmt;

use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::store::{Slot, StoreError};
use seatline_protocol::text;
use seatline_web::TokenHash;
use seatline_web::secret::{hex, random, random_secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What every token begins with, so that a scanner of source code finds one that was committed by mistake.
pub const PREFIX: &str = "sla_";
/// The most tokens of an instance.
pub const MAX_TOKENS: usize = 100;
/// The most characters of a name.
const MAX_NAME: usize = 100;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// To ask.
    Read,
    /// To ask, to set licenses and to synchronise.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

/// A token as it is shown: without its secret, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is called by, beside its name: 16 hexadecimal digits.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    token: Token,
    /// The SHA-256 of the secret, in hexadecimal digits.
    hash: String,
}

/// Why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name breaks its rule.
    #[error("a token's name is one line of 1 to {MAX_NAME} characters")]
    Name,
    /// There is one of this name.
    #[error("there is a token called `{0}`; revoke it first, or choose another name")]
    Exists(String),
    /// There are too many.
    #[error("there are {MAX_TOKENS} tokens, the most that are kept; revoke one first")]
    TooMany,
    /// There is none of this name or id.
    #[error("there is no token called `{0}`; `seatline token list` shows them")]
    Unknown(String),
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TokenError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "token-name",
            Self::Exists(_) => "token-exists",
            Self::TooMany => "too-many-tokens",
            Self::Unknown(_) => "token-unknown",
            Self::Random(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

/// A token that was made and is in force once it is [added](NewToken::add).
pub struct NewToken {
    /// The token itself: it cannot be had again.
    pub secret: Zeroizing<String>,
    kept: Kept,
}

impl NewToken {
    /// A new token, made at `now`.
    ///
    /// # Errors
    /// [`TokenError::Name`], and where the operating system gives no randomness.
    pub fn make(name: &str, role: Role, now: Timestamp) -> Result<Self, TokenError> {
        if name.trim().is_empty() || !text::is_line(name, MAX_NAME) {
            return Err(TokenError::Name);
        }
        let secret = Zeroizing::new(format!("{PREFIX}{}", *random_secret()?));
        let token = Token { id: hex(&random::<8>()?), name: name.to_owned(), role, created_at: now };
        let hash = TokenHash::of(secret.as_bytes()).hex();
        Ok(Self { secret, kept: Kept { token, hash } })
    }

    /// Puts it in force.
    ///
    /// # Errors
    /// When there is one of this name, there are too many, or the state cannot be written.
    pub fn add(&self, host: &Host) -> Result<Token, TokenError> {
        let token = &self.kept.token;
        host.change_kept(Slot::ApiTokens, |tokens: &mut Vec<Kept>| {
            if tokens.iter().any(|other| other.token.name == token.name) {
                return Err(TokenError::Exists(token.name.clone()));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(TokenError::TooMany);
            }
            tokens.push(self.kept.clone());
            Ok(token.clone())
        })
    }
}

/// All tokens, the oldest first.
///
/// # Errors
/// When the state cannot be read.
pub fn list(host: &Host) -> Result<Vec<Token>, StoreError> {
    let kept: Vec<Kept> = host.kept(Slot::ApiTokens)?.unwrap_or_default();
    Ok(kept.into_iter().map(|kept| kept.token).collect())
}

/// All tokens with the hash of their secret.
///
/// # Errors
/// When the state cannot be read.
pub fn hashed(host: &Host) -> Result<Vec<(TokenHash, Token)>, StoreError> {
    let kept: Vec<Kept> = host.kept(Slot::ApiTokens)?.unwrap_or_default();
    // A hash that is none belongs to no token: nobody can present it.
    Ok(kept.into_iter().filter_map(|kept| Some((kept.hash.parse().ok()?, kept.token))).collect())
}

/// Revokes a token by its name or id. Within about a second it is worth nothing any more.
///
/// # Errors
/// When there is none, or the state cannot be written.
pub fn revoke(host: &Host, called: &str) -> Result<Token, TokenError> {
    host.change_kept(Slot::ApiTokens, |tokens: &mut Vec<Kept>| {
        let found = tokens.iter().position(|kept| kept.token.name == called || kept.token.id == called);
        let found = found.ok_or_else(|| TokenError::Unknown(text::line(called, MAX_NAME)))?;
        Ok(tokens.remove(found).token)
    })
}
