//! Who signs in, and the audit log of what is changed.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::{
    Account, AccountName, AccountRefusal, Act, ApiToken, Entry, EntryFilter, NewSession, PresentedToken, Role, Session,
    SessionId, SignOn, Subject, TokenHash, TokenId,
};

/// Accounts (`g11`).
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds an account.
    ///
    /// # Errors
    /// [`super::StoreError::Conflict`] where the name is taken.
    async fn add_account(&self, act: &Act, account: &Account) -> Stored<()>;
    /// The account of a name.
    async fn account(&self, name: &AccountName) -> Stored<Option<Account>>;
    /// A page of the accounts, by name.
    async fn accounts(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Account>>;
    /// Whether there is any administrator.
    async fn has_administrator(&self) -> Stored<bool>;
    /// Sets the role of an account. The last administrator stays one.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none of this name.
    async fn set_role(&self, act: &Act, name: &AccountName, role: Role) -> Stored<Result<Account, AccountRefusal>>;
    /// Sets the password of an account (its hash), and ends all its sessions but `keep`.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none of this name.
    async fn set_password(
        &self,
        act: &Act,
        name: &AccountName,
        hash: &str,
        keep: Option<&SessionId>,
    ) -> Stored<Result<(), AccountRefusal>>;
    /// Removes an account with its sessions and tokens. The last administrator stays.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none of this name.
    async fn remove_account(&self, act: &Act, name: &AccountName) -> Stored<Result<(), AccountRefusal>>;
    /// The account of who signs in by single sign-on: made, or brought to what the provider says of him now (`g10`).
    async fn sign_on(&self, act: &Act, on: &SignOn) -> Stored<Result<Account, AccountRefusal>>;
    /// Removes the account of somebody whom single sign-on allows nothing any more, with its sessions and tokens, if he
    /// has one; also that of the last administrator.
    async fn sign_off(&self, act: &Act, subject: &Subject) -> Stored<()>;
}

/// Sessions of people who signed in.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session, in the place of the one that `ended` names, and forgets those that had ended by then.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such account.
    async fn begin_session(&self, act: &Act, session: &NewSession, ended: Option<&TokenHash>) -> Stored<()>;
    /// The session of a cookie's secret, with the role of its account, unless it has ended by `now` or was not used
    /// since `used_since`.
    async fn session(&self, token: &TokenHash, now: Timestamp, used_since: Timestamp) -> Stored<Option<Session>>;
    /// Notes that a session was used.
    async fn use_session(&self, id: &SessionId, now: Timestamp) -> Stored<()>;
    /// Notes until when the owner of a session needs not prove again who he is.
    async fn confirm_session(&self, id: &SessionId, until: Option<Timestamp>) -> Stored<()>;
    /// The sessions of an account that run, the newest first, at most [`PageSize::MAX`].
    async fn sessions_of(&self, name: &AccountName, now: Timestamp, used_since: Timestamp) -> Stored<Vec<Session>>;
    /// Ends a session of an account; one that does not run is ended already.
    async fn end_session(&self, act: &Act, name: &AccountName, id: &SessionId) -> Stored<()>;
    /// Ends the sessions of an account, all but `keep`, and says how many.
    async fn end_sessions(&self, act: &Act, name: &AccountName, keep: Option<&SessionId>) -> Stored<u64>;
}

/// Tokens of programs.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Keeps an API token.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where its account does not exist.
    async fn add_api_token(&self, act: &Act, token: &ApiToken) -> Stored<()>;
    /// The API token of a secret's hash, with the role of its owner, unless it has ended by `now`.
    async fn api_token(&self, token: &TokenHash, now: Timestamp) -> Stored<Option<PresentedToken>>;
    /// Notes the day on which a token was used.
    async fn use_api_token(&self, id: &TokenId, day: Timestamp) -> Stored<()>;
    /// A page of the API tokens of an account, or of all, the newest first.
    async fn api_tokens(
        &self,
        of: Option<&AccountName>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<ApiToken>>;
    /// Revokes an API token, of `of` alone where that is given.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is none of this id.
    async fn revoke_api_token(&self, act: &Act, id: &TokenId, of: Option<&AccountName>) -> Stored<()>;
}

/// The audit log (`g11`). It is written by the changing functions of all traits, in their own commits, and nothing
/// changes or removes an entry.
#[async_trait]
pub trait Audit: Send + Sync {
    /// A page of the entries that a filter lets pass, the newest first.
    async fn audit(&self, filter: &EntryFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Entry>>;
}
